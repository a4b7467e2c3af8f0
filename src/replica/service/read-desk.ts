import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { revision } from '../../base/ids.ts';
import { READS_PENDING_MAX } from '../../base/limits.ts';
import type { Bounds, Consistency } from '../../statemachine/alert-api.ts';
import type { CoreDriver } from '../core-driver.ts';
import type { AppliedState } from '../pipeline/applied-state.ts';
import type { Reads } from './reads.ts';

export interface ReadDeskParts {
  readonly clock: Clock;
  readonly driver: CoreDriver;
  readonly reads: Reads;
  readonly state: AppliedState;
  readonly notLeading: () => TocsinError;
}

/** Told once: the age of the state at hand, which is what was asked for; or why it will not be. */
export type FreshDone = (outcome: Freshness | TocsinError) => void;

export interface Freshness {
  /** Undefined = not known. */
  readonly ageMs: number | undefined;
}

const NOW: Freshness = { ageMs: 0 };

/** Sees to it that a read is answered from a state that is as fresh as it asked for. */
export class ReadDesk {
  readonly #parts: ReadDeskParts;

  constructor(parts: ReadDeskParts) {
    this.#parts = parts;
  }

  /** Calls back at once if it can, else when a quorum has confirmed it. */
  read(level: Consistency, done: FreshDone): void {
    if (level === 'local') done({ ageMs: this.#ageMs });
    else if (level === 'lease' && this.isLeased) done(NOW);
    else if (typeof level === 'object') this.#readWithin(level, done);
    else this.#confirm(done);
  }

  /**
   * Surely nobody else leads now, and everything committed is applied. Asked again when the answer is built: the process
   * may have stood still meanwhile.
   */
  get isLeased(): boolean {
    const { driver, clock, state } = this.#parts;
    const index = driver.lease(clock.monotonic());
    return index !== undefined && index <= state.machine.applied;
  }

  get #ageMs(): number | undefined {
    const { driver, clock, state } = this.#parts;
    const fresh = driver.freshAt(state.machine.applied);
    return fresh === undefined ? undefined : Math.max(0, clock.monotonic() - fresh);
  }

  #readWithin({ maxAgeMs, minRevision = revision(0) }: Bounds, done: FreshDone): void {
    const { machine } = this.#parts.state;
    const ageMs = this.#ageMs;
    const isYoung = maxAgeMs === undefined || (ageMs !== undefined && ageMs <= maxAgeMs);
    if (isYoung && machine.revision >= minRevision) {
      done({ ageMs });
      return;
    }
    this.#confirm((outcome) => {
      const isThere = this.#parts.state.machine.revision >= minRevision;
      if (TocsinError.is(outcome) || isThere) done(outcome);
      else done(new TocsinError('UNAVAILABLE', `revision ${minRevision} has not happened yet`));
    });
  }

  /** Linearizable: by the leader, or by a follower that asks it. */
  #confirm(done: FreshDone): void {
    const { driver, reads, notLeading } = this.#parts;
    if (driver.standing.leader === undefined) {
      done(notLeading());
      return;
    }
    if (reads.pending >= READS_PENDING_MAX) {
      done(new TocsinError('OVERLOADED', `${reads.pending} reads are waiting`));
      return;
    }
    reads.ask((error) => done(error ?? NOW));
    driver.soon();
  }
}
