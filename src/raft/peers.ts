import { type LogIndex, logIndex, type ReplicaId } from '../base/ids.ts';
import { PROMOTION_ROUNDS } from '../base/limits.ts';
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
}

/** In order of id, without this replica; undefined if it does not lead. */
export function peersOf(s: State): readonly PeerView[] | undefined {
  const leader = s.role;
  if (leader.role !== 'leader') return undefined;
  return membersOf(configurationNow(s)).flatMap((id) => {
    const progress = leader.progress.get(id);
    if (progress === undefined || id === s.id) return [];
    const { match, state } = progress;
    const alive = isAlive(s, leader, id);
    return [{ id, match, state, alive, caughtUp: isCaughtUp(leader, id) }];
  });
}

/** Heard within the last election time-out. */
export const isAlive = (s: State, leader: Leader, id: ReplicaId): boolean =>
  id === s.id ||
  (leader.progress.get(id)?.heardAt ?? Number.NEGATIVE_INFINITY) >
    leader.ticks - s.options.electionTicksMin;

export const isCaughtUp = (leader: Leader, id: ReplicaId): boolean =>
  (leader.progress.get(id)?.roundsNear ?? 0) >= PROMOTION_ROUNDS;

/** What a leader begins with to know of a member. */
export function newProgress(s: State, next: number): Progress {
  const { inflightAppendsMax, inflightBytesMax } = s.options;
  return new Progress(logIndex(next), new Window(inflightAppendsMax, inflightBytesMax));
}
