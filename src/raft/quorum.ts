import { assert } from '../base/assert.ts';
import type { ReplicaId } from '../base/ids.ts';
import { type Configuration, isJoint } from './configuration.ts';

export type VoteResult = 'won' | 'lost' | 'pending';

/** How many of `size` voters make a majority. */
export const majorityOf = (size: number): number => Math.floor(size / 2) + 1;

/** The outcome of a ballot: `votes` holds what each voter said so far. */
export function voteResult<Id>(voters: readonly Id[], votes: ReadonlyMap<Id, boolean>): VoteResult {
  const needed = majorityOf(voters.length);
  let yes = 0;
  let no = 0;
  for (const voter of voters) {
    const vote = votes.get(voter);
    if (vote === true) yes += 1;
    if (vote === false) no += 1;
  }
  if (yes >= needed) return 'won';
  return voters.length - no < needed ? 'lost' : 'pending';
}

/** The highest value that a majority has reached. Asked with each acknowledgement: takes no memory. */
export function quorumValue<Id>(voters: readonly Id[], reached: (voter: Id) => number): number {
  assert(voters.length > 0, 'a quorum of nobody');
  const needed = majorityOf(voters.length);
  let best = Number.NEGATIVE_INFINITY;
  for (const voter of voters) {
    const value = reached(voter);
    if (value <= best) continue;
    let holders = 0;
    for (const other of voters) if (reached(other) >= value) holders += 1;
    if (holders >= needed) best = value;
  }
  return best;
}

/** The outcome under a configuration: while it is joint, both halves must agree (§6). */
export function ballotOf(c: Configuration, votes: ReadonlyMap<ReplicaId, boolean>): VoteResult {
  const incoming = voteResult(c.voters, votes);
  if (!isJoint(c) || incoming === 'lost') return incoming;
  const outgoing = voteResult(c.outgoing, votes);
  return outgoing === 'won' ? incoming : outgoing;
}

/** The highest value that a quorum of the configuration has reached. */
export function reachedBy(c: Configuration, reached: (voter: ReplicaId) => number): number {
  const incoming = quorumValue(c.voters, reached);
  return isJoint(c) ? Math.min(incoming, quorumValue(c.outgoing, reached)) : incoming;
}
