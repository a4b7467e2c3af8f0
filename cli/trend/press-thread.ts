import { Worker } from 'node:worker_threads';
import { type Code, TocsinError } from '../../src/base/errors.ts';
import type { ChunkPress, Pressed, PressTask } from '../../src/replica/trend/press.ts';

export interface PressQuestion {
  readonly id: number;
  readonly task: PressTask;
}

export interface PressAnswer {
  readonly id: number;
  readonly pressed?: Pressed;
  readonly failed?: { readonly code: Code; readonly message: string };
}

interface Waiter {
  readonly resolve: (pressed: Pressed) => void;
  readonly reject: (error: TocsinError) => void;
}

/**
 * Room for its young objects. What becomes of a window is bytes outside of the heap; with the usual 48 the thread would take
 * all of them, minute by minute, before it looked for what is left of windows that are long written.
 */
const YOUNG_MIB = 12;

/** Has windows of samples turned into bytes by a thread of its own, so that the caller's loop stays free to judge. */
export class PressThread implements ChunkPress {
  readonly #worker: Worker = new Worker(new URL('./press-worker.js', import.meta.url), {
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
  });
  readonly #waiters: Map<number, Waiter> = new Map();
  #nextId = 1;
  #fault: TocsinError | undefined;

  constructor() {
    this.#worker.on('message', (answer: PressAnswer) => this.#settle(answer));
    this.#worker.once('error', (error: Error) => this.#fail(error.message));
    this.#worker.once('exit', () => this.#fail('it has ended'));
  }

  press(task: PressTask): Promise<Pressed> {
    if (this.#fault !== undefined) return Promise.reject<Pressed>(this.#fault);
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
      // Bytes may lie in a page of others, which would go along whole.
      const encoded = task.encoded.map((bytes) => new Uint8Array(bytes));
      const question: PressQuestion = { id, task: { ...task, encoded } };
      this.#worker.postMessage(question, [
        ...buffersOf(task),
        ...encoded.map(({ buffer }) => buffer),
      ]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle({ id, pressed, failed }: PressAnswer): void {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    if (pressed !== undefined) waiter?.resolve(pressed);
    else if (failed !== undefined) waiter?.reject(new TocsinError(failed.code, failed.message));
  }

  #fail(why: string): void {
    this.#fault ??= new TocsinError('INTERNAL', `the thread that encodes trends: ${why}`);
    for (const { reject } of this.#waiters.values()) reject(this.#fault);
    this.#waiters.clear();
  }
}

/** The samples in memory are handed over, not copied. */
function buffersOf({ held }: PressTask): ArrayBuffer[] {
  if (held === undefined) return [];
  const { times, values, qualities } = held.samples;
  return [times.buffer, values.buffer, qualities.buffer].filter(
    (buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer,
  );
}
