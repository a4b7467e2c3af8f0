import { expect, test } from 'vitest';
import { logIndex, replicaId, term, unixMillis } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Message } from '../../src/raft/types.ts';
import { CoreDriver } from '../../src/replica/core-driver.ts';
import { type HeldWrite, MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { CLUSTER, emptyLogEnd, entriesAfter, hard } from '../storage/entries.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What replica 1 says of an entry of leader 2, and of a candidate, if this happens while its disk writes that entry. */
async function saidAfter(meanwhile: (driver: CoreDriver) => void): Promise<readonly Message[]> {
  const said: Message[] = [];
  const held: HeldWrite[] = [];
  const disk = new MemoryDisk(CLUSTER);
  disk.onWrite = (write) => held.push(write);
  const store = disk.open();
  await store.load();
  const clock = new VirtualClock();
  const driver = new CoreDriver({
    init: {
      id: replicaId(1),
      voters: [1, 2, 3].map(replicaId),
      prng: new Prng(1),
      hardState: hard(1),
      tail: [],
      terms: [],
    },
    leaveJoint: () => {
      throw new Error('nobody changes who takes part');
    },
    base: emptyLogEnd,
    time: () => unixMillis(0),
    agreedTime: () => undefined,
    store,
    clock,
    events: {
      cut: () => {},
      send: (message) => said.push(message),
      sent: () => {},
      wrote: () => {},
      progressed: () => {},
      standing: () => {},
      failed: (error) => {
        throw error;
      },
    },
  });
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
