import type { LogIndex } from '../base/ids.ts';
import { BEAT_MS_MIN, BEATS_KEPT_MAX } from '../base/limits.ts';

/** A state that holds everything up to `index` is complete as of `at`. */
export interface Known {
  readonly at: number;
  readonly index: LogIndex;
}

/**
 * How fresh this replica's state is, as a leader has confirmed it: for reads that may be a little old and must say how old.
 * Each answer to a heartbeat is a beat with a number. The leader names a beat again when a quorum has confirmed its reign
 * after the beat came in; whatever was committed when the beat was sent, it then knows of. So the age of the state is
 * measured from the sending of the beat, by the clock of this replica alone.
 */
export class Freshness {
  /** Beats not yet named again, oldest first. */
  readonly #sent: { readonly beat: number; readonly at: number }[] = [];
  /** What was confirmed, oldest first: who has applied `index` is as fresh as `at`. */
  readonly #confirmed: Known[] = [];

  /** The number of the beat that is sent now; 0 without a clock. One in quick succession shares that of the last. */
  beat(life: { readonly now: number; sequence: number }): number {
    const { now } = life;
    const last = this.#sent.at(-1);
    if (now === 0) return 0;
    if (last !== undefined && now < last.at + BEAT_MS_MIN) return last.beat;
    life.sequence += 1;
    this.#sent.push({ beat: life.sequence, at: now });
    if (this.#sent.length > BEATS_KEPT_MAX) this.#sent.shift();
    return life.sequence;
  }

  /** The leader names a beat. One that this life of the replica did not send means nothing. */
  confirm(beat: number, index: LogIndex): void {
    const found = this.#sent.findIndex((each) => each.beat === beat);
    if (found < 0) return;
    const at = (this.#sent[found] as { at: number }).at;
    this.#sent.splice(0, found + 1);
    this.note({ at, index });
  }

  /** Who has applied `index` is as fresh as `at`, as this replica found out in a way of its own. */
  note(known: Known): void {
    this.#confirmed.push(known);
    if (this.#confirmed.length > BEATS_KEPT_MAX) this.#confirmed.shift();
  }

  /** The moment as of which a state that holds everything up to `applied` is complete; undefined = not known. */
  of(applied: number): number | undefined {
    return this.#confirmed.findLast((each) => each.index <= applied)?.at;
  }
}
