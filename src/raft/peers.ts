import { must } from '../base/assert.ts';
import { type LogIndex, logIndex, type ReplicaId } from '../base/ids.ts';
import { LAG_ROUNDS_MAX, PROMOTION_ROUNDS } from '../base/limits.ts';
import { membersOf } from './configuration.ts';
import { Progress, Window } from './progress.ts';
import { configurationNow, type Leader, type State } from './state.ts';

/** What the leader knows of one member. */
export interface PeerView {
  readonly id: ReplicaId;
  /** Up to here it is known to hold the log, durably. */
  readonly match: LogIndex;
  readonly state: Progress['state'];
  /** Heard within the last election time-out. */
  readonly alive: boolean;
  /** Has kept up for a while: fit to vote, or to lead. */
  readonly caughtUp: boolean;
  /** Says that it would not take the lead. */
  readonly declines: boolean;
}

/** In order of id, without this replica; undefined if it does not lead. */
export function peersOf(s: State): readonly PeerView[] | undefined {
  const leader = s.role;
  if (leader.role !== 'leader') return undefined;
  return membersOf(configurationNow(s)).flatMap((id) => {
    const progress = leader.progress.get(id);
    if (progress === undefined || id === s.id) return [];
    const { match, state, declines } = progress;
    const alive = isAlive(s, leader, id);
    return [{ id, match, state, alive, caughtUp: isCaughtUp(leader, id), declines }];
  });
}

/** Heard within the last election time-out. */
export const isAlive = (s: State, leader: Leader, id: ReplicaId): boolean =>
  id === s.id ||
  (leader.progress.get(id)?.heardAt ?? Number.NEGATIVE_INFINITY) >
    leader.ticks - s.options.electionTicksMin;

/**
 * Heard, and holds all that the log held LAG_ROUNDS_MAX heartbeats ago: whoever answers heartbeats and has a disk that takes nothing
 * does not, from the first entry on that it lacks. Of a new leader, whoever has acknowledged nothing of its reign does not.
 */
export const keepsUp = (s: State, leader: Leader, id: ReplicaId): boolean =>
  isAlive(s, leader, id) && matchOf(leader, id) >= must(leader.ends[0], 'no end of the log');

/** Why a member does not keep up, for people; undefined = it does. */
export function hindranceOf(s: State, leader: Leader, id: ReplicaId): string | undefined {
  if (keepsUp(s, leader, id)) return undefined;
  const match = matchOf(leader, id);
  if (match === 0 && leader.ticks < s.options.electionTicksMin)
    return `replica ${id} has told this leader nothing yet, which has just begun: try again`;
  if (!isAlive(s, leader, id)) return `replica ${id} is not heard`;
  return `replica ${id} answers, and has acknowledged entries up to ${match} of ${s.log.last.index}: it is catching up, or its disk takes nothing`;
}

const matchOf = (leader: Leader, id: ReplicaId): number => leader.progress.get(id)?.match ?? 0;

/** Where the log ended at the newest heartbeats, as far back as is asked: a leader begins with its first entry. */
export const endsFrom = (first: LogIndex): LogIndex[] =>
  Array.from({ length: LAG_ROUNDS_MAX + 1 }, () => first);

/** It rests or abstains: an order to campaign would be lost on it. */
export const declines = (leader: Leader, id: ReplicaId): boolean =>
  leader.progress.get(id)?.declines ?? false;

export const isCaughtUp = (leader: Leader, id: ReplicaId): boolean =>
  (leader.progress.get(id)?.roundsNear ?? 0) >= PROMOTION_ROUNDS;

/** What a leader begins with to know of a member. */
export function newProgress(s: State, next: number): Progress {
  const { inflightAppendsMax, inflightBytesMax } = s.options;
  return new Progress(logIndex(next), new Window(inflightAppendsMax, inflightBytesMax));
}
