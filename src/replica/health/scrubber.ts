import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, type Millis, millis } from '../../base/ids.ts';
import {
  SCRUB_REST_MS_MAX,
  SCRUB_REST_TIMES,
  SCRUB_ROUND_MS,
  SCRUB_SLICE_BYTES,
  SCRUB_SLICE_MS,
} from '../../base/limits.ts';
import type { Damage, LogStore } from '../../storage/types.ts';
import type { Alarm } from '../../wire/clients/status.ts';

export interface ScrubberParts {
  readonly store: LogStore;
  readonly clock: Clock;
  /** No other replica has a voice: nobody could lead while this one is silent, and what a learner has it has from here. */
  readonly isAlone: () => boolean;
  /** Up to here the log at rest is what was committed. */
  readonly readable: () => LogIndex;
  /** Takes the replica's voice in matters of agreement away, or gives it back. */
  readonly mute: (on: boolean) => void;
  /** Gets back from peers what was lost. False = it was stopped. */
  readonly repair: (damage: Damage) => Promise<boolean>;
  /** Makes up for what nobody else has. False = not yet. */
  readonly makeUp: (damage: Damage) => Promise<boolean>;
  readonly log: (line: string) => void;
  readonly onFault: (error: unknown) => void;
}

/**
 * Reads what is at rest, a slice at a time, so that rot is found while others still have what rots. A replica that has
 * lost something it acknowledged has no voice until it has it back.
 */
export class Scrubber {
  readonly #parts: ScrubberParts;
  #isBusy = false;
  #restsUntil: Millis = millis(Number.NEGATIVE_INFINITY);
  #damage: Damage | undefined;
  /** Of this round it was told already that somebody has met damage. */
  #isTold = false;

  constructor(parts: ScrubberParts) {
    this.#parts = parts;
  }

  get alarms(): readonly Alarm[] {
    if (this.#damage === undefined) return [];
    return [{ name: 'log-damaged', says: this.#parts.isAlone() ? IS_ALONE : IS_REPAIRING }];
  }

  /** Somebody has met damage: the next slice, or the next round, does not wait. */
  hurry(why: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#restsUntil = millis(Number.NEGATIVE_INFINITY);
    this.#parts.log(`${why}; what is at rest is looked through for it`);
  }

  /** Called once a tick. */
  tick(): void {
    const { store, clock, readable, onFault } = this.#parts;
    const began = clock.monotonic();
    if (this.#isBusy || began < this.#restsUntil) return;
    this.#isBusy = true;
    store
      .scrub(SCRUB_SLICE_BYTES, readable())
      .then(({ damage, roundEnds }) => {
        const ended = clock.monotonic();
        const pause = roundEnds ? SCRUB_ROUND_MS : 0;
        if (roundEnds) this.#isTold = false;
        this.#restsUntil = millis(Math.max(restEnd(began, ended), ended + pause));
        return this.#found(damage);
      })
      .then(
        () => {
          this.#isBusy = false;
        },
        (error: unknown) => {
          // A store that was closed meanwhile is no fault.
          if (!TocsinError.is(error) || error.code !== 'CLOSED') onFault(error);
        },
      );
  }

  async #found(damage: Damage | undefined): Promise<void> {
    const { isAlone, mute, repair, makeUp, log } = this.#parts;
    const isNew = this.#damage === undefined;
    this.#damage = damage;
    if (damage === undefined) return;
    if (isNew) log('entries at rest are damaged');
    if (isAlone()) {
      // Nobody could give them back, and nobody else could serve. The state in memory is right.
      if (await makeUp(damage)) this.#damage = undefined;
      return;
    }
    mute(true);
    if (!(await repair(damage))) return;
    this.#damage = undefined;
    log('the damaged entries are repaired');
    mute(false);
  }
}

const IS_REPAIRING = 'entries at rest are damaged; they are being repaired';
const IS_ALONE =
  'entries at rest are damaged, and no other voter could give them back; a snapshot will make up for them: while this alarm is on, do not stop this replica, or save its state first (tocsin snapshot save)';

/** When the next slice may begin, after one that was read between these. */
function restEnd(began: Millis, ended: Millis): Millis {
  const rest = Math.min((ended - began) * SCRUB_REST_TIMES, SCRUB_REST_MS_MAX);
  return millis(Math.max(began + SCRUB_SLICE_MS, ended + rest));
}
