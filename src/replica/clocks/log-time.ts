import type { Clock } from '../../base/clock.ts';
import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import { UNIX_MILLIS_MAX } from '../../base/limits.ts';

/** How fast log time goes that is ahead of the clocks, until they have come up to it. */
const PACE_AHEAD = 0.5;

interface Anchor {
  readonly stamp: UnixMillis;
  /** The same with what rounding took. */
  readonly time: number;
  /** By the monotonic clock. */
  readonly at: number;
}

/**
 * The stamps of a leader. They follow what a majority of clocks agrees on. Where none does they go on from the newest stamp by the
 * pace of this machine, so they neither jump nor stand still; and where the log is ahead of the clocks, by half that pace.
 */
export class LogTime {
  readonly #clock: Clock;
  readonly #agreed: () => number | undefined;
  #anchor: Anchor | undefined;
  #issued: Anchor | undefined;

  /** `agreed`: the time now, as a majority of the voters' clocks has it; undefined = none agrees. */
  constructor(clock: Clock, agreed: () => number | undefined) {
    this.#clock = clock;
    this.#agreed = agreed;
  }

  /** The stamp of an entry made now, after one that is stamped `newest`. Never before that. */
  after(newest: UnixMillis): UnixMillis {
    const at = this.#clock.monotonic();
    const { time, at: since } = this.#anchorAt(newest, at);
    const elapsed = Math.max(0, at - since);
    const now = this.#now(newest, time, elapsed);
    const stamp = unixMillis(Math.max(newest, Math.min(Math.floor(now), UNIX_MILLIS_MAX)));
    this.#issued = { stamp, time: now, at };
    return stamp;
  }

  #now(newest: UnixMillis, time: number, elapsed: number): number {
    const agreed = this.#agreed();
    if (agreed !== undefined) return Math.max(agreed, time + elapsed * PACE_AHEAD);
    // Before the first entry there is nothing to go on from.
    return newest === 0 ? this.#clock.wall() : time + elapsed;
  }

  /** From where time goes on: the stamp given last if it was used, else the one that is the newest. */
  #anchorAt(newest: UnixMillis, at: number): Anchor {
    if (this.#issued?.stamp === newest) this.#anchor = this.#issued;
    else if (this.#anchor?.stamp !== newest) this.#anchor = { stamp: newest, time: newest, at };
    return this.#anchor ?? { stamp: newest, time: newest, at };
  }
}
