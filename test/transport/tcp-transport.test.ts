import { connect, createServer, type Server, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import {
  CONNECTION_SEND_BYTES_MAX,
  FRAME_BYTES_MAX,
  HANDSHAKE_FRAME_BYTES_MAX,
} from '../../src/base/limits.ts';
import { TcpTransport, type TcpTransportOptions } from '../../src/transport/tcp-transport.ts';
import { decodeFail } from '../../src/wire/client-messages.ts';
import { type Frame, FrameReader, FrameType, frameHeader } from '../../src/wire/frame.ts';
import { encodeHello } from '../../src/wire/handshake.ts';
import { transportContract } from './contract.ts';
import {
  CountingClock,
  Ear,
  GROUP,
  type Host,
  idsOf,
  never,
  peerHello,
  post,
  type Rig,
  until,
  withHost,
} from './helpers.ts';

const MiB = 1024 * 1024;

/** Sockets of this process. Timers are counted by the clock: the runner has some of its own. */
const census = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;

function rigWith(options: TcpTransportOptions = {}): Rig {
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

transportContract('TCP', (limited) =>
  rigWith(limited === true ? { connectionsMax: 2, closeMsMax: 30 } : {}),
);

const portOf = (address: string): number => Number(address.split('/').at(-1));

const frame = (type: FrameType, id: number, body: Uint8Array): Buffer =>
  Buffer.concat([frameHeader(type, GROUP, id, [body]), body]);

const HELLO = frame(FrameType.HELLO, 0, encodeHello(peerHello(2)));

/** A stranger on a plain socket. */
class Stranger {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  readonly #reader = new FrameReader(FRAME_BYTES_MAX);
  ended = false;
  closed = false;

  constructor(address: string, allowHalfOpen = false) {
    this.socket = connect({
      port: portOf(address),
      host: '127.0.0.1',
      noDelay: true,
      allowHalfOpen,
    });
    this.socket.on('data', (chunk) => {
      this.#reader.push(chunk);
      for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next())
        this.frames.push(next);
    });
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('error', () => {});
  }

  async refusal(): Promise<TocsinError> {
    await until(() => this.ended || this.closed);
    const last = this.frames.at(-1);
    expect(last?.type).toBe(FrameType.REFUSE);
    return decodeFail(last?.body ?? new Uint8Array(0));
  }
}

async function withStranger(
  options: TcpTransportOptions,
  body: (stranger: Stranger, host: Host, address: string) => Promise<void>,
  allowHalfOpen = false,
): Promise<void> {
  await withHost(rigWith(options), async (host, address) => {
    const stranger = new Stranger(address, allowHalfOpen);
    try {
      await body(stranger, host, address);
    } finally {
      stranger.socket.destroy();
    }
  });
}

describe('A TCP listener, met by a stranger', () => {
  const long = Buffer.alloc(HANDSHAKE_FRAME_BYTES_MAX + 1);
  const torn = Buffer.from(HELLO);
  torn[torn.length - 1] = (torn.at(-1) ?? 0) ^ 1;
  test.each([
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'FRAME_MALFORMED'],
    ['one wrong byte', Buffer.from([0]), 'FRAME_MALFORMED'],
    ['a TLS hello', Buffer.from('1603010200010001fc0303', 'hex'), 'FRAME_MALFORMED'],
    ['a damaged HELLO', torn, 'FRAME_MALFORMED'],
    ['a HELLO of garbage', frame(FrameType.HELLO, 0, Buffer.from('garbage')), 'BODY_MALFORMED'],
    ['an empty HELLO', frame(FrameType.HELLO, 0, Buffer.alloc(0)), 'BODY_MALFORMED'],
    ['a command', frame(FrameType.SUBMIT, 1, Buffer.alloc(9)), 'FRAME_MALFORMED'],
    ['a PING', frame(FrameType.PING, 1, Buffer.alloc(0)), 'FRAME_MALFORMED'],
    ['a long frame', frame(FrameType.HELLO, 0, long), 'FRAME_TOO_LONG'],
    [
      'the header alone of a long frame',
      frame(FrameType.HELLO, 0, long).subarray(0, 32),
      'FRAME_TOO_LONG',
    ],
  ])('answers %s with the code', async (_what, bytes, code) => {
    await withStranger({}, async (stranger, host) => {
      stranger.socket.write(bytes);
      expect(await stranger.refusal()).toMatchObject({ code });
      expect(host.channels).toEqual([]);
    });
  });

  test.each([
    ['silence', Buffer.alloc(0)],
    ['half a HELLO', HELLO.subarray(0, 40)],
  ])('gives up on %s in time', async (_what, bytes) => {
    await withStranger({ handshakeMsMax: 20, closeMsMax: 20 }, async (stranger) => {
      stranger.socket.write(bytes);
      expect(await stranger.refusal()).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' });
      await until(() => stranger.closed);
    });
  });

  test('and lets go of one that neither reads nor leaves', async () => {
    const options = { handshakeMsMax: 20, closeMsMax: 20 };
    await withStranger(
      options,
      async (stranger) => {
        stranger.socket.pause();
        await until(() => stranger.socket.readyState !== 'opening');
        stranger.socket.resume();
        await until(() => stranger.ended || stranger.closed);
        // It keeps its half open and goes on sending; the other side resets it.
        const timer = setInterval(() => stranger.socket.write('x'), 5);
        try {
          await until(() => stranger.closed);
        } finally {
          clearInterval(timer);
        }
      },
      true,
    );
  });

  test('is not moved by a HELLO that is cut off, wherever', async () => {
    await withHost(rigWith(), async (host, address) => {
      for (let length = 0; length < HELLO.length; length += 1) {
        const stranger = new Stranger(address);
        stranger.socket.end(HELLO.subarray(0, length));
        await until(() => stranger.closed);
      }
      expect(host.channels).toEqual([]);
    });
  });

  test('reads frames that come byte by byte', async () => {
    await withStranger({}, async (stranger, host) => {
      const bytes = Buffer.concat([HELLO, frame(FrameType.GET, 5, Buffer.from('abc'))]);
      for (const byte of bytes) {
        stranger.socket.write(Uint8Array.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => host.ears[0]?.frames.length === 1);
      expect(host.ears[0]?.frames[0]).toMatchObject({ type: FrameType.GET, id: 5 });
      expect(stranger.frames.map(({ type }) => type)).toEqual([FrameType.WELCOME]);
    });
  });

  test('takes the frames that follow HELLO in the same chunk', async () => {
    await withStranger({}, async (stranger, host) => {
      stranger.socket.write(
        Buffer.concat([
          HELLO,
          frame(FrameType.GET, 1, Buffer.alloc(HANDSHAKE_FRAME_BYTES_MAX * 2)),
        ]),
      );
      await until(() => host.ears[0]?.frames.length === 1);
    });
  });

  test('refuses a malformed frame later as well, and says so to its own side', async () => {
    await withStranger({}, async (stranger, host) => {
      stranger.socket.write(
        Buffer.concat([HELLO, frame(FrameType.GET, 1, Buffer.alloc(3)), Buffer.from('??')]),
      );
      expect(await stranger.refusal()).toMatchObject({ code: 'FRAME_MALFORMED' });
      expect(await host.ears[0]?.closed()).toMatchObject({ code: 'FRAME_MALFORMED' });
      expect(idsOf(host.ears[0] as Ear)).toEqual([1]);
    });
  });

  test('tells an end within a frame from an orderly one', async () => {
    for (const [tail, reason] of [
      [frame(FrameType.GET, 1, Buffer.alloc(90)).subarray(0, 50), { code: 'CONNECTION_LOST' }],
      [frame(FrameType.GET, 1, Buffer.alloc(90)).subarray(0, 3), { code: 'CONNECTION_LOST' }],
      [frame(FrameType.GET, 1, Buffer.alloc(90)), undefined],
    ] as const)
      await withStranger({}, async (stranger, host) => {
        stranger.socket.end(Buffer.concat([HELLO, tail]));
        await until(() => host.ears.length === 1);
        const ended = await host.ears[0]?.closed();
        if (reason === undefined) expect(ended).toBeUndefined();
        else expect(ended).toMatchObject(reason);
      });
  });

  test('reports a reset', async () => {
    await withStranger({}, async (stranger, host) => {
      stranger.socket.write(HELLO);
      await until(() => stranger.frames.length === 1);
      stranger.socket.resetAndDestroy();
      expect(await host.ears[0]?.closed()).toMatchObject({ code: 'CONNECTION_LOST' });
    });
  });

  test('lets go of one that closed its half and never reads', async () => {
    await withStranger(
      {},
      async (stranger, host) => {
        stranger.socket.write(HELLO);
        await until(() => host.channels.length === 1);
        stranger.socket.pause();
        const [far] = host.channels;
        while (far !== undefined && post(far, 1, new Uint8Array(MiB)));
        stranger.socket.end();
        expect(await host.ears[0]?.closed()).toBeUndefined();
        expect(far?.queuedBytes).toBe(0);
      },
      true,
    );
  });

  test('keeps bounded what it owes to one that asks and never reads', async () => {
    await withStranger({ closeMsMax: 20 }, async (stranger, host) => {
      stranger.socket.write(HELLO);
      await until(() => stranger.frames.length === 1);
      stranger.socket.pause();
      const ping = frame(FrameType.PING, 1, Buffer.alloc(MiB));
      for (let i = 0; i < 40; i += 1) {
        const far = host.channels[0];
        if (!stranger.socket.write(ping)) await new Promise((resolve) => setImmediate(resolve));
        expect(far?.queuedBytes).toBeLessThanOrEqual(CONNECTION_SEND_BYTES_MAX);
      }
    });
  });
});

describe('A TCP dialer', () => {
  async function withServer(
    greet: (socket: Socket) => void,
    body: (address: string) => Promise<void>,
  ): Promise<void> {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      greet(socket);
    });
    try {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const taken = server.address();
      await body(`/ip4/127.0.0.1/tcp/${typeof taken === 'object' ? taken?.port : taken}`);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  const dial = (address: string, options: TcpTransportOptions = {}, signal = never()) =>
    new TcpTransport({ handshakeMsMax: 2_000, closeMsMax: 20, ...options }).dial(
      address,
      peerHello(2),
      signal,
    );

  test.each<[string, (socket: Socket) => void, string]>([
    ['closes at once', (socket) => socket.end(), 'CONNECTION_LOST'],
    ['resets at once', (socket) => socket.resetAndDestroy(), 'CONNECTION_LOST'],
    ['greets otherwise', (socket) => socket.write('220 mail ready\r\n'), 'FRAME_MALFORMED'],
    ['echoes', (socket) => socket.pipe(socket), 'FRAME_MALFORMED'],
    [
      'welcomes with garbage',
      (socket) => socket.write(frame(FrameType.WELCOME, 0, Buffer.alloc(40))),
      'BODY_MALFORMED',
    ],
    [
      'refuses with garbage',
      (socket) => socket.write(frame(FrameType.REFUSE, 0, Buffer.from([1, 2, 3]))),
      'BODY_MALFORMED',
    ],
  ])('that meets one who %s says so', async (_what, greet, code) => {
    await withServer(greet, async (address) => {
      await expect(dial(address)).rejects.toMatchObject({ code });
    });
  });

  test('gives up on silence in time', async () => {
    await withServer(
      () => {},
      async (address) => {
        await expect(dial(address, { handshakeMsMax: 20 })).rejects.toMatchObject({
          code: 'HANDSHAKE_TIMEOUT',
        });
      },
    );
  });

  test('that is called off during the introduction goes at once', async () => {
    let gone = false;
    const controller = new AbortController();
    const greet = (socket: Socket): void => {
      socket.on('close', () => {
        gone = true;
      });
      socket.once('data', () => controller.abort());
    };
    await withServer(greet, async (address) => {
      await expect(dial(address, {}, controller.signal)).rejects.toMatchObject({
        code: 'CANCELLED',
      });
      await until(() => gone);
    });
  });

  test('that finds nobody says where it looked', async () => {
    let free = '';
    await withServer(
      () => {},
      async (address) => {
        free = address;
      },
    );
    await expect(dial(free)).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringContaining(free),
      cause: expect.any(Error),
    });
  });
});

describe('TCP connections', () => {
  test('leave nothing behind, 200 of them', async () => {
    const rig = rigWith();
    await withHost(rig, async (host, address) => {
      const idle = census();
      for (let round = 0; round < 10; round += 1) {
        const dials = Array.from({ length: 20 }, () =>
          rig.dialling.dial(address, peerHello(2), never()),
        );
        const ears = (await Promise.all(dials)).map((channel) => new Ear(channel));
        for (const [i, { channel }] of ears.entries()) {
          post(channel, i, new Uint8Array(100));
          if (i % 3 === 0) channel.close(new TocsinError('CLOSED', 'bye'));
          else if (i % 3 === 1) channel.close();
        }
        await until(() => host.channels.length === (round + 1) * 20);
        for (const far of host.channels) far.close();
        for (const ear of ears) await ear.closed();
        await until(() => census() === idle);
      }
      expect(host.ears.every((ear) => ear.closes.length === 1)).toBe(true);
    });
  });

  test('have no idle time-out, on neither side', async () => {
    const rig = rigWith();
    await withHost(rig, async (host, address) => {
      const handles: unknown = Reflect.get(process, '_getActiveHandles').call(process);
      const before = new Set(handles as unknown[]);
      const near = await rig.dialling.dial(address, peerHello(2), never());
      await until(() => host.channels.length === 1);
      const sockets = (Reflect.get(process, '_getActiveHandles').call(process) as unknown[]).filter(
        (handle): handle is Socket =>
          handle instanceof Socket && !before.has(handle) && handle.remotePort !== undefined,
      );
      expect(sockets.length).toBe(2);
      expect(sockets.map((socket) => socket.timeout ?? 0)).toEqual([0, 0]);
      near.close();
    });
  });

  test('are reached by name, and by IPv6 where there is any', async () => {
    const transport = new TcpTransport();
    const ipv6 = await transport
      .listen('/ip6/::1/tcp/0', peerHello(1), { judge: () => {}, open: () => {} })
      .catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'BAD_ADDRESS' });
        return undefined;
      });
    await ipv6?.close();
    await withHost(rigWith(), async (_host, address) => {
      const named = `/dns4/localhost/tcp/${portOf(address)}`;
      const near = await transport.dial(named, peerHello(2), never());
      near.close();
      await until(() => near.queuedBytes === 0);
    });
  });

  test('cannot be listened for where this machine is not', async () => {
    const listen = new TcpTransport().listen('/ip4/192.0.2.1/tcp/0', peerHello(1), {
      judge: () => {},
      open: () => {},
    });
    await expect(listen).rejects.toMatchObject({ code: 'BAD_ADDRESS' });
  });

  test('on all interfaces report the wildcard and the port', async () => {
    const listener = await new TcpTransport().listen('/ip4/0.0.0.0/tcp/0', peerHello(1), {
      judge: () => {},
      open: () => {},
    });
    try {
      expect(listener.address).toMatch(/^\/ip4\/0\.0\.0\.0\/tcp\/[1-9][0-9]*$/);
    } finally {
      await listener.close();
    }
  });
});
