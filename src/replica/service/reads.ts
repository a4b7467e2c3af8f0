import type { TocsinError } from '../../base/errors.ts';
import type { LogIndex } from '../../base/ids.ts';
import type { ReadState } from '../../raft/types.ts';

/** Told once: undefined = the state at hand now is fresh enough; else why it will not be. */
export type ReadDone = (error: TocsinError | undefined) => void;

/** Linearizable reads: first a quorum confirms the leader, then the state has to be applied far enough. */
export class Reads {
  readonly #start: (context: number) => void;
  /** Waiting for the quorum, by context. */
  readonly #asked: Map<number, ReadDone> = new Map();
  /** Confirmed, in the order of their indexes, waiting to be applied. */
  #confirmed: { readonly index: LogIndex; readonly done: ReadDone }[] = [];
  #context = 0;

  constructor(start: (context: number) => void) {
    this.#start = start;
  }

  get pending(): number {
    return this.#asked.size + this.#confirmed.length;
  }

  ask(done: ReadDone): void {
    this.#context += 1;
    this.#asked.set(this.#context, done);
    this.#start(this.#context);
  }

  confirmed(reads: readonly ReadState[]): void {
    for (const { context, index } of reads) {
      const done = this.#asked.get(context);
      this.#asked.delete(context);
      if (done !== undefined) this.#confirmed.push({ index, done });
    }
  }

  dropped(contexts: readonly number[], error: TocsinError): void {
    for (const context of contexts) {
      const done = this.#asked.get(context);
      this.#asked.delete(context);
      done?.(error);
    }
  }

  applied(applied: LogIndex): void {
    let count = 0;
    while (count < this.#confirmed.length && (this.#confirmed[count]?.index ?? 0) <= applied)
      count += 1;
    if (count === 0) return;
    for (const { done } of this.#confirmed.splice(0, count)) done(undefined);
  }

  close(error: TocsinError): void {
    const all = [...this.#asked.values(), ...this.#confirmed.map((read) => read.done)];
    this.#asked.clear();
    this.#confirmed = [];
    for (const done of all) done(error);
  }
}
