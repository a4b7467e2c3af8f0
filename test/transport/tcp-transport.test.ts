import { createServer, type Server, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { READ_BYTES_PER_TURN_MAX } from '../../src/base/limits.ts';
import { TcpTransport, type TcpTransportOptions } from '../../src/transport/tcp-transport.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { transportContract } from './contract.ts';
import { Ear, never, peerHello, post, until, withHost } from './helpers.ts';
import { census, frame, portOf, rigWith } from './tcp-rig.ts';

transportContract('TCP', (limited) =>
  rigWith(limited === true ? { connectionsMax: 2, closeMsMax: 30 } : {}),
);

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

  test('bring no more in a turn of the loop than it has time for, however much has come, and all of it in the end', async () => {
    await withHost(rigWith(), async (host, address) => {
      const near = await new TcpTransport().dial(address, peerHello(2), never());
      await until(() => host.channels.length === 1);
      const [far] = host.channels;
      let bytes = 0;
      let turnBytes = 0;
      let most = 0;
      far!.onFrame = (_type, _group, _id, body) => {
        bytes += body.byteLength;
        turnBytes += body.byteLength;
        most = Math.max(most, turnBytes);
      };
      const body = new Uint8Array(50_000);
      for (let i = 0; i < 100; i += 1) post(near, i, body);
      // Each turn is counted by itself.
      await until(() => {
        turnBytes = 0;
        return bytes === 100 * body.byteLength;
      });
      expect(most).toBeGreaterThan(READ_BYTES_PER_TURN_MAX / 4);
      // Two reads, of 64 KiB, and the rest of a frame come on top.
      expect(most).toBeLessThan(READ_BYTES_PER_TURN_MAX + 131_072 + body.byteLength);
      near.close();
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
