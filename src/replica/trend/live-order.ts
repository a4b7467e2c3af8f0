import { TREND_SKEW_MS_MAX } from '../../base/trend-limits.ts';

const PLACES_AT_FIRST = 256;

/**
 * Which of the samples that come behind others of their series are news all the same: those of a device whose clock went
 * wrong, or was ahead and is right again. By place, like the samples.
 */
export class LiveOrder {
  /** Of the newest sample that came in order. */
  #ordered = new Float64Array(PLACES_AT_FIRST).fill(-Infinity);
  /** Of the newest one since that was news; a sample that is sent again is none. */
  #strayed = new Float64Array(PLACES_AT_FIRST).fill(-Infinity);

  /** A sample came in order. */
  pass(place: number, time: number): void {
    if (place >= this.#ordered.length) this.#makeRoom(place);
    this.#ordered[place] = time;
    if (this.#strayed[place] !== -Infinity) this.#strayed[place] = -Infinity;
  }

  /** Whether one that did not says something about now. `isWrong`: its device's clock is known to be. */
  isNews(place: number, time: number, now: number, isWrong: boolean): boolean {
    if (place >= this.#ordered.length) this.#makeRoom(place);
    const wasAhead = (this.#ordered[place] as number) > now + TREND_SKEW_MS_MAX;
    const isRight = Math.abs(time - now) <= TREND_SKEW_MS_MAX;
    if (!isWrong && !(wasAhead && isRight)) return false;
    if (time <= (this.#strayed[place] as number)) return false;
    this.#strayed[place] = time;
    return true;
  }

  #makeRoom(place: number): void {
    const room = Math.max(place + 1, this.#ordered.length * 2);
    const [ordered, strayed] = [this.#ordered, this.#strayed];
    this.#ordered = new Float64Array(room).fill(-Infinity);
    this.#strayed = new Float64Array(room).fill(-Infinity);
    this.#ordered.set(ordered);
    this.#strayed.set(strayed);
  }
}
