import type { ReplicaId } from '../base/ids.ts';
import { MEMBERS_MAX } from '../base/limits.ts';
import {
  type Configuration,
  configurationOf,
  isJoint,
  isVoterOf,
  membersOf,
  sameConfiguration,
  votersOf,
} from './configuration.ts';
import { majorityOf } from './quorum.ts';

/**
 * Changes of who takes part, by joint consensus (§6): first both the old and the new voters decide, together; when that is
 * committed, the new ones alone. Everything here is pure: what would a change do, and can it be done?
 */

/** Who shall take part when the change is done. */
export interface Target {
  readonly voters: readonly ReplicaId[];
  readonly learners: readonly ReplicaId[];
}

/** What is known of the members now. */
export interface Facts {
  /** Why it cannot be counted on to hold an entry soon, for people; undefined = it can. */
  hindrance(id: ReplicaId): string | undefined;
  /** Has kept up with the log for a while, so that its vote would not hold anything up. */
  caughtUp(id: ReplicaId): boolean;
}

/** One set of voters: how many it needs to decide, and how many can be counted on. */
export interface Tally {
  readonly voters: number;
  readonly needed: number;
  readonly alive: number;
}

export type ChangeRefusal =
  | 'change-pending'
  | 'nothing-changes'
  | 'no-voters'
  | 'too-many'
  | 'not-a-learner'
  | 'not-caught-up'
  | 'no-quorum';

/** What a change does to the quorum, and the entry that begins it; or why it is refused. */
export type Plan = { readonly before: Tally; readonly after: Tally } & (
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly reason: ChangeRefusal; readonly says: string }
);

/** Works out a change. Refuses what is not safe, and what could not be committed as things are. */
export function planChange(current: Configuration, target: Target, facts: Facts): Plan {
  const wanted = configurationOf(target.voters, target.learners);
  const before = tallyOf(current.voters, facts);
  const after = tallyOf(wanted.voters, facts);
  const flaw = findRefusal(current, wanted, facts) ?? findStandstill(current, wanted, facts);
  if (flaw !== undefined) return { ok: false, ...flaw, before, after };
  return { ok: true, configuration: enterChange(current, wanted), before, after };
}

/** The configuration that begins a change: joint, unless the voters stay the same. */
export function enterChange(current: Configuration, wanted: Configuration): Configuration {
  const { voters, learners } = wanted;
  if (String(voters) === String(current.voters)) return wanted;
  return {
    voters,
    outgoing: current.voters,
    learners: learners.filter((id) => !isVoterOf(current, id)),
    learnersNext: learners.filter((id) => isVoterOf(current, id)),
  };
}

/** The configuration that ends a change. */
export const leaveChange = (joint: Configuration): Configuration =>
  configurationOf(joint.voters, [...joint.learners, ...joint.learnersNext]);

/** Where a configuration leads to when the change it belongs to is done. */
export const targetOf = (c: Configuration): Target => ({
  voters: c.voters,
  learners: [...c.learners, ...c.learnersNext],
});

interface Flaw {
  readonly reason: ChangeRefusal;
  readonly says: string;
}

function findRefusal(
  current: Configuration,
  wanted: Configuration,
  facts: Facts,
): Flaw | undefined {
  const { voters, learners } = wanted;
  if (isJoint(current)) {
    // Whom it waits for, if it does not end by itself.
    const says = ['a change is under way', ...hindrancesOf(votersOf(current), facts)].join('; ');
    return { reason: 'change-pending', says };
  }
  if (voters.length === 0) return { reason: 'no-voters', says: 'nobody would be left to vote' };
  const clash = learners.find((id) => voters.includes(id));
  if (clash !== undefined)
    return { reason: 'nothing-changes', says: `${clash} cannot be voter and learner` };
  if (sameConfiguration(current, wanted))
    return { reason: 'nothing-changes', says: 'that is how it is' };
  const count = membersOf(enterChange(current, wanted)).length;
  if (count > MEMBERS_MAX)
    return { reason: 'too-many', says: `${count} members, at most ${MEMBERS_MAX}` };
  const fresh = voters.filter((id) => !isVoterOf(current, id));
  const stranger = fresh.find((id) => !current.learners.includes(id));
  if (stranger !== undefined)
    return { reason: 'not-a-learner', says: `${stranger} must be a learner first` };
  const behind = fresh.find((id) => !facts.caughtUp(id));
  if (behind === undefined) return undefined;
  const says = facts.hindrance(behind) ?? `${behind} has not caught up yet`;
  return { reason: 'not-caught-up', says };
}

/** A change needs both quorums: begun without one of them it would hold up all that is written, until there is one. */
function findStandstill(
  current: Configuration,
  wanted: Configuration,
  facts: Facts,
): Flaw | undefined {
  const both = { now: current.voters, afterwards: wanted.voters };
  for (const [when, voters] of Object.entries(both)) {
    const { needed, alive } = tallyOf(voters, facts);
    if (alive >= needed) continue;
    const count = `${needed} of ${voters.length} voters are needed ${when}, ${alive} can be counted on`;
    return { reason: 'no-quorum', says: [count, ...hindrancesOf(voters, facts)].join('; ') };
  }
  return undefined;
}

const hindrancesOf = (ids: readonly ReplicaId[], facts: Facts): readonly string[] =>
  ids.flatMap((id) => facts.hindrance(id) ?? []);

const tallyOf = (voters: readonly ReplicaId[], facts: Facts): Tally => ({
  voters: voters.length,
  needed: majorityOf(voters.length),
  alive: voters.filter((id) => facts.hindrance(id) === undefined).length,
});
