import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { type ReplicaId, replicaId } from '../../src/base/ids.ts';
import { DISK_FREE_BYTES_LOW, DISK_FREE_BYTES_OUT, DISK_LOOK_MS } from '../../src/base/limits.ts';
import type { ChangeReport, MemberChange } from '../../src/wire/clients/admin-messages.ts';
import { addOf, stageOf } from './stage.ts';
import type { VirtualCluster } from './virtual-cluster.ts';

const rolesOf = ({ members }: ChangeReport): string[] =>
  members.map(({ id, roles }) => `${id} ${roles.join('+')}`);

test.each([
  ['the log alone', false],
  ['a snapshot', true],
])(
  'a new member is brought up by %s, votes when it has caught up, and holds the same',
  async (_by, snapshots) => {
    const stage = await stageOf(3, 1, snapshots);
    const { cluster, raise } = stage;
    try {
      await raise('before', 200);
      const id = await stage.grow();
      await raise('after', 20);
      await cluster.converge();
      expect(new Set(cluster.machines.map(({ replica }) => replica?.status().digest)).size).toBe(1);
      expect(cluster.leader.status().members).toHaveLength(4);
      // It counts: with two of four away nothing can be decided, with one of four everything.
      cluster.crash(id === 4 ? 1 : 4, 'lost');
      await cluster.clock.run(3_000);
      await raise('fewer', 5);
    } finally {
      await cluster.close();
    }
  },
);

test('members and their votes outlive a restart of all, and snapshots of the log that made them', async () => {
  const stage = await stageOf(3, 2, true);
  const { cluster, raise } = stage;
  try {
    await stage.grow();
    await raise('k', 150);
    await cluster.converge();
    await cluster.clock.run(1_000);
    for (const id of [1, 2, 3, 4]) cluster.crash(id, 'lost');
    for (const id of [1, 2, 3, 4]) await cluster.start(id);
    await cluster.converge();
    expect(cluster.leader.status().members.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    await raise('more', 10);
  } finally {
    await cluster.close();
  }
});

test('a dry run changes nothing and says what the quorum would be', async () => {
  const { cluster, change } = await stageOf(3, 3);
  try {
    const gone = cluster.leader.standing.leader === 3 ? 2 : 3;
    const report = await change({ op: 'remove', id: replicaId(gone) }, true);
    expect(report).toMatchObject({
      outcome: 'planned',
      before: { voters: 3, needed: 2, alive: 3 },
      after: { voters: 2, needed: 2, alive: 2 },
    });
    expect(cluster.leader.status().members).toHaveLength(3);
  } finally {
    await cluster.close();
  }
});

test('what is not safe is refused with a reason: a stranger, a twin, an empty chair, the last voter', async () => {
  const { cluster, change } = await stageOf(3, 4);
  try {
    const id = cluster.join();
    const add = addOf(cluster, id);
    await expect(change({ op: 'promote', id })).rejects.toMatchObject({ code: 'CHANGE_REFUSED' });
    await expect(change({ ...add, id: replicaId(2) } as MemberChange)).rejects.toMatchObject({
      code: 'CHANGE_REFUSED',
    });
    await expect(change({ ...add, address: '/memory/1' } as MemberChange)).rejects.toMatchObject({
      code: 'CHANGE_REFUSED',
    });
    expect(await change(add)).toMatchObject({ outcome: 'done' });
    expect(await change(add)).toMatchObject({ outcome: 'unchanged' });
    // It was never started, so it has not caught up.
    expect(await change({ op: 'promote', id })).toMatchObject({ outcome: 'refused' });
    expect(rolesOf(await change({ op: 'remove', id }))).toEqual(['1 voter', '2 voter', '3 voter']);
    expect(await change({ op: 'remove', id })).toMatchObject({ outcome: 'unchanged' });
  } finally {
    await cluster.close();
  }
});

test('a change that could not be committed now is refused before it is begun', async () => {
  const { cluster, change } = await stageOf(3, 5);
  try {
    const leader = must(cluster.leader.standing.leader, 'a leader');
    const [away, other] = [1, 2, 3].filter((id) => id !== leader).map(replicaId);
    cluster.crash(must(away, 'one'), 'lost');
    await cluster.clock.run(2_000);
    const report = await change({ op: 'remove', id: must(other, 'another') });
    expect(report).toMatchObject({ outcome: 'refused', after: { voters: 2, needed: 2, alive: 1 } });
  } finally {
    await cluster.close();
  }
});

const fill = (cluster: VirtualCluster, id: number, freeBytes: number): Promise<void> => {
  must(cluster.machines[id - 1], 'a machine').disk.freeBytes = freeBytes;
  return cluster.clock.run(2 * DISK_LOOK_MS);
};
const FULL = DISK_FREE_BYTES_OUT - 1;
const EMPTY = 4 * DISK_FREE_BYTES_LOW;

/** Who leads, another one, and a third whose disk gets full. */
const castOf = (cluster: VirtualCluster): readonly [ReplicaId, ReplicaId, ReplicaId] => {
  const leader = must(cluster.leader.standing.leader, 'a leader');
  const [good, full] = [1, 2, 3].filter((id) => id !== leader).map(replicaId);
  return [leader, must(good, 'a second'), must(full, 'a third')];
};

test.each([
  ['took nothing of what was written', 5],
  ['will take nothing', 0],
])(
  'a removal that leaves the quorum to a voter that answers, and %s, is refused, says who that is, and is done once there is room',
  async (_, count) => {
    const { cluster, change, raise } = await stageOf(3, 12);
    try {
      const [, good, full] = castOf(cluster);
      await fill(cluster, full, FULL);
      await raise('meanwhile', count);
      await cluster.clock.run(1_000);
      const report = await change({ op: 'remove', id: good });
      expect(report).toMatchObject({ outcome: 'refused' });
      expect(report.says).toContain(`replica ${full}`);
      expect(report.says).not.toContain(`replica ${good}`);
      await raise('goes on', 5);
      await fill(cluster, full, EMPTY);
      await cluster.converge();
      expect(await change({ op: 'remove', id: good })).toMatchObject({ outcome: 'done' });
      await raise('after', 5);
    } finally {
      await cluster.close();
    }
  },
);

test.each([
  ['took nothing of what was written', 5],
  ['will take nothing', 0],
])(
  'a learner that answers, and %s, is given no vote that is needed, and has it once there is room',
  async (_, count) => {
    const { cluster, change, raise } = await stageOf(1, 13);
    try {
      const id = cluster.join();
      await cluster.start(id);
      await change(addOf(cluster, id));
      await cluster.clock.run(2_000);
      await fill(cluster, id, FULL);
      await raise('meanwhile', count);
      await cluster.clock.run(1_000);
      const report = await change({ op: 'promote', id });
      expect(report).toMatchObject({ outcome: 'refused' });
      expect(report.says).toContain(`replica ${id}`);
      await raise('goes on', 5);
      await fill(cluster, id, EMPTY);
      await cluster.converge();
      expect(await change({ op: 'promote', id })).toMatchObject({ outcome: 'done' });
      await raise('after', 5);
    } finally {
      await cluster.close();
    }
  },
);

test('a voter that takes no entries can be removed, for the others can do without it', async () => {
  const { cluster, change, raise } = await stageOf(3, 14);
  try {
    const [, , full] = castOf(cluster);
    await fill(cluster, full, FULL);
    await raise('meanwhile', 5);
    await cluster.clock.run(1_000);
    const counts = { before: { alive: 2 }, after: { voters: 2, needed: 2, alive: 2 } };
    expect(await change({ op: 'remove', id: full }, true)).toMatchObject(counts);
    expect(await change({ op: 'remove', id: full })).toMatchObject({ outcome: 'done' });
    await raise('after', 5);
  } finally {
    await cluster.close();
  }
});

test('a change during which a member goes down that it needs ends by itself once that is back', async () => {
  const { cluster, client, change, raise } = await stageOf(3, 15);
  try {
    const [, good, other] = castOf(cluster);
    await raise('before', 5);
    cluster.crash(other, 'kept');
    const begun = client.operator.change({ op: 'remove', id: good }, { dryRun: false });
    await expect(cluster.clock.settle(begun)).rejects.toThrow();
    await cluster.start(other);
    await cluster.clock.run(5_000);
    expect(await change({ op: 'remove', id: good })).toMatchObject({ outcome: 'unchanged' });
    await raise('after', 5);
  } finally {
    await cluster.close();
  }
});

test('a change during which the disk of a member hangs that it needs says whom it waits for, and ends by itself once the disk goes on', async () => {
  const { cluster, client, change, raise } = await stageOf(3, 16);
  try {
    const [, good, other] = castOf(cluster);
    await raise('before', 5);
    const { disk } = must(cluster.machines[other - 1], 'a machine');
    const onWrite = must(disk.onWrite, 'a disk that takes its time');
    const held: Parameters<typeof onWrite>[0][] = [];
    disk.onWrite = (write) => void held.push(write);
    const begun = client.operator.change({ op: 'remove', id: good }, { dryRun: false });
    await expect(cluster.clock.settle(begun)).rejects.toThrow();
    const asked = await change({ op: 'remove', id: good });
    expect(asked).toMatchObject({ outcome: 'refused' });
    expect(asked.says).toMatch(`a change is under way; replica ${other} answers, and has`);
    disk.onWrite = onWrite;
    for (const write of held) onWrite(write);
    await cluster.clock.run(2_000);
    expect(await change({ op: 'remove', id: good })).toMatchObject({ outcome: 'unchanged' });
    await raise('after', 5);
  } finally {
    await cluster.close();
  }
});

test('a removed leader hands over, and the removed replica disturbs nobody', async () => {
  const { cluster, change, raise } = await stageOf(3, 6);
  try {
    const old = must(cluster.leader.standing.leader, 'a leader');
    expect(await change({ op: 'remove', id: old })).toMatchObject({ outcome: 'done' });
    await cluster.clock.run(5_000);
    const left = cluster.machines.filter(({ identity }) => identity.replicaId !== old);
    const before = left.map(({ replica }) => replica?.standing);
    expect(before[0]?.leader).not.toBe(old);
    await cluster.clock.run(10_000);
    expect(left.map(({ replica }) => replica?.standing)).toEqual(before);
    await raise('after', 5);
    expect(left[0]?.replica?.status().members).toHaveLength(2);
  } finally {
    await cluster.close();
  }
});

test('a wiped disk under an old id is not let in, and a new id is', async () => {
  const stage = await stageOf(3, 7);
  const { cluster, raise } = stage;
  try {
    const id = await stage.grow();
    await raise('k', 10);
    cluster.crash(id, 'lost');
    cluster.wipe(id);
    await cluster.start(id);
    await raise('more', 10);
    await cluster.clock.run(5_000);
    expect(cluster.machines[id - 1]?.replica?.status()).toMatchObject({ applied: 0, commit: 0 });
    expect(await stage.change({ op: 'remove', id })).toMatchObject({ outcome: 'done' });
    await stage.grow();
    cluster.crash(id, 'lost');
    await raise('after', 10);
  } finally {
    await cluster.close();
  }
});

test('a first member whose disk was wiped and formatted again under its number is not let in, and cannot make up a majority', async () => {
  const { cluster, client, raise } = await stageOf(3, 9);
  try {
    await raise('k', 10);
    await cluster.converge();
    const [wiped, other, survivor] = [1, 2, 3] as const;
    for (const id of [wiped, other, survivor]) cluster.crash(id, 'lost');
    cluster.wipe(wiped);
    // Who it was is known from the log alone.
    for (const id of [wiped, other, survivor]) await cluster.start(id);
    await cluster.clock.run(5_000);
    await raise('more', 10);
    expect(cluster.machines[wiped - 1]?.replica?.status()).toMatchObject({ applied: 0, commit: 0 });
    cluster.crash(other, 'lost');
    const asked = client.raise({ dedupKey: 'alone', condition: 'HR:HI', priority: 'high' });
    await expect(cluster.clock.settle(asked)).rejects.toThrow();
    await cluster.clock.run(10_000);
    const { replica } = must(cluster.machines[survivor - 1], 'a machine');
    expect(replica?.standing.role).not.toBe('leader');
    expect(replica?.machine.get({ dedupKey: 'alone' })).toBeUndefined();
  } finally {
    await cluster.close();
  }
});

test('a replica that is drained hands over, and leads again only once it is told so, or when nobody else can', async () => {
  const { cluster, client, raise } = await stageOf(3, 10);
  try {
    const id = must(cluster.leader.standing.leader, 'a leader');
    const drained = cluster.leader;
    const drain = (undo: boolean): Promise<void> =>
      cluster.clock.settle(client.operator.drain(`/memory/${id}`, { undo }));
    await drain(false);
    await cluster.clock.run(500);
    expect(cluster.leader.standing.leader).not.toBe(id);
    expect(drained.status().alarms).toMatchObject([{ name: 'drained' }]);
    await cluster.clock.settle(client.operator.transfer(id));
    for (const other of [1, 2, 3]) {
      if (other === id) continue;
      cluster.crash(other, 'lost');
      await cluster.clock.run(2_000);
      expect(drained.standing.role, 'another one can').not.toBe('leader');
      await cluster.start(other);
      await cluster.converge();
    }
    await raise('k', 3);
    await drain(true);
    expect(drained.status().alarms).toEqual([]);
    await cluster.clock.settle(client.operator.transfer(id));
    await cluster.clock.run(500);
    expect(drained.standing.role).toBe('leader');
  } finally {
    await cluster.close();
  }
});

test('a leader that nobody could take over from is not drained', async () => {
  const { cluster, client } = await stageOf(1, 11);
  try {
    const asked = client.operator.drain('/memory/1');
    await expect(cluster.clock.settle(asked)).rejects.toMatchObject({ code: 'CHANGE_REFUSED' });
    expect(cluster.leader.standing.role).toBe('leader');
  } finally {
    await cluster.close();
  }
});

test('an orderly transfer moves the leadership to whom the operator names', async () => {
  const { cluster, client, raise } = await stageOf(3, 8);
  try {
    const to = replicaId(cluster.leader.standing.leader === 3 ? 2 : 3);
    await cluster.clock.settle(client.operator.transfer(to));
    await cluster.clock.run(500);
    expect(cluster.leader.standing.leader).toBe(to);
    await raise('k', 3);
  } finally {
    await cluster.close();
  }
});

test('who joined after the log began is asked for what the log has lost, and who was removed is not', async () => {
  const stage = await stageOf(3, 17);
  const { cluster, change, raise } = stage;
  try {
    await raise('before', 20);
    const joined = await stage.grow();
    await cluster.clock.run(2_000);
    cluster.crash(3, 'lost');
    expect(await change({ op: 'remove', id: replicaId(3) })).toMatchObject({ outcome: 'done' });
    await raise('after', 20);
    for (const id of [1, 2, joined]) cluster.crash(id, 'lost');
    must(cluster.machines[0], 'the first').disk.damage(10, 'rotten');
    // The one that the first began with and still knows is away: only the new one can help.
    await cluster.start(joined);
    await cluster.clock.settle(cluster.start(1));
    await cluster.clock.run(3_000);
    await raise('healed', 5);
  } finally {
    await cluster.close();
  }
});
