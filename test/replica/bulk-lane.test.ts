import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Code, isCode, MEANING, TocsinError } from '../../src/base/errors.ts';
import { groupId, replicaId } from '../../src/base/ids.ts';
import { BULK_ANSWER_MS_MAX, BULK_IDLE_MS_MAX, BULK_REQUESTS_MAX } from '../../src/base/limits.ts';
import { type BulkAnswer, BulkLane, serveBulk } from '../../src/replica/peers/bulk-lane.ts';
import { MemoryNetwork } from '../../src/transport/memory-transport.ts';
import type { Channel, Listener } from '../../src/transport/types.ts';
import { FrameType } from '../../src/wire/frame.ts';
import type { Hello } from '../../src/wire/handshake.ts';
import { VirtualClock } from '../client/virtual-clock.ts';

const PEER = replicaId(2);
const hello = (id: number): Hello => ({
  role: 'peer',
  lane: 'bulk',
  clusterId: 'c0ffee00c0ffee00c0ffee00c0ffee00',
  replicaId: replicaId(id),
  incarnation: 1,
  agent: 'test',
});

let clock: VirtualClock;
let network: MemoryNetwork;
let lane: BulkLane;
let listener: Listener;
let served: Channel[];
let answer: BulkAnswer;
/** What the disk of who answers met. */
let failures: Code[];
let onDiskFailed: () => void;
/** Whether whoever dials is let in. */
let judge: () => void;

const ask = (byte: number) => lane.ask(PEER, FrameType.GET, [Uint8Array.of(byte)]);

beforeEach(async () => {
  clock = new VirtualClock();
  network = new MemoryNetwork({ clock });
  served = [];
  failures = [];
  onDiskFailed = () => {};
  judge = () => {};
  answer = async (_type, body) => [body, Uint8Array.of(99)];
  listener = await network.transport('r2').listen('/memory/2', hello(2), {
    judge: () => judge(),
    open: (channel) => {
      served.push(channel);
      serveBulk(
        channel,
        (type, body) => answer(type, body),
        ({ code }) => {
          failures.push(code);
          onDiskFailed();
        },
      );
    },
  });
  lane = new BulkLane({
    transport: network.transport('r1'),
    clock,
    self: hello(1),
    addressOf: (peer) => (peer === PEER ? '/memory/2' : undefined),
  });
});

afterEach(async () => {
  lane.close();
  await clock.settle(listener.close());
});

test('each request gets its own answer, over one connection that is let go when nobody asks', async () => {
  expect(served).toEqual([]);
  const answers = await clock.settle(Promise.all([ask(1), ask(2), ask(3)]));
  expect(answers.map((body) => [...body])).toEqual([
    [1, 99],
    [2, 99],
    [3, 99],
  ]);
  expect(served).toHaveLength(1);
  await clock.run(BULK_IDLE_MS_MAX + 2_000);
  expect(network.connectionCount).toBe(0);
  expect([...(await clock.settle(ask(4)))]).toEqual([4, 99]);
  expect(served).toHaveLength(2);
});

const CODES = Object.keys(MEANING).filter(isCode);

test('that the peer has no answer is no fault of the own disk, whatever it says, and the connection stays', async () => {
  for (const code of CODES) {
    answer = () => Promise.reject(new TocsinError(code, 'so it is'));
    await expect(clock.settle(ask(1))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `it says ${code}: so it is`,
      cause: { code },
    });
  }
  answer = async () => [];
  expect([...(await clock.settle(ask(1)))]).toEqual([]);
  expect(served).toHaveLength(1);
});

test('a connection that the peer ends or refuses, whatever it says, is lost', async () => {
  answer = () => new Promise(() => {});
  for (const code of CODES) {
    const lost = { code: 'CONNECTION_LOST', message: expect.stringContaining('so it is') };
    const why = new TocsinError(code, 'so it is');
    judge = () => {};
    const ended = expect(clock.settle(ask(1))).rejects.toMatchObject(lost);
    await clock.run(10);
    served.at(-1)?.close(why);
    await ended;
    judge = () => {
      throw why;
    };
    await expect(clock.settle(ask(2))).rejects.toMatchObject(lost);
  }
});

test('of what cannot be answered a failed disk alone is told of here, once the peer is told', async () => {
  for (const code of CODES) {
    answer = () => Promise.reject(new TocsinError(code, 'so it is'));
    await expect(clock.settle(ask(1))).rejects.toMatchObject({ cause: { code } });
  }
  expect(failures).toEqual(['DISK_FAILED']);
  // Whoever is told closes everything at once.
  onDiskFailed = () => served[0]?.close();
  answer = () => Promise.reject(new TocsinError('DISK_FAILED', 'so it is'));
  await expect(clock.settle(ask(1))).rejects.toMatchObject({ cause: { code: 'DISK_FAILED' } });
});

test('more requests at once than the bound are refused here, before they are sent', async () => {
  const asked = Array.from({ length: BULK_REQUESTS_MAX + 1 }, (_, n) => ask(n));
  const ends = await clock.settle(Promise.allSettled(asked));
  expect(ends.filter(({ status }) => status === 'rejected')).toMatchObject([
    { reason: { code: 'OVERLOADED' } },
  ]);
});

test('a broken connection, a silent peer and a stranger each end the wait with a code', async () => {
  answer = () => new Promise(() => {});
  const silent = ask(1);
  const late = expect(clock.settle(silent)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  await late;
  expect(clock.monotonic()).toBeGreaterThanOrEqual(BULK_ANSWER_MS_MAX);
  const broken = expect(clock.settle(ask(1))).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  await clock.run(10);
  network.reset('r1', 'r2');
  await broken;
  const unknown = lane.ask(replicaId(9), FrameType.GET, []);
  await expect(unknown).rejects.toMatchObject({ code: 'WRONG_REPLICA' });
});

test('a frame of another group is refused in both directions', async () => {
  await clock.settle(ask(1));
  const foreign = expect(clock.settle(ask(2))).rejects.toMatchObject({ code: 'BODY_MALFORMED' });
  answer = () => new Promise(() => {});
  served[0]?.send(FrameType.ANSWER, groupId(7), 2, []);
  await foreign;
});

test('closing ends what waits and refuses what comes after', async () => {
  answer = () => new Promise(() => {});
  const waiting = expect(ask(1)).rejects.toMatchObject({ code: 'CLOSED' });
  await clock.run(10);
  lane.close();
  await waiting;
  await expect(ask(2)).rejects.toMatchObject({ code: 'CLOSED' });
});
