import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { type Millis, millis, revision } from '../../base/ids.ts';
import { READS_PENDING_MAX } from '../../base/limits.ts';
import type { Bounds, Consistency } from '../../statemachine/alert-api.ts';
import type { CoreDriver } from '../core-driver.ts';
import type { AppliedState } from '../pipeline/applied-state.ts';
import type { ReadDone, Reads } from './reads.ts';

export interface ReadDeskParts {
  readonly clock: Clock;
  readonly driver: CoreDriver;
  readonly reads: Reads;
  readonly state: AppliedState;
  readonly notLeading: () => TocsinError;
}

/** Told once: how fresh the state at hand is, which is what was asked for; or why it will not be. */
export type FreshDone = (outcome: Freshness | TocsinError) => void;

export interface Freshness {
  /** The state holds everything that was acknowledged by then; undefined = not known. */
  readonly asOf: Millis | undefined;
}

/** How old such a state is; undefined = not known. */
export const ageOf = ({ asOf }: Freshness, now: Millis): number | undefined =>
  asOf === undefined ? undefined : Math.max(0, now - asOf);

/** Sees to it that a read is answered from a state that is as fresh as it asked for. */
export class ReadDesk {
  readonly #parts: ReadDeskParts;

  constructor(parts: ReadDeskParts) {
    this.#parts = parts;
  }

  /** Calls back at once if it can, else when a quorum has confirmed it. */
  read(level: Consistency, done: FreshDone): void {
    const { clock } = this.#parts;
    if (level === 'local') done(this.#atHand);
    else if (level === 'lease' && this.#isLeased) done({ asOf: clock.monotonic() });
    else if (typeof level === 'object') this.#readWithin(level, done);
    else {
      // What is acknowledged while a quorum is asked need not be seen.
      const asOf = clock.monotonic();
      this.#confirm((error) => done(error ?? { asOf }));
    }
  }

  /**
   * Whether that is still so when the answer is built: asking a quorum, waiting for a turn and building took time, and the
   * process may have stood still meanwhile.
   */
  holds(level: Consistency, freshness: Freshness): boolean {
    if (level === 'lease') return this.#isLeased;
    const { maxAgeMs } = typeof level === 'object' ? level : {};
    return maxAgeMs === undefined || this.#isWithin(maxAgeMs, freshness);
  }

  /** Surely nobody else leads now, and everything committed is applied. */
  get #isLeased(): boolean {
    const { driver, clock, state } = this.#parts;
    const index = driver.lease(clock.monotonic());
    return index !== undefined && index <= state.machine.applied;
  }

  #isWithin(maxAgeMs: number, freshness: Freshness): boolean {
    const ageMs = ageOf(freshness, this.#parts.clock.monotonic());
    return ageMs !== undefined && ageMs <= maxAgeMs;
  }

  get #atHand(): Freshness {
    const { driver, state } = this.#parts;
    return { asOf: driver.freshAt(state.machine.applied) };
  }

  #readWithin({ maxAgeMs, minRevision = revision(0) }: Bounds, done: FreshDone): void {
    const { state, clock } = this.#parts;
    const atHand = this.#atHand;
    const isYoung = maxAgeMs === undefined || this.#isWithin(maxAgeMs, atHand);
    if (isYoung && state.machine.revision >= minRevision) {
      done(atHand);
      return;
    }
    const askedAt = clock.monotonic();
    this.#confirm((error) => {
      if (error !== undefined) done(error);
      else if (state.machine.revision < minRevision)
        done(new TocsinError('UNAVAILABLE', `revision ${minRevision} has not happened yet`));
      else done({ asOf: millis(Math.max(askedAt, this.#atHand.asOf ?? askedAt)) });
    });
  }

  /** Linearizable: by the leader, or by a follower that asks it. */
  #confirm(done: ReadDone): void {
    const { driver, reads, notLeading } = this.#parts;
    if (driver.standing.leader === undefined) {
      done(notLeading());
      return;
    }
    if (reads.pending >= READS_PENDING_MAX) {
      done(new TocsinError('OVERLOADED', `${reads.pending} reads are waiting`));
      return;
    }
    reads.ask(done);
    driver.soon();
  }
}
