import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { ALERTS_GROUP, type ReplicaId, replicaId } from '../../src/base/ids.ts';
import type { Message } from '../../src/raft/types.ts';
import type { Channel } from '../../src/transport/types.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/peers/peer-messages.ts';
import { onStage, type Stage } from './stage.ts';

/** One sleeps while others come, and those lead when it is back. */

async function lead({ cluster, client }: Stage, id: ReplicaId): Promise<void> {
  await cluster.clock.settle(client.operator.transfer(id));
  await cluster.clock.run(1_000);
  expect(cluster.machines[id - 1]?.replica?.standing.role).toBe('leader');
}

const digestsOf = ({ cluster }: Stage): Set<string | undefined> =>
  new Set(cluster.running.map(({ replica }) => replica?.status().digest));

test.each([
  ['the log alone', false],
  ['a snapshot of a member that it knows', true],
])('who slept while a member was added follows it when it leads, by %s', (_by, snapshots) =>
  onStage(
    3,
    21,
    async (stage) => {
      const { cluster, grow, raise } = stage;
      await raise('before', 20);
      cluster.crash(3, 'lost');
      const added = await grow();
      await lead(stage, added);
      await raise('meanwhile', 200);
      await cluster.start(3);
      await cluster.converge();
      expect(cluster.leader.standing.leader).toBe(added);
      expect(digestsOf(stage).size).toBe(1);
      // By now it knows the way back: what it says counts as before.
      cluster.crash(1, 'lost');
      await raise('after', 10);
    },
    snapshots,
  ),
);

test('the vote of who slept elects the one that it does not know, where nobody else can be', () =>
  onStage(3, 22, async (stage) => {
    const { cluster, client, grow, raise } = stage;
    await raise('before', 5);
    cluster.crash(3, 'lost');
    const added = await grow();
    await lead(stage, added);
    await raise('meanwhile', 5);
    cluster.crash(1, 'lost');
    cluster.crash(2, 'lost');
    // What the new one has written to its own disk alone puts its log ahead of all others.
    const alone = client.raise({ dedupKey: 'alone', condition: 'HR:HI', priority: 'high' });
    await cluster.clock.run(200);
    cluster.crash(added, 'lost');
    await cluster.clock.settle(alone.catch(() => {}));
    for (const id of [2, 3, added]) await cluster.start(id);
    await cluster.clock.run(10_000);
    expect(cluster.machines[added - 1]?.replica?.standing.role).toBe('leader');
    expect(cluster.leader.machine.get({ dedupKey: 'alone' })).toBeDefined();
    await raise('after', 5);
    await cluster.clock.run(2_000);
    expect(digestsOf(stage).size).toBe(1);
  }));

test('who slept until nobody was left that it knows takes part again', () =>
  onStage(3, 23, async (stage) => {
    const { cluster, change, grow, raise } = stage;
    await raise('before', 5);
    cluster.crash(3, 'lost');
    const added = [await grow(), await grow()];
    await lead(stage, must(added[1], 'the second'));
    for (const id of [1, 2]) {
      expect(await change({ op: 'remove', id: replicaId(id) })).toMatchObject({ outcome: 'done' });
      cluster.crash(id, 'lost');
    }
    await raise('meanwhile', 10);
    await cluster.start(3);
    await cluster.clock.run(5_000);
    expect(cluster.machines[2]?.replica?.status().members.map(({ id }) => id)).toEqual([3, 4, 5]);
    cluster.crash(must(added[0], 'the first'), 'lost');
    await raise('after', 5);
    await cluster.clock.run(2_000);
    expect(digestsOf(stage).size).toBe(1);
  }));

test('who was removed while it was down unseats nobody, and is told nothing', () =>
  onStage(3, 24, async (stage) => {
    const { cluster, change, grow, raise } = stage;
    const removed = await grow();
    await raise('before', 5);
    cluster.crash(removed, 'lost');
    expect(await change({ op: 'remove', id: removed })).toMatchObject({ outcome: 'done' });
    await raise('meanwhile', 5);
    await cluster.start(removed);
    await cluster.clock.run(5_000);
    const left = cluster.machines.slice(0, 3);
    const before = left.map(({ replica }) => replica?.standing);
    await cluster.clock.run(10_000);
    expect(left.map(({ replica }) => replica?.standing)).toEqual(before);
    // Without a leader it is heard by nobody either: two of three elect one, with the removed one about.
    const leader = must(cluster.leader.standing.leader, 'a leader');
    cluster.crash(leader, 'lost');
    await raise('after', 5);
    const { replica } = must(cluster.machines[removed - 1], 'the removed one');
    expect(replica?.status().applied).toBeLessThan(cluster.leader.status().applied);
  }));

test('another disk under the number of a member is asked nothing, and its answers count for nothing', () =>
  onStage(3, 25, async ({ cluster, raise }) => {
    await raise('before', 5);
    const leader = must(cluster.leader.standing.leader, 'a leader');
    const [gone, wiped] = [1, 2, 3].filter((id) => id !== leader) as [number, number];
    cluster.crash(gone, 'lost');
    cluster.crash(wiped, 'lost');
    const forged = { met: 0, answered: 0 };
    const { identity } = must(cluster.machines[wiped - 1], 'a machine');
    const { clusterId, replicaId: id } = identity;
    const hello = {
      role: 'peer',
      lane: 'control',
      clusterId,
      replicaId: id,
      incarnation: 99,
      agent: '',
    } as const;
    await cluster.clock.run(1_000);
    const listener = await cluster.network
      .transport(`r${wiped}`)
      .listen(`/memory/${wiped}`, hello, {
        judge: () => {},
        open: (channel) => {
          forged.met += 1;
          acceptAll(channel, forged);
        },
      });
    await cluster.clock.run(5_000);
    expect(forged.met).toBeGreaterThan(0);
    expect(forged.answered).toBe(0);
    expect(cluster.machines[leader - 1]?.replica?.standing).toMatchObject({
      role: 'pre-candidate',
    });
    await cluster.clock.settle(listener.close());
  }));

/** Says yes to whatever it is asked. */
function acceptAll(channel: Channel, forged: { answered: number }): void {
  const say = (message: Message): void => {
    const { type, body } = encodePeerMessage(message);
    channel.send(type, ALERTS_GROUP, 0, body);
    forged.answered += 1;
  };
  channel.onFrame = (type, _group, _id, body) => {
    if (!QUESTIONS.includes(type)) return;
    const m = decodePeerMessage(type, body);
    const envelope = { from: m.to, to: m.from, term: m.term };
    if (m.type === 'heartbeat') {
      const { round, stamp } = m;
      say({ type: 'heartbeat-reply', ...envelope, round, stamp, beat: 0 });
    } else if (m.type === 'append-request') {
      const index = m.entries.at(-1)?.index ?? m.prev.index;
      say({ type: 'append-reply', ...envelope, accepted: true, index, hint: m.prev });
    } else if (m.type === 'vote-request') {
      say({ type: 'vote-reply', ...envelope, pre: m.pre, granted: true });
    }
  };
}

const QUESTIONS: readonly FrameType[] = [
  FrameType.HEARTBEAT,
  FrameType.APPEND_REQUEST,
  FrameType.VOTE_REQUEST,
];
