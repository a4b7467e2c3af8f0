import { type End, once } from '../end.ts';
import type { Disturbance } from './network.ts';

/** One direction between two places, and all that disturbs it now. */
export class Way {
  readonly #disturbances: Set<Disturbance> = new Set();
  readonly #changed: () => void;

  /** `changed` is called when a disturbance ended. */
  constructor(changed: () => void = () => {}) {
    this.#changed = changed;
  }

  add(what: Disturbance): End {
    // The same fault twice is two faults: each ends by itself.
    const one = { ...what };
    this.#disturbances.add(one);
    return once(() => {
      this.#disturbances.delete(one);
      this.#changed();
    });
  }

  clear(): void {
    this.#disturbances.clear();
    this.#changed();
  }

  get isCut(): boolean {
    for (const { kind } of this.#disturbances) if (kind === 'cut') return true;
    return false;
  }

  get delayMs(): number {
    let sum = 0;
    for (const each of this.#disturbances) if (each.kind === 'delay') sum += each.ms;
    return sum;
  }

  /** That at least one of them strikes. */
  chanceOf(kind: 'loss' | 'duplicate' | 'reorder'): number {
    let spared = 1;
    for (const each of this.#disturbances) if (each.kind === kind) spared *= 1 - each.chance;
    return 1 - spared;
  }
}
