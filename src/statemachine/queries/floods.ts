/** ISA-18.2: a flood begins above the first in ten minutes, and ends when fewer than the second are left of ten minutes. */
const FLOOD_FROM = 10;
const FLOOD_UNTIL = 5;
const TEN_MINUTES = 600_000;

/** The annunciations of one unit, whose people have to listen to all of them. */
interface Unit {
  /** Times of the newest FLOOD_FROM + 1, oldest first: older ones decide nothing. */
  newest: readonly number[];
  since: number | undefined;
}

/** When more is annunciated than anybody can attend to, unit by unit. */
export class Floods {
  readonly #units = new Map<string, Unit>();
  #count = 0;
  #overMs = 0;

  get count(): number {
    return this.#count;
  }

  /** Units in which something was annunciated. */
  get units(): number {
    return this.#units.size;
  }

  add(unit: string, time: number): void {
    const state = this.#units.get(unit) ?? { newest: [], since: undefined };
    const end = endOf(state);
    if (state.since !== undefined && end <= time) {
      this.#overMs += end - state.since;
      state.since = undefined;
    }
    state.newest = [...state.newest, time].slice(-FLOOD_FROM - 1);
    this.#units.set(unit, state);
    const [first = 0] = state.newest;
    const isFlood = state.newest.length > FLOOD_FROM && time - first < TEN_MINUTES;
    if (!isFlood || state.since !== undefined) return;
    state.since = time;
    this.#count += 1;
  }

  /** Milliseconds in floods up to `until`, summed over the units. */
  msUntil(until: number): number {
    let sum = this.#overMs;
    for (const state of this.#units.values())
      if (state.since !== undefined) sum += Math.min(until, endOf(state)) - state.since;
    return sum;
  }
}

/** When fewer than FLOOD_UNTIL are left within ten minutes, if nothing more comes. */
const endOf = ({ newest }: Unit): number => (newest.at(-FLOOD_UNTIL) ?? 0) + TEN_MINUTES;
