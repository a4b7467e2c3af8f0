import type { Clock } from '../../base/clock.ts';
import { type GroupId, millis } from '../../base/ids.ts';
import type { Channel, Transport } from '../../transport/types.ts';
import type { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';

/** What becomes of one frame between replicas: how late each copy of it leaves; none = it is lost. */
export type Fate = readonly number[];

export interface PeerTransportOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Asked for every frame on a control or log lane, in either direction. */
  readonly fateOf: (type: FrameType, body: readonly Uint8Array[], to: string) => Fate;
}

/**
 * A transport whose connections to peers lose, double, delay and reorder frames, which TCP would never do. Agreement may
 * rely on none of that; clients and bulk transfers, which may, are left alone.
 */
export function unreliable(options: PeerTransportOptions): Transport {
  const { transport } = options;
  const slow = (channel: Channel, to: string): Channel =>
    new UnreliableChannel(channel, to, options);
  return {
    listen: (address, self, accept) =>
      transport.listen(address, self, {
        judge: (remote) => accept.judge(remote),
        open: (channel) =>
          accept.open(carries(channel.remote) ? slow(channel, 'who dialled') : channel),
      }),
    dial: async (address, self, signal, expect) => {
      const channel = await transport.dial(address, self, signal, expect);
      return carries(self) ? slow(channel, address) : channel;
    },
  };
}

const carries = ({ lane }: Hello): boolean => lane === 'control' || lane === 'log';

class UnreliableChannel implements Channel {
  readonly #channel: Channel;
  readonly #to: string;
  readonly #options: PeerTransportOptions;

  constructor(channel: Channel, to: string, options: PeerTransportOptions) {
    this.#channel = channel;
    this.#to = to;
    this.#options = options;
  }

  get remote(): Hello {
    return this.#channel.remote;
  }
  get remoteAddress(): string {
    return this.#channel.remoteAddress;
  }
  get queuedBytes(): number {
    return this.#channel.queuedBytes;
  }
  get onFrame(): Channel['onFrame'] {
    return this.#channel.onFrame;
  }
  set onFrame(take: Channel['onFrame']) {
    this.#channel.onFrame = take;
  }
  get onDrain(): Channel['onDrain'] {
    return this.#channel.onDrain;
  }
  set onDrain(take: Channel['onDrain']) {
    this.#channel.onDrain = take;
  }
  get onClose(): Channel['onClose'] {
    return this.#channel.onClose;
  }
  set onClose(take: Channel['onClose']) {
    this.#channel.onClose = take;
  }

  send(type: FrameType, group: GroupId, id: number, body: readonly Uint8Array[]): boolean {
    for (const delay of this.#options.fateOf(type, body, this.#to)) {
      if (delay === 0) {
        if (!this.#channel.send(type, group, id, body)) return false;
      } else {
        const late = (): void => void this.#channel.send(type, group, id, body);
        this.#options.clock.after(millis(delay), late);
      }
    }
    return true;
  }

  flush(): void {
    this.#channel.flush();
  }
  pause(): void {
    this.#channel.pause();
  }
  resume(): void {
    this.#channel.resume();
  }
  close(reason?: Error): void {
    this.#channel.close(reason);
  }
}
