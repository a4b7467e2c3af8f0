import { assert } from '../base/assert.ts';
import { logIndex, type ReplicaId, type Term, term } from '../base/ids.ts';
import {
  type ConfigurationAt,
  configurationOf,
  type SnapshotPoint,
} from '../raft/configuration.ts';
import type { RaftInit } from '../raft/core.ts';
import type { Entry, HardState, Ready } from '../raft/types.ts';

/** What the disk of one core holds: everything up to the last completed write. */
export class CoreDisk {
  hardState: HardState = { term: term(0), vote: undefined, commit: logIndex(0) };
  /** What the log begins after; the state up to there is in a snapshot. */
  base: SnapshotPoint;
  /** Everything after the base. */
  entries: Entry[] = [];
  readonly #voters: readonly ReplicaId[];

  constructor(voters: readonly ReplicaId[]) {
    this.#voters = voters;
    this.base = { index: logIndex(0), term: term(0), configuration: configurationOf(voters) };
  }

  get last(): number {
    return this.base.index + this.entries.length;
  }

  entryAt(index: number): Entry | undefined {
    return this.entries[index - this.base.index - 1];
  }
  termAt(index: number): Term | undefined {
    return index === this.base.index ? this.base.term : this.entryAt(index)?.term;
  }
  from(index: number): readonly Entry[] {
    return index <= this.base.index ? [] : this.entries.slice(index - this.base.index - 1);
  }

  /** Whether the entry, or a snapshot that stands for it, is here. */
  holds(index: number, entryTerm: number): boolean {
    return index < this.base.index || this.termAt(index) === entryTerm;
  }

  /** One write: all of it or nothing. */
  persist(ready: Ready): void {
    const { snapshot } = ready;
    if (snapshot !== undefined) {
      if (!snapshot.keepsLog) this.entries = [];
      this.#begin(snapshot);
    }
    if (ready.truncateFrom !== undefined)
      this.entries.length = Math.min(this.entries.length, ready.truncateFrom - this.base.index - 1);
    for (const entry of ready.append) {
      assert(entry.index === this.last + 1, `disk: ${entry.index} after ${this.last}`);
      this.entries.push(entry);
    }
    if (ready.hardState === undefined) return;
    const { term: before, commit } = this.hardState;
    assert(ready.hardState.term >= before, `term on disk fell from ${before}`);
    assert(ready.hardState.commit >= commit, `commit on disk fell from ${commit}`);
    this.hardState = ready.hardState;
  }

  /** A snapshot stands for everything up to the point. */
  compact(point: SnapshotPoint): void {
    assert(this.holds(point.index, point.term), `compacting ${point.index}, which is not here`);
    this.#begin(point);
  }

  /** The vote is lost, and so many of the newest entries; that this may be so is known. */
  forget(count: number): void {
    this.entries.length = Math.max(0, this.entries.length - count);
    const { term: known, commit } = this.hardState;
    const kept = logIndex(Math.min(commit, this.last));
    this.hardState = { term: known, vote: undefined, commit: kept, abstain: true };
  }

  /** What a core starts from on this disk. */
  get init(): Pick<
    RaftInit,
    'voters' | 'hardState' | 'tail' | 'terms' | 'snapshot' | 'configurations'
  > {
    const terms: { from: number; term: Term }[] = [];
    const configurations: ConfigurationAt[] = [];
    for (const { index, term: entryTerm, payload } of this.entries) {
      if (terms.at(-1)?.term !== entryTerm) terms.push({ from: index, term: entryTerm });
      const { configuration } = payload;
      if (configuration !== undefined) configurations.push({ index, configuration });
    }
    return {
      voters: this.#voters,
      hardState: this.hardState,
      tail: this.entries,
      terms,
      snapshot: this.base,
      configurations,
    };
  }

  #begin({ index, term: baseTerm, configuration }: SnapshotPoint): void {
    this.entries = this.entries.filter((entry) => entry.index > index);
    this.base = { index, term: baseTerm, configuration };
  }
}
