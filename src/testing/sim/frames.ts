import type { Prng } from '../../base/prng.ts';
import type { Fate } from './peer-transport.ts';

const ON_TIME: Fate = [0];
/** How late a frame is at most that is held back, or comes a second time. */
const LATE_MS = 50;

/** Chances by which frames between replicas are lost, doubled or held back. */
export class Frames {
  loss = 0;
  duplicate = 0;
  reorder = 0;
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** What becomes of the next one. */
  fate(): Fate {
    if (this.loss + this.duplicate + this.reorder === 0) return ON_TIME;
    const dice = this.#prng;
    if (dice.chance(this.loss)) return [];
    const first = dice.chance(this.reorder) ? dice.unit() * LATE_MS : 0;
    return dice.chance(this.duplicate) ? [first, dice.unit() * LATE_MS] : [first];
  }

  calm(): void {
    this.loss = 0;
    this.duplicate = 0;
    this.reorder = 0;
  }
}
