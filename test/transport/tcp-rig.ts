import { TcpTransport, type TcpTransportOptions } from '../../src/transport/tcp-transport.ts';
import { FrameType, frameHeader } from '../../src/wire/frame.ts';
import { encodeHello } from '../../src/wire/handshake.ts';
import { CountingClock, GROUP, peerHello, type Rig } from './helpers.ts';

/** Sockets of this process. Timers are counted by the clock: the runner has some of its own. */
export const census = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;

export function rigWith(options: TcpTransportOptions = {}): Rig {
  const before = census();
  const clock = new CountingClock();
  const transport = new TcpTransport({ clock, ...options });
  return {
    listening: transport,
    dialling: transport,
    address: '/ip4/127.0.0.1/tcp/0',
    clean: () => census() === before && clock.live.size === 0,
  };
}

export const portOf = (address: string): number => Number(address.split('/').at(-1));

export const frame = (type: FrameType, id: number, body: Uint8Array): Buffer =>
  Buffer.concat([frameHeader(type, GROUP, id, [body]), body]);

export const HELLO: Buffer = frame(FrameType.HELLO, 0, encodeHello(peerHello(2)));
