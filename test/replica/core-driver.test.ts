import { expect, test } from 'vitest';
import { logIndex, replicaId, term, unixMillis } from '../../src/base/ids.ts';
import { HEARTBEAT_TICKS } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import type { AppendRequest, Entry, Message } from '../../src/raft/types.ts';
import { CoreDriver } from '../../src/replica/core-driver.ts';
import { type HeldWrite, MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { CLUSTER, emptyLogEnd, endOfAll, entriesAfter, hard, writing } from '../storage/entries.ts';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const isEntriesFor = (peer: number, message: Message): message is AppendRequest =>
  message.type === 'append-request' && message.to === peer;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Replica 1 of three on a disk of its own, and all that it says to the others. */
async function driverOf(entries: readonly Entry[] = []) {
  const said: Message[] = [];
  const rotten: string[] = [];
  const disk = new MemoryDisk(CLUSTER);
  const store = disk.open();
  await store.load();
  const hardState = hard(1, entries.length);
  if (entries.length > 0) await store.write(writing(entries, hardState));
  const driver = new CoreDriver({
    init: {
      id: replicaId(1),
      voters: [1, 2, 3].map(replicaId),
      prng: new Prng(1),
      hardState,
      // Memory holds the last one only.
      tail: entries.slice(-1),
      terms: entries.length > 0 ? [{ from: logIndex(1), term: 1 }] : [],
    },
    leaveJoint: () => {
      throw new Error('nobody changes who takes part');
    },
    base: emptyLogEnd,
    time: () => unixMillis(0),
    agreedTime: () => undefined,
    store,
    clock: new VirtualClock(),
    events: {
      cut: () => {},
      send: (message) => said.push(message),
      sent: () => {},
      wrote: () => {},
      progressed: () => {},
      standing: () => {},
      rotten: ({ message }) => rotten.push(message),
      failed: (error) => {
        throw error;
      },
    },
  });
  return { disk, driver, said, rotten };
}

/** What replica 1 says of an entry of leader 2, and of a candidate, if this happens while its disk writes that entry. */
async function saidAfter(meanwhile: (driver: CoreDriver) => void): Promise<readonly Message[]> {
  const { disk, driver, said } = await driverOf();
  const held: HeldWrite[] = [];
  disk.onWrite = (write) => held.push(write);
  const envelope = { to: replicaId(1), term: term(1) } as const;
  const nowhere = { index: logIndex(0), term: term(0) };
  driver.step({
    ...{ ...envelope, type: 'append-request', from: replicaId(2), prev: nowhere },
    ...{ entries: entriesAfter(emptyLogEnd, 1, [10]), commit: logIndex(0) },
  });
  driver.work();
  expect(held).toHaveLength(1);
  meanwhile(driver);
  driver.work();
  expect(said).toEqual([]);
  for (let write = held.shift(); write !== undefined; write = held.shift()) {
    write.complete();
    await turn();
  }
  driver.stop();
  return said;
}

const ACKNOWLEDGED = { type: 'append-reply', to: 2, accepted: true, index: 1 };

test('what waits for the disk leaves when it is written', async () => {
  expect(await saidAfter(() => {})).toMatchObject([ACKNOWLEDGED]);
});

test('a replica muted while its disk writes does not acknowledge what it wrote', async () => {
  expect(await saidAfter((driver) => driver.mute(true))).toEqual([]);
});

test('whose log is found whole again before the write is done acknowledges it', async () => {
  const said = await saidAfter((driver) => {
    driver.mute(true);
    driver.mute(false);
  });
  expect(said).toMatchObject([ACKNOWLEDGED]);
});

test('a log of which nothing is left behind a snapshot goes on where it was', async () => {
  const entries = entriesAfter(emptyLogEnd, 1, Array(10).fill(10));
  const { driver, said } = await driverOf(entries);
  driver.compact(logIndex(10));
  driver.step({
    ...{ type: 'append-request', from: replicaId(2), to: replicaId(1), term: term(1) },
    ...{ prev: { index: logIndex(10), term: term(1) }, commit: logIndex(11) },
    entries: entriesAfter(endOfAll(entries), 1, [10]),
  });
  driver.work();
  await turn();
  expect(said).toMatchObject([{ type: 'append-reply', accepted: true, index: 11 }]);
  driver.stop();
});

test('a leader that meets rot in what a peer lags behind by leads on, and the peer gets it once it is repaired', async () => {
  const entries = entriesAfter(emptyLogEnd, 1, Array(10).fill(10));
  const { disk, driver, said, rotten } = await driverOf(entries);
  const to = replicaId(1);
  const hear = async (message: DistributiveOmit<Message, 'to'>): Promise<void> => {
    driver.step({ ...message, to });
    driver.work();
    await turn();
  };
  const [two, three] = [replicaId(2), replicaId(3)];
  const old = { from: two, term: term(1) };
  const last = { index: logIndex(10), term: term(1) };
  const beat = { round: 0, stamp: 0, echo: 0, reached: logIndex(0) };
  await hear({ type: 'heartbeat', ...old, ...beat, commit: logIndex(10) });
  await hear({ type: 'timeout-now', ...old, last });
  await hear({ type: 'vote-reply', from: two, term: term(2), pre: false, granted: true });
  expect(driver.standing.role).toBe('leader');
  disk.damage(6, 'rotten');
  const hint = { index: logIndex(3), term: term(1) };
  const answer = { from: three, term: term(2) };
  await hear({ type: 'append-reply', ...answer, accepted: false, index: last.index, hint });
  expect(rotten).toEqual([expect.stringContaining('entry 6')]);
  const sent = () =>
    said.flatMap((message) => (isEntriesFor(three, message) ? message.entries : []));
  const before = sent().length;
  disk.put(entries[5] as Entry);
  for (let tick = 0; tick < HEARTBEAT_TICKS * 2; tick += 1) driver.tick(undefined);
  await hear({ type: 'heartbeat-reply', ...answer, round: 0, stamp: 0, beat: 1 });
  driver.work();
  expect(
    sent()
      .slice(before)
      .map(({ index }) => index),
  ).toEqual([4, 5, 6, 7, 8, 9]);
  expect(rotten).toHaveLength(1);
  driver.stop();
});
