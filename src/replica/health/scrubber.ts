import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { type Millis, millis } from '../../base/ids.ts';
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
  /** No other replica can repair anything. */
  readonly isAlone: () => boolean;
  /** Takes the replica's voice in matters of agreement away, or gives it back. */
  readonly mute: (on: boolean) => void;
  /** Gets back from peers what was lost. False = it was stopped. */
  readonly repair: (damage: Damage) => Promise<boolean>;
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

  constructor(parts: ScrubberParts) {
    this.#parts = parts;
  }

  get alarms(): readonly Alarm[] {
    if (this.#damage === undefined) return [];
    return [{ name: 'log-damaged', says: this.#parts.isAlone() ? IS_ALONE : IS_REPAIRING }];
  }

  /** Called once a tick. */
  tick(): void {
    const { store, clock, onFault } = this.#parts;
    const began = clock.monotonic();
    if (this.#isBusy || began < this.#restsUntil) return;
    this.#isBusy = true;
    store
      .scrub(SCRUB_SLICE_BYTES)
      .then(({ damage, roundEnds }) => {
        const ended = clock.monotonic();
        const pause = roundEnds ? SCRUB_ROUND_MS : 0;
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
    const { isAlone, mute, repair, log } = this.#parts;
    const isNew = this.#damage === undefined;
    this.#damage = damage;
    if (damage === undefined) return;
    if (isNew) log('entries at rest are damaged');
    // Nobody could give them back. The state in memory is right, and serves as long as it can; a snapshot of it makes up for
    // what is damaged.
    if (isAlone()) return;
    mute(true);
    if (!(await repair(damage))) return;
    this.#damage = undefined;
    log('the damaged entries are repaired');
    mute(false);
  }
}

const IS_REPAIRING = 'entries at rest are damaged; they are being repaired';
const IS_ALONE =
  'entries at rest are damaged, and no other replica has them: before it is started again, save its state (tocsin snapshot save)';

/** When the next slice may begin, after one that was read between these. */
function restEnd(began: Millis, ended: Millis): Millis {
  const rest = Math.min((ended - began) * SCRUB_REST_TIMES, SCRUB_REST_MS_MAX);
  return millis(Math.max(began + SCRUB_SLICE_MS, ended + rest));
}
