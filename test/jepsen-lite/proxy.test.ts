import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { freePorts } from '../../cli/local/free-ports.ts';
import { LinkProxy } from '../../jepsen-lite/proxy.ts';
import { ALERTS_GROUP } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import { FrameType, frameHeader } from '../../src/wire/frame.ts';

let server: Server;
let proxy: LinkProxy;
let client: Socket;
let received: Buffer = Buffer.alloc(0);
let accepted: Socket[] = [];

const frame = (type: FrameType, id: number): Buffer =>
  Buffer.concat([frameHeader(type, ALERTS_GROUP, id, [new Uint8Array([id])]), Buffer.from([id])]);

/** Ids of the frames that came through, in order. */
const ids = (): number[] =>
  Array.from({ length: received.byteLength / 33 }, (_, at) => received[at * 33 + 32] ?? -1);

beforeEach(async () => {
  const [target = 0, port = 0] = await freePorts(2);
  received = Buffer.alloc(0);
  accepted = [];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, Buffer.from(chunk)]);
    });
  });
  await new Promise<void>((resolve) => server.listen(target, '127.0.0.1', resolve));
  proxy = await LinkProxy.open(target, new Prng(1), port);
  client = connect(port, '127.0.0.1');
  client.on('error', () => {});
  await vi.waitFor(() => expect(accepted).toHaveLength(1));
});

afterEach(async () => {
  client.destroy();
  await proxy.close();
  for (const socket of accepted) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

test('a cut holds what is sent, and healing delivers it in order', async () => {
  client.write(frame(FrameType.HEARTBEAT, 1));
  await vi.waitFor(() => expect(ids()).toEqual([1]));
  proxy.there.isCut = true;
  for (const id of [2, 3, 4]) client.write(frame(FrameType.HEARTBEAT, id));
  accepted[0]?.write('the other way');
  const back = await new Promise((resolve) => client.once('data', (chunk) => resolve(`${chunk}`)));
  expect(back, 'one way alone is cut').toBe('the other way');
  expect(ids()).toEqual([1]);
  proxy.heal();
  await vi.waitFor(() => expect(ids()).toEqual([1, 2, 3, 4]));
});

test('frames of agreement are lost and doubled, others are not, in whatever pieces they come', async () => {
  proxy.there.loss = 1;
  const bytes = Buffer.concat([
    frame(FrameType.HELLO, 1),
    frame(FrameType.APPEND_REQUEST, 2),
    frame(FrameType.SUBMIT, 3),
    frame(FrameType.VOTE_REQUEST, 4),
  ]);
  for (const byte of bytes) client.write(Buffer.from([byte]));
  await vi.waitFor(() => expect(ids()).toEqual([1, 3]));
  proxy.there.loss = 0;
  proxy.there.duplicate = 1;
  client.write(frame(FrameType.HEARTBEAT, 5));
  client.write(frame(FrameType.SUBMIT, 6));
  await vi.waitFor(() => expect(ids().toSorted()).toEqual([1, 3, 5, 5, 6]));
});

test('a delay keeps the order, and a reset breaks the connection', async () => {
  proxy.there.delayMs = 5;
  for (let id = 1; id <= 50; id += 1) client.write(frame(FrameType.HEARTBEAT, id));
  await vi.waitFor(() => expect(ids()).toHaveLength(50));
  expect(ids()).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
  const closed = new Promise((resolve) => client.once('close', resolve));
  proxy.reset();
  await closed;
});
