import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { TocsinError } from '../../src/base/errors.ts';
import {
  CONNECTION_SEND_BYTES_MAX,
  FRAME_BYTES_MAX,
  HANDSHAKE_FRAME_BYTES_MAX,
} from '../../src/base/limits.ts';
import type { TcpTransportOptions } from '../../src/transport/tcp-transport.ts';
import { decodeFail } from '../../src/wire/clients/client-messages.ts';
import { type Frame, FrameReader, FrameType } from '../../src/wire/frame.ts';
import { type Ear, type Host, idsOf, post, until, withHost } from './helpers.ts';
import { census, frame, HELLO, portOf, rigWith } from './tcp-rig.ts';

const MiB = 1024 * 1024;

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

  test('gets its answer through to one that is still talking', async () => {
    for (let round = 0; round < 5; round += 1)
      await withStranger({}, async (stranger) => {
        stranger.socket.write(Buffer.alloc(8 * MiB));
        stranger.socket.pause();
        await until(() => stranger.socket.writableLength === 0);
        stranger.socket.resume();
        expect(await stranger.refusal()).toMatchObject({ code: 'FRAME_MALFORMED' });
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
        const sockets = census();
        stranger.socket.end();
        expect(await host.ears[0]?.closed()).toBeUndefined();
        expect(far?.queuedBytes).toBe(0);
        await until(() => census() === sockets - 1);
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
