import type { Batch } from './batch.ts';

/** Batches that wait to be sent, in the order of the client's commands. */
export class BatchQueue {
  #batches: (Batch | undefined)[] = [];
  #head = 0;

  /** The oldest. */
  first(): Batch | undefined {
    return this.#batches[this.#head];
  }

  /** A new one, younger than all. */
  push(batch: Batch): void {
    this.#batches.push(batch);
  }

  /** Takes the oldest away. */
  shift(): void {
    this.#batches[this.#head] = undefined;
    this.#head += 1;
    if (this.#head < this.#batches.length) return;
    this.#batches = [];
    this.#head = 0;
  }

  /** Batches that were sent in vain take their old places again. */
  putBack(batches: readonly Batch[]): void {
    const waiting = this.#batches.slice(this.#head).filter((batch) => batch !== undefined);
    this.#batches = [...batches, ...waiting].sort((a, b) => a.sequence - b.sequence);
    this.#head = 0;
  }
}
