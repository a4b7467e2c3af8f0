import { expect, test } from 'vitest';
import { logIndex, type ReplicaId, replicaId, term } from '../../src/base/ids.ts';
import { STRANGERS_MAX } from '../../src/base/limits.ts';
import type { Message, Ready } from '../../src/raft/types.ts';
import { Members } from '../../src/replica/peers/members.ts';
import { Strangers } from '../../src/replica/peers/strangers.ts';
import type { SnapshotMeta } from '../../src/storage/types.ts';
import type { Channel } from '../../src/transport/types.ts';
import { FrameType } from '../../src/wire/frame.ts';
import type { Hello } from '../../src/wire/handshake.ts';

const CLUSTER = 'c0ffee00c0ffee00c0ffee00c0ffee00';

/** Replica 1 of three, that knows of no others; its log says later who else there is. */
class Sleeper {
  leader: number | undefined;
  readonly members = new Members(
    {
      clusterId: CLUSTER,
      replicaId: replicaId(1),
      incarnation: 11,
      members: [1, 2, 3].map((id) => ({ id: replicaId(id), address: `/memory/${id}` })),
    },
    { snapshot: undefined, configurations: [] },
  );
  readonly strangers = new Strangers(this.members, () => this.leader as ReplicaId | undefined);

  judge(id: number, other: Partial<Hello> = {}): string {
    try {
      this.members.judge(helloOf(id, other), this.strangers);
      return 'welcome';
    } catch (error) {
      return (error as { code: string }).code;
    }
  }

  meet(id: number, other: Partial<Hello> = {}): Peer {
    const peer = peerOf(helloOf(id, other), (channel) => this.strangers.left(channel));
    this.strangers.met(peer.channel);
    return peer;
  }

  /** A snapshot takes the place of the log, and says who takes part. */
  learn(...ids: number[]): void {
    const members = ids.map((id) => ({
      id: replicaId(id),
      address: `/memory/${id}`,
      incarnation: id * 11,
      roles: ['voter'] as const,
      priority: 0,
    }));
    const ready = { snapshot: { keepsLog: false }, append: [] } as unknown as Ready;
    this.members.note(ready, { index: logIndex(9), members } as unknown as SnapshotMeta);
    this.strangers.look();
  }
}

interface Peer {
  readonly channel: Channel;
  readonly sent: FrameType[];
  closed: string | undefined;
}

function peerOf(remote: Hello, left: (channel: Channel) => void): Peer {
  const peer = { sent: [] as FrameType[], closed: undefined as string | undefined };
  const channel = {
    remote,
    send: (type: FrameType) => peer.sent.push(type) > 0,
    close: (reason?: Error) => {
      peer.closed = reason !== undefined && 'code' in reason ? String(reason.code) : 'closed';
      left(channel);
    },
  } as unknown as Channel;
  return Object.assign(peer, { channel });
}

const helloOf = (id: number, other: Partial<Hello>): Hello => ({
  role: 'peer',
  lane: 'control',
  clusterId: CLUSTER,
  replicaId: replicaId(id),
  incarnation: id * 11,
  agent: 'test',
  ...other,
});

test.each<[string, number, number | undefined, Partial<Hello>, string]>([
  ['who may lead, where no leader is heard', 4, undefined, {}, 'welcome'],
  ['its connection for the log', 4, undefined, { lane: 'log' }, 'welcome'],
  ['the one that leads', 4, 4, { lane: 'log' }, 'welcome'],
  ['where another one leads', 4, 2, {}, 'WRONG_REPLICA'],
  ['where this one leads', 4, 1, {}, 'WRONG_REPLICA'],
  ['who wants something large', 4, undefined, { lane: 'bulk' }, 'WRONG_REPLICA'],
  ['who was formatted as a member, and is none', 3, undefined, {}, 'WRONG_REPLICA'],
  ['another cluster', 4, undefined, { clusterId: 'ab'.repeat(16) }, 'WRONG_CLUSTER'],
  ['a member, as before', 2, 2, {}, 'welcome'],
  [
    'another disk under the number of a member',
    2,
    undefined,
    { incarnation: 5 },
    'WRONG_INCARNATION',
  ],
])('a stranger is let in to lead, and for nothing else: %s', (_who, id, leader, hello, said) => {
  const sleeper = new Sleeper();
  sleeper.learn(1, 2);
  sleeper.leader = leader;
  expect(sleeper.judge(id, hello)).toBe(said);
});

test('two of one number are not two of a kind', () => {
  const sleeper = new Sleeper();
  const first = sleeper.meet(4);
  expect(sleeper.judge(4, { lane: 'log' })).toBe('welcome');
  expect(sleeper.judge(4, { incarnation: 5 })).toBe('WRONG_INCARNATION');
  first.channel.close();
  expect(sleeper.judge(4, { incarnation: 5 })).toBe('welcome');
});

test('of a stranger only what a leader or a candidate asks is looked at, and only that is answered', () => {
  const sleeper = new Sleeper();
  const peer = sleeper.meet(4);
  const types = Object.values(FrameType) as FrameType[];
  const { APPEND_REQUEST, HEARTBEAT, SNAPSHOT_OFFER, VOTE_REQUEST } = FrameType;
  const questions = [VOTE_REQUEST, APPEND_REQUEST, HEARTBEAT, SNAPSHOT_OFFER];
  expect(types.filter((type) => sleeper.strangers.takes(replicaId(4), type))).toEqual(questions);
  expect(types.filter((type) => sleeper.strangers.takes(replicaId(2), type))).toEqual(types);
  const envelope = { from: replicaId(1), to: replicaId(4), term: term(2) };
  const said: readonly Message[] = [
    { type: 'vote-reply', ...envelope, pre: true, granted: true },
    { type: 'timeout-now', ...envelope, last: { index: logIndex(1), term: term(1) } },
    { type: 'vote-reply', ...envelope, to: replicaId(5), pre: true, granted: true },
  ];
  for (const message of said) sleeper.strangers.answer(message);
  expect(peer.sent).toEqual([FrameType.VOTE_REPLY]);
  peer.channel.close();
  for (const message of said) sleeper.strangers.answer(message);
  expect(peer.sent).toHaveLength(1);
});

test('once the log says who takes part, a stranger is a member like any other, or has to go', () => {
  const sleeper = new Sleeper();
  const [known, twin, later] = [
    sleeper.meet(4),
    sleeper.meet(5, { incarnation: 6 }),
    sleeper.meet(6),
  ];
  sleeper.learn(1, 2, 4, 5);
  expect([known.closed, twin.closed, later.closed]).toEqual([
    undefined,
    'WRONG_REPLICA',
    undefined,
  ]);
  expect(sleeper.strangers.takes(replicaId(4), FrameType.APPEND_REPLY)).toBe(true);
  // What is sent to a member has its own way.
  sleeper.strangers.answer({
    type: 'vote-reply',
    ...{ from: replicaId(1), to: replicaId(4), term: term(2), pre: true, granted: true },
  });
  expect(known.sent).toEqual([]);
  expect(sleeper.judge(5, { incarnation: 6 })).toBe('WRONG_INCARNATION');
});

test('strangers are few: who came first goes, unless it leads', () => {
  const sleeper = new Sleeper();
  const leading = sleeper.meet(10);
  sleeper.leader = 10;
  const others: Peer[] = [];
  for (let n = 1; n < STRANGERS_MAX * 2; n += 1) others.push(sleeper.meet(10 + n));
  expect(others.every(({ closed }) => closed === undefined)).toBe(true);
  sleeper.meet(100);
  expect(leading.closed).toBeUndefined();
  expect(others[0]?.closed).toBe('OVERLOADED');
  expect(others.filter(({ closed }) => closed !== undefined)).toHaveLength(1);
  // One that comes anew takes its own place.
  sleeper.meet(100);
  expect(others.filter(({ closed }) => closed !== undefined)).toHaveLength(1);
});
