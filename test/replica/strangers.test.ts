import { expect, test } from 'vitest';
import { logIndex, type ReplicaId, replicaId, term, unixMillis } from '../../src/base/ids.ts';
import { STRANGERS_MAX } from '../../src/base/limits.ts';
import type { Message, Ready } from '../../src/raft/types.ts';
import { Members } from '../../src/replica/peers/members.ts';
import { Strangers } from '../../src/replica/peers/strangers.ts';
import type { SnapshotMeta } from '../../src/storage/types.ts';
import type { Channel } from '../../src/transport/types.ts';
import { FrameType } from '../../src/wire/frame.ts';
import type { Hello } from '../../src/wire/handshake.ts';
import { EntryRecord, entryOf } from '../../src/wire/log/record.ts';

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
  /** Terms and chains of its log, by place; of these the first two are committed. */
  readonly log: readonly (readonly [term: number, chain: number])[] = [
    [0, 7],
    [1, 71],
    [1, 72],
    [1, 73],
  ];
  readonly strangers = new Strangers(this.members, () => ({
    heard: this.leader as ReplicaId | undefined,
    committed: 2,
    termAt: (index) => this.log[index]?.[0],
    sealer: { chainAt: (index) => this.log[index]?.[1] },
  }));

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
  joined: true,
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
  ['who founded a cluster', 4, undefined, { joined: undefined }, 'WRONG_REPLICA'],
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

test('a stranger that was let in is heard only while nobody else leads', () => {
  const sleeper = new Sleeper();
  sleeper.meet(4);
  const hears = [undefined, 4, 2].map((leader) => {
    sleeper.leader = leader;
    return sleeper.strangers.takes(replicaId(4), FrameType.HEARTBEAT);
  });
  expect(hears).toEqual([true, true, false]);
});

/** Entries from a place on, of these terms, whose chain goes on from `chain`. */
function append(from: number, prev: number, chain: number, ...terms: number[]): Message {
  let before = chain;
  const entries = terms.map((each, at) => {
    const record = EntryRecord.draft('noop', unixMillis(1), 0, []);
    record.seal({ index: logIndex(prev + 1 + at), term: term(each) }, before);
    before = record.chain;
    return entryOf(record);
  });
  return {
    type: 'append-request',
    ...{ from: replicaId(from), to: replicaId(1), term: term(9), commit: logIndex(0) },
    ...{ prev: { index: logIndex(prev), term: term(1) }, entries },
  };
}

test.each<[string, Message, boolean]>([
  ['what goes on where this log ends', append(4, 3, 73, 2), true],
  ['what takes the place of the newest entry', append(4, 2, 72, 2), true],
  ['what is far ahead', append(4, 9, 1, 2), true],
  ['another log of the same terms', append(4, 3, 5, 2), false],
  ['an entry of another log', append(4, 2, 72, 1), false],
  ['the same of a member', append(2, 3, 5, 2), true],
])('a stranger has to go when its log turns out to be another: %s', (_what, message, fits) => {
  const sleeper = new Sleeper();
  const [control, log] = [sleeper.meet(4), sleeper.meet(4, { lane: 'log' })];
  expect(sleeper.strangers.fits(message)).toBe(fits);
  const said = message.from === 4 && !fits ? 'WRONG_CLUSTER' : undefined;
  expect([control.closed, log.closed]).toEqual([said, said]);
  expect(sleeper.judge(4)).toBe(said ?? 'welcome');
  // Formatted anew it is another one; and the memory of these is bounded.
  expect(sleeper.judge(4, { incarnation: 5 })).toBe(said ? 'welcome' : 'WRONG_INCARNATION');
});

test('replicas of another log are remembered, as many as strangers are heard', () => {
  const sleeper = new Sleeper();
  for (let n = 0; n <= STRANGERS_MAX; n += 1) {
    sleeper.meet(10 + n);
    sleeper.strangers.fits(append(10 + n, 3, 5, 2));
  }
  expect([10, 11, 10 + STRANGERS_MAX].map((id) => sleeper.judge(id))).toEqual([
    'welcome',
    'WRONG_CLUSTER',
    'WRONG_CLUSTER',
  ]);
});

test('what a stranger offers makes nothing here committed', () => {
  const sleeper = new Sleeper();
  const offers = [2, 3, 9].map((index): Message => {
    const envelope = { from: replicaId(4), to: replicaId(1), term: term(2) };
    return { type: 'snapshot-offer', ...envelope, last: { index: logIndex(index), term: term(1) } };
  });
  expect(offers.map((offer) => sleeper.strangers.fits(offer))).toEqual([true, false, true]);
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
