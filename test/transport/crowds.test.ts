import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { FRAME_HEADER_BYTES, FrameType } from '../../src/wire/frame.ts';
import { encodeHello, type Hello } from '../../src/wire/handshake.ts';
import { CLUSTER, Ear, type Host, never, peerHello, type Rig, until, withHost } from './helpers.ts';
import { frame, portOf, rigWith } from './tcp-rig.ts';

/** Many at one door, and none of them may keep the others out or fill the memory. */

const KiB = 1024;
const CLIENT: Hello = {
  role: 'client',
  lane: 'client',
  clusterId: CLUSTER,
  replicaId: undefined,
  incarnation: 0,
  agent: 'a client',
};
const CLIENT_HELLO = frame(FrameType.HELLO, 0, encodeHello(CLIENT));

/** A socket that has sent some bytes, and says no more unless it is told to. */
async function stranger(address: string, bytes: Uint8Array = Buffer.alloc(0)): Promise<Socket> {
  const socket = connect({ port: portOf(address), host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  await new Promise((resolve) => socket.write(bytes, resolve));
  return socket;
}

async function withStrangers(
  rig: Rig,
  body: (host: Host, address: string, enter: typeof stranger) => Promise<void>,
): Promise<void> {
  const sockets: Socket[] = [];
  await withHost(rig, async (host, address) => {
    try {
      await body(host, address, async (...args) => {
        const socket = await stranger(...args);
        sockets.push(socket);
        return socket;
      });
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
}

test('however many clients there are, some places are left for peers', async () => {
  const rig = rigWith({ connectionsMax: 8 });
  await withHost(rig, async (_host, address) => {
    const enter = (hello: Hello) => rig.dialling.dial(address, hello, never());
    const inside = await Promise.all(Array.from({ length: 6 }, () => enter(CLIENT)));
    await expect(enter(CLIENT)).rejects.toMatchObject({
      code: 'OVERLOADED',
      message: '6 clients are connected, which is the limit',
    });
    inside.push(await enter(peerHello(2)), await enter(peerHello(3)));
    await expect(enter(peerHello(2))).rejects.toMatchObject({ code: 'OVERLOADED' });
    const [first] = inside;
    if (first === undefined) throw new Error('nobody came in');
    first.close();
    await new Ear(first).closed();
    // A place is free again, once the other side has noticed.
    let again = await enter(CLIENT).catch(() => undefined);
    while (again === undefined) again = await enter(CLIENT).catch(() => undefined);
    for (const channel of [...inside, again]) channel.close();
  });
});

test('strangers who say nothing keep nobody out: the one that was silent longest makes room', async () => {
  await withStrangers(rigWith({ connectionsMax: 4 }), async (host, address, enter) => {
    const silent: Socket[] = [];
    for (let n = 0; n < 4; n += 1) silent.push(await enter(address));
    const closed = silent.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    const peers: Socket[] = [];
    for (let n = 0; n < 3; n += 1)
      peers.push(await enter(address, frame(FrameType.HELLO, 0, encodeHello(peerHello(n + 2)))));
    await Promise.all(closed.slice(0, 3));
    await until(() => host.channels.length === 3);
    expect(silent[3]?.readyState).toBe('open');
    expect(peers.every((peer) => peer.readyState === 'open')).toBe(true);
  });
});

test('frames that are begun and never finished fill no memory: the longest is given up, the others go on', async () => {
  const rig = rigWith({ unfinishedBytesMax: 600 * KiB });
  await withStrangers(rig, async (host, address, enter) => {
    const whole = frame(FrameType.SUBMIT, 7, Buffer.alloc(512 * KiB));
    const begun = (bytes: number) => Buffer.concat([CLIENT_HELLO, whole.subarray(0, bytes)]);
    const small = await enter(address, begun(200 * KiB));
    await until(() => host.ears.length === 1);
    const large = await enter(address, begun(300 * KiB));
    await until(() => host.ears.length === 2);
    // A peer's frames are not counted among those of clients.
    const hello = frame(FrameType.HELLO, 0, encodeHello(peerHello(2)));
    await enter(address, Buffer.concat([hello, whole.subarray(0, 500 * KiB)]));
    await until(() => host.ears.length === 3);
    small.write(whole.subarray(200 * KiB, 350 * KiB));
    expect(await host.ears[0]?.closed()).toMatchObject({ code: 'OVERLOADED' });
    large.write(whole.subarray(300 * KiB));
    await until(() => host.ears[1]?.frames.length === 1);
    expect(host.ears[1]?.frames[0]?.body.byteLength).toBe(whole.byteLength - FRAME_HEADER_BYTES);
    // What was finished, and what was given up, counts no more.
    await enter(address, begun(500 * KiB));
    await until(() => host.ears.length === 4);
    large.write(CLIENT_HELLO);
    expect(await host.ears[1]?.closed()).toMatchObject({ code: 'FRAME_MALFORMED' });
    expect(host.ears[3]?.closes).toEqual([]);
  });
});
