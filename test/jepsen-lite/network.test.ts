import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CALLERS, type Disturbance } from '../../jepsen-lite/network/network.ts';
import { ProxiedNetwork } from '../../jepsen-lite/network/proxied-network.ts';
import { Way } from '../../jepsen-lite/network/way.ts';
import { must } from '../../src/base/assert.ts';
import { ALERTS_GROUP, replicaId } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import { FrameType, frameHeader } from '../../src/wire/frame.ts';
import { encodeHello } from '../../src/wire/handshake.ts';

let server: Server;
let network: ProxiedNetwork;
let port: number;
let clients: Socket[] = [];
let received: Buffer = Buffer.alloc(0);
let accepted: Socket[] = [];

const portOf = (address: string): number => Number(address.split('/').at(-1));

const frame = (type: FrameType, id: number, body: Uint8Array = new Uint8Array([id])): Buffer =>
  Buffer.concat([frameHeader(type, ALERTS_GROUP, id, [body]), body]);

/** Ids of the frames that came through, in order. */
function ids(): number[] {
  const found: number[] = [];
  for (let at = 0; at + 32 <= received.byteLength; at += 32 + received.readUInt32LE(at + 12))
    found.push(Number(received.readBigUInt64LE(at + 16)));
  return found;
}

/** A connection to place 1, of a caller or of another replica. */
function dialled(): Socket {
  const client = connect(port, '127.0.0.1');
  client.on('error', () => {});
  clients.push(client);
  return client;
}

const helloOf = (id: number): Buffer =>
  frame(
    FrameType.HELLO,
    0,
    encodeHello({
      role: 'peer',
      lane: 'log',
      clusterId: 'c0ffee00c0ffee00c0ffee00c0ffee00',
      replicaId: replicaId(id),
      incarnation: 0,
      agent: 'test',
    }),
  );

beforeEach(async () => {
  received = Buffer.alloc(0);
  accepted = [];
  clients = [];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, Buffer.from(chunk)]);
    });
  });
  network = new ProxiedNetwork(new Prng(1));
  const { address, listen } = await network.join(1);
  port = portOf(address);
  await new Promise<void>((resolve) => server.listen(portOf(listen), '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await network.close();
  for (const socket of accepted) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

test('a cut holds what is sent, and healing delivers it in order', async () => {
  const client = dialled();
  client.write(frame(FrameType.HEARTBEAT, 1));
  await vi.waitFor(() => expect(ids()).toEqual([1]));
  await network.disturb(CALLERS, 1, { kind: 'cut' });
  for (const id of [2, 3, 4]) client.write(frame(FrameType.HEARTBEAT, id));
  accepted[0]?.write('the other way');
  const back = await new Promise((resolve) => client.once('data', (chunk) => resolve(`${chunk}`)));
  expect(back, 'one way alone is cut').toBe('the other way');
  expect(ids()).toEqual([1]);
  await network.heal();
  await vi.waitFor(() => expect(ids()).toEqual([1, 2, 3, 4]));
});

test('cuts that overlap end when the last of them does', async () => {
  const client = dialled();
  const first = await network.disturb(CALLERS, 1, { kind: 'cut' });
  const second = await network.disturb(CALLERS, 1, { kind: 'cut' });
  client.write(frame(FrameType.HEARTBEAT, 1));
  await first();
  await first();
  client.write(frame(FrameType.HEARTBEAT, 2));
  await vi.waitFor(() => expect(accepted).toHaveLength(1));
  expect(ids()).toEqual([]);
  await second();
  await vi.waitFor(() => expect(ids()).toEqual([1, 2]));
});

test('who dialled is known from its introduction, and its link alone is cut', async () => {
  await network.disturb(2, 1, { kind: 'cut' });
  const [two, three] = [dialled(), dialled()];
  two.write(Buffer.concat([helloOf(2), frame(FrameType.HEARTBEAT, 2)]));
  three.write(Buffer.concat([helloOf(3), frame(FrameType.HEARTBEAT, 3)]));
  await vi.waitFor(() => expect(ids()).toEqual([0, 3]));
  await network.reset(3);
  await new Promise((resolve) => three.once('close', resolve));
  await network.heal();
  await vi.waitFor(() => expect(ids()).toEqual([0, 3, 0, 2]));
});

test('the end of a connection does not pass a cut either', async () => {
  const client = dialled();
  client.write(frame(FrameType.HEARTBEAT, 1));
  await vi.waitFor(() => expect(ids()).toEqual([1]));
  const over = await network.disturb(CALLERS, 1, { kind: 'cut' });
  let isClosed = false;
  accepted[0]?.once('close', () => {
    isClosed = true;
  });
  client.end(frame(FrameType.HEARTBEAT, 2));
  await new Promise((resolve) => client.once('close', resolve));
  expect(isClosed).toBe(false);
  await over();
  await vi.waitFor(() => expect({ isClosed, ids: ids() }).toEqual({ isClosed: true, ids: [1, 2] }));
});

test('frames of agreement are lost and doubled, others are not, in whatever pieces they come', async () => {
  const client = dialled();
  const lossless = await network.disturb(CALLERS, 1, { kind: 'loss', chance: 1 });
  const bytes = Buffer.concat([
    frame(FrameType.PING, 1),
    frame(FrameType.APPEND_REQUEST, 2),
    frame(FrameType.SUBMIT, 3),
    frame(FrameType.VOTE_REQUEST, 4),
  ]);
  for (const byte of bytes) client.write(Buffer.from([byte]));
  await vi.waitFor(() => expect(ids()).toEqual([1, 3]));
  await lossless();
  await network.disturb(CALLERS, 1, { kind: 'duplicate', chance: 1 });
  client.write(frame(FrameType.HEARTBEAT, 5));
  client.write(frame(FrameType.SUBMIT, 6));
  await vi.waitFor(() => expect(ids().toSorted()).toEqual([1, 3, 5, 5, 6]));
});

test('a delay keeps the order, and a reset breaks the connection', async () => {
  const client = dialled();
  await network.disturb(CALLERS, 1, { kind: 'delay', ms: 5 });
  for (let id = 1; id <= 50; id += 1) client.write(frame(FrameType.HEARTBEAT, id));
  await vi.waitFor(() => expect(ids()).toHaveLength(50));
  expect(ids()).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
  const closed = new Promise((resolve) => client.once('close', resolve));
  await network.reset(1);
  await closed;
});

test('a reset in the middle of a good-bye leaves nothing open', async () => {
  const connections: Socket[] = [];
  const note = (message: unknown): void => {
    connections.push((message as { socket: Socket }).socket);
  };
  subscribe('net.server.socket', note);
  try {
    const client = dialled();
    client.write(frame(FrameType.SUBMIT, 1));
    await vi.waitFor(() => expect(ids()).toEqual([1]));
    const near = must(connections[0], 'the connection that the proxy took');
    // Two ticks after the end Node has asked libuv to shut it down, and libuv refuses to reset what it shuts down.
    await new Promise((resolve) => {
      near.once('end', () => process.nextTick(() => process.nextTick(resolve)));
      client.end();
    }).then(() => network.reset(1));
    await vi.waitFor(() => expect(near.closed).toBe(true));
  } finally {
    unsubscribe('net.server.socket', note);
  }
  // That everything has ended is looked at after each test.
});

test('disturbances of one way add up', () => {
  const way = new Way();
  const half: Disturbance = { kind: 'loss', chance: 0.5 };
  for (const what of [half, half, { kind: 'delay', ms: 10 }, { kind: 'delay', ms: 5 }] as const)
    way.add(what);
  const { isCut, delayMs } = way;
  expect({ isCut, delayMs, loss: way.chanceOf('loss'), reorder: way.chanceOf('reorder') }).toEqual({
    isCut: false,
    delayMs: 15,
    loss: 0.75,
    reorder: 0,
  });
});
