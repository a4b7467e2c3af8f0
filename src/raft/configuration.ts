import { assert, must } from '../base/assert.ts';
import type { LogIndex, ReplicaId } from '../base/ids.ts';
import type { EntryId } from './types.ts';

/**
 * Who takes part. While `outgoing` is not empty the configuration is joint (§6): every decision needs a majority of
 * `voters` and a majority of `outgoing`. All lists are in order of id.
 */
export interface Configuration {
  /** Counted, each with one vote. */
  readonly voters: readonly ReplicaId[];
  /** The voters before the change that is under way. */
  readonly outgoing: readonly ReplicaId[];
  /** Receive the log and are never counted. */
  readonly learners: readonly ReplicaId[];
  /** Outgoing voters that stay as learners when the change is done. */
  readonly learnersNext: readonly ReplicaId[];
}

/** What a log begins after: everything up to `index` is in a snapshot, under that configuration. */
export interface SnapshotPoint extends EntryId {
  readonly configuration: Configuration;
}

/** A configuration, and the entry that brought it. */
export interface ConfigurationAt {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

const sorted = (ids: Iterable<ReplicaId>): ReplicaId[] => [...new Set(ids)].sort((a, b) => a - b);

/** A configuration with no change under way. */
export const configurationOf = (
  voters: readonly ReplicaId[],
  learners: readonly ReplicaId[] = [],
): Configuration => ({
  voters: sorted(voters),
  outgoing: [],
  learners: sorted(learners),
  learnersNext: [],
});

export const isJoint = (c: Configuration): boolean => c.outgoing.length > 0;

export const isVoterOf = (c: Configuration, id: ReplicaId): boolean =>
  c.voters.includes(id) || c.outgoing.includes(id);

export const isMemberOf = (c: Configuration, id: ReplicaId): boolean =>
  isVoterOf(c, id) || c.learners.includes(id);

/** Everyone who has a voice. */
export const votersOf = (c: Configuration): readonly ReplicaId[] =>
  isJoint(c) ? sorted([...c.voters, ...c.outgoing]) : c.voters;

/** Everyone who receives the log. */
export const membersOf = (c: Configuration): readonly ReplicaId[] =>
  sorted([...c.voters, ...c.outgoing, ...c.learners]);

/** What is wrong with a configuration; undefined = nothing. */
export function findFlaw(c: Configuration): string | undefined {
  for (const list of [c.voters, c.outgoing, c.learners, c.learnersNext])
    if (list.some((id, at) => at > 0 && id <= (list[at - 1] as number)))
      return `${list.join(' ')} is not in order, or a replica is named twice`;
  if (c.learners.some((id) => isVoterOf(c, id))) return 'a learner is a voter too';
  if (c.learnersNext.some((id) => !c.outgoing.includes(id) || c.voters.includes(id)))
    return 'only a voter that goes can become a learner next';
  return undefined;
}

export const sameConfiguration = (a: Configuration, b: Configuration): boolean =>
  renderConfiguration(a) === renderConfiguration(b);

/** `1 2 3`, `1 2 4 & 1 2 3` while joint, learners behind a plus, those to come in brackets. */
export function renderConfiguration(c: Configuration): string {
  const outgoing = isJoint(c) ? ` & ${c.outgoing.join(' ')}` : '';
  const learners = c.learners.length === 0 ? '' : ` + ${c.learners.join(' ')}`;
  const next = c.learnersNext.length === 0 ? '' : ` (${c.learnersNext.join(' ')})`;
  return `${c.voters.join(' ')}${outgoing}${learners}${next}`;
}

/**
 * The configurations of a log, as its entries bring them. The newest is in force from the moment it is appended, committed
 * or not (§6), and no longer when its entry is cut.
 */
export class Configurations {
  /** The first is what holds where the log begins; the others are entries, in order. Never empty. */
  #list: ConfigurationAt[];

  constructor(base: ConfigurationAt, entries: readonly ConfigurationAt[]) {
    this.#list = [base];
    for (const { index, configuration } of entries)
      if (index > base.index) this.append(index, configuration);
  }

  get current(): Configuration {
    return this.newest.configuration;
  }
  get newest(): ConfigurationAt {
    return this.#list[this.#list.length - 1] as ConfigurationAt;
  }

  /** What holds right after the entry at `index`, which must not be before the log. */
  at(index: number): ConfigurationAt {
    const found = this.#list.findLast((each) => each.index <= index);
    return must(found, `no configuration is known for entry ${index}`);
  }

  append(index: LogIndex, configuration: Configuration): void {
    const flaw = findFlaw(configuration);
    assert(flaw === undefined, `configuration of entry ${index}: ${flaw}`);
    assert(index > this.newest.index, `configuration ${index} after ${this.newest.index}`);
    this.#list.push({ index, configuration });
  }

  /** A snapshot stands for the whole log. */
  reset(base: ConfigurationAt): void {
    const flaw = findFlaw(base.configuration);
    assert(flaw === undefined, `configuration of a snapshot at ${base.index}: ${flaw}`);
    this.#list = [base];
  }

  /** Entries from `from` on are gone. */
  truncate(from: number): void {
    assert(from > (this.#list[0] as ConfigurationAt).index, 'cutting % behind the base', from);
    this.#list = this.#list.filter((each) => each.index < from);
  }

  /** The log begins after `index` from now on. */
  compact(index: LogIndex): void {
    const base = { index, configuration: this.at(index).configuration };
    this.#list = [base, ...this.#list.filter((each) => each.index > index)];
  }
}
