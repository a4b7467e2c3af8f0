import { afterEach, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { millis, type ReplicaId } from '../../src/base/ids.ts';
import { DISK_WRITE_TICKS_MAX, TICK_MS } from '../../src/base/limits.ts';
import type { HeldWrite } from '../../src/storage/log/memory-log-store.ts';
import { raiseRecord } from './scripted.ts';
import { VirtualCluster } from './virtual-cluster.ts';

let cluster: VirtualCluster;

async function clusterOf(size: number, seed = 1): Promise<VirtualCluster> {
  cluster = new VirtualCluster(size, seed);
  for (let id = 1; id <= size; id += 1) await cluster.start(id);
  await cluster.converge();
  return cluster;
}

afterEach(() => cluster.close());

/** The machine of the replica that leads. */
function leading(): VirtualCluster['machines'][number] {
  const found = cluster.running.find((machine) => machine.replica?.standing.role === 'leader');
  if (found === undefined) throw new Error('nobody leads');
  return found;
}

/** Proposes to one replica by hand, and writes down what it is told. */
function propose(machine: VirtualCluster['machines'][number], key: string, told: string[]): void {
  const { replica } = machine;
  replica?.propose({
    commands: raiseRecord(key),
    count: 1,
    urgency: 0,
    takesRoom: true,
    deadline: millis(cluster.clock.monotonic() + 60_000),
    settle: (outcome) =>
      told.push(`${key} ${outcome instanceof Error ? outcome.code : outcome.map((r) => r.ok)}`),
  });
}

test.each(['lost', 'kept'] as const)(
  'a leader whose disk fails (batch %s) stops and says done no more, and the others go on',
  async (fate) => {
    await clusterOf(3);
    const old = leading();
    const { replica } = old;
    const told: string[] = [];
    old.disk.onWrite = (write) => cluster.clock.after(millis(50), () => write.fail(fate));
    for (let n = 0; n < 3; n += 1) {
      propose(old, `k${n}`, told);
      await cluster.clock.run(0);
    }
    await cluster.clock.run(60);
    expect(old.fault).toMatchObject({ code: 'DISK_FAILED' });
    const before = [...told];
    propose({ ...old, replica }, 'after', told);
    await cluster.clock.run(5_000);
    expect(told.slice(before.length)).toEqual(['after UNAVAILABLE']);
    expect(told).toHaveLength(4);
    const client = await cluster.client('c');
    await cluster.clock.settle(client.raise({ dedupKey: 'x', condition: 'X', priority: 'high' }));
    expect(leading().host).not.toBe(old.host);
    await cluster.start(old.identity.replicaId);
    await cluster.converge();
  },
);

test('a leader whose disk hangs steps aside within a bound, and every caller is told something', async () => {
  await clusterOf(3);
  const old = leading();
  const told: string[] = [];
  old.disk.onWrite = () => {};
  propose(old, 'a', told);
  await cluster.clock.run(100);
  propose(old, 'b', told);
  await cluster.clock.run(DISK_WRITE_TICKS_MAX * TICK_MS + 1_000);
  expect(old.fault).toMatchObject({ code: 'DISK_FAILED' });
  expect(told).toEqual(['a true', 'b UNAVAILABLE']);
  const client = await cluster.client('c');
  await cluster.clock.settle(client.raise({ dedupKey: 'x', condition: 'X', priority: 'high' }));
});

test('what waits for a disk that is too slow is refused when its time is over', async () => {
  await clusterOf(3);
  const machine = leading();
  const told: string[] = [];
  const held: HeldWrite[] = [];
  machine.disk.onWrite = (write) => held.push(write);
  propose(machine, 'a', told);
  await cluster.clock.run(10);
  machine.replica?.propose({
    commands: raiseRecord('b'),
    count: 1,
    urgency: 0,
    takesRoom: true,
    deadline: millis(cluster.clock.monotonic() + 500),
    settle: (outcome) => told.push(`b ${outcome instanceof Error ? outcome.code : 'done'}`),
  });
  await cluster.clock.run(600);
  expect(told).toEqual(['a true', 'b DEADLINE_EXCEEDED']);
  machine.disk.onWrite = undefined;
  for (const write of held) write.complete();
  await cluster.converge();
});

test('a replica can be stopped at any moment, also from within what it tells a caller', async () => {
  await clusterOf(1);
  for (let steps = 0; steps < 12; steps += 1) {
    const machine = leading();
    const { replica } = machine;
    const told: string[] = [];
    propose(machine, `k${steps}`, told);
    replica?.read('linearizable', (outcome) => {
      const error = TocsinError.is(outcome) ? outcome : undefined;
      told.push(`read ${error?.code ?? 'ok'}`);
      if (steps % 2 === 1) replica.stop();
    });
    await cluster.clock.run(steps / 4);
    cluster.crash(1, steps % 3 === 0 ? 'kept' : 'lost');
    expect(told).toHaveLength(2);
    replica?.stop();
    expect(replica?.handOver()).toBe(false);
    replica?.start();
    await cluster.clock.run(100);
    expect(told).toHaveLength(2);
    await cluster.start(1);
    await cluster.converge();
  }
});

test('who hands over chooses a peer that can hear it', async () => {
  await clusterOf(3);
  const old = leading();
  const [first, second] = cluster.machines.filter((machine) => machine !== old);
  const down: ReplicaId | undefined = first?.identity.replicaId;
  cluster.crash(down ?? 0, 'kept');
  await cluster.clock.run(200);
  expect(old.replica?.handOver()).toBe(true);
  await cluster.clock.run(300);
  expect(leading().host).toBe(second?.host);
});

test('reads without end are refused beyond a bound, and those that were taken are answered', async () => {
  await clusterOf(1);
  const told = new Map<string, number>();
  for (let n = 0; n < 70_000; n += 1)
    leading().replica?.read('linearizable', (outcome) => {
      const error = TocsinError.is(outcome) ? outcome : undefined;
      const word = error?.code ?? 'ok';
      told.set(word, (told.get(word) ?? 0) + 1);
    });
  await cluster.clock.run(10);
  expect(Object.fromEntries(told)).toEqual({ OVERLOADED: 70_000 - 65_536, ok: 65_536 });
});
