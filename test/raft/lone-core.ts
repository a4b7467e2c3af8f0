import { type LogIndex, logIndex, type ReplicaId, replicaId, term } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX, ELECTION_TICKS_MIN } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import type { ConfigurationAt, SnapshotPoint } from '../../src/raft/configuration.ts';
import { RaftCore } from '../../src/raft/core.ts';
import type { RaftOptions } from '../../src/raft/options.ts';
import type { Entry, EntryId, HardState, Message, Ready } from '../../src/raft/types.ts';

/** One core by itself: replica 1 of 3 unless told otherwise, its log given as the terms of its entries. */
export interface LoneInit {
  readonly id?: number;
  readonly voters?: readonly number[];
  readonly term?: number;
  readonly vote?: number;
  readonly log?: readonly number[];
  /** In place of `log`, entries with contents of their own. */
  readonly tail?: readonly Entry[];
  readonly configurations?: readonly ConfigurationAt[];
  readonly snapshot?: SnapshotPoint;
  readonly commit?: number;
  readonly seed?: number;
  readonly abstain?: boolean;
  readonly options?: Partial<RaftOptions>;
}

export function loneCore(init: LoneInit = {}): RaftCore {
  const tail = init.tail ?? entries(0, ...(init.log ?? []));
  return new RaftCore({
    id: replicaId(init.id ?? 1),
    voters: (init.voters ?? [1, 2, 3]).map(replicaId),
    prng: new Prng(init.seed ?? 1),
    noop: () => ({ byteLength: 8 }),
    hardState: hardState(init),
    tail,
    terms: tail.flatMap((entry, at) =>
      entry.term === tail[at - 1]?.term ? [] : [{ from: entry.index, term: entry.term }],
    ),
    options: init.options ?? {},
    abstain: init.abstain,
    configurations: init.configurations,
    snapshot: init.snapshot,
    leaveJoint: (configuration) => ({ byteLength: 9, configuration }),
  });
}

function hardState(init: LoneInit): HardState {
  return {
    term: term(init.term ?? init.tail?.at(-1)?.term ?? init.log?.at(-1) ?? 0),
    vote: init.vote === undefined ? undefined : replicaId(init.vote),
    commit: logIndex(init.commit ?? 0),
  };
}

/** Entries after `before`, of these terms. */
export const entries = (before: number, ...terms: readonly number[]): Entry[] =>
  terms.map((entryTerm, at) => ({
    ...id(before + at + 1, entryTerm),
    payload: { byteLength: 10 },
  }));

export const id = (index: number, entryTerm: number): EntryId => ({
  index: logIndex(index),
  term: term(entryTerm),
});

type Body<Type extends Message['type']> = Omit<
  Extract<Message, { type: Type }>,
  'type' | 'from' | 'to' | 'term'
>;

/** A message from one replica to another, of a term. */
export function message<Type extends Message['type']>(
  type: Type,
  way: readonly [from: number, to: number, term: number],
  body: Body<Type>,
): Message {
  const [from, to, messageTerm] = way;
  const envelope = { from: replicaId(from), to: replicaId(to), term: term(messageTerm) };
  return { type, ...envelope, ...body } as unknown as Message;
}

export const vote = (way: readonly [number, number, number], pre: boolean): Message =>
  message('vote-reply', way, { pre, granted: true });

export const ask = (
  way: readonly [number, number, number],
  last: EntryId,
  how: { pre?: boolean; transfer?: boolean } = {},
): Message =>
  message('vote-request', way, { pre: how.pre ?? false, last, transfer: how.transfer ?? false });

export const append = (
  way: readonly [number, number, number],
  prev: EntryId,
  terms: readonly number[],
  commit = 0,
): Message =>
  message('append-request', way, {
    prev,
    entries: entries(prev.index, ...terms),
    commit: logIndex(commit),
  });

/** Of a leader that was told no time. */
export const UNTIMED: { stamp: 0; echo: 0; reached: LogIndex } = {
  stamp: 0,
  echo: 0,
  reached: logIndex(0),
};

export const heartbeat = (way: readonly [number, number, number], commit = 0): Message =>
  message('heartbeat', way, { commit: logIndex(commit), round: 0, ...UNTIMED });

export const heard = (way: readonly [number, number, number], round = 0): Message =>
  message('heartbeat-reply', way, { round, stamp: 0, beat: 0 });

/** The same, of one that would not take the lead. */
export const declined = (way: readonly [number, number, number]): Message =>
  message('heartbeat-reply', way, { round: 0, stamp: 0, beat: 0, declines: true });

export const accepted = (way: readonly [number, number, number], index: number): Message =>
  message('append-reply', way, { accepted: true, index: logIndex(index), hint: id(index, 0) });

export const refused = (
  way: readonly [number, number, number],
  index: number,
  hint: EntryId,
): Message => message('append-reply', way, { accepted: false, index: logIndex(index), hint });

/** Everything the core wants done, its disk being as fast as thought; what it tells itself is stepped back in. */
export function drain(core: RaftCore, own: ReplicaId = replicaId(1)): Ready[] {
  const readies: Ready[] = [];
  for (let ready = core.takeReady(); ready !== undefined; ready = core.takeReady()) {
    readies.push(ready);
    if (readies.length > 1000) throw new Error('the core never comes to rest');
    for (const each of ready.sendAfterSync) if (each.to === own) core.step(each);
  }
  return readies;
}

/** What is addressed to others, in the order in which it may leave. */
export const sent = (readies: readonly Ready[], type?: Message['type']): Message[] =>
  readies
    .flatMap((ready) => [...ready.send, ...ready.sendAfterSync])
    .filter((each) => each.to !== each.from && (type === undefined || each.type === type));

/** Replica 1 as leader of a term after the last of its log, elected by replica 2. */
export function loneLeader(init: LoneInit = {}): RaftCore {
  const core = loneCore(init);
  // With leases a replica that was just started keeps the promise of an earlier life first.
  if (init.options?.leaseMs !== undefined)
    for (let tick = 0; tick < ELECTION_TICKS_MIN; tick += 1) core.tick();
  core.campaign();
  drain(core);
  const voters = (init.voters ?? [1, 2, 3]).filter((voter) => voter !== 1);
  for (const voter of voters) core.step(vote([voter, 1, core.standing.term + 1], true));
  drain(core);
  for (const voter of voters) core.step(vote([voter, 1, core.standing.term], false));
  if (core.standing.role !== 'leader') throw new Error('the election failed');
  return core;
}

/** Ticks until it campaigns. */
export function patience(core: RaftCore): number {
  for (let tick = 1; tick < ELECTION_TICKS_MAX * 4; tick += 1) {
    core.tick();
    if (core.standing.role !== 'follower') return tick;
  }
  throw new Error('it never campaigns');
}
