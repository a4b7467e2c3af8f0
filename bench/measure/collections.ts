import { Session } from 'node:inspector/promises';

/** What the collector of garbage did in the thread that allocates, once. Milliseconds. */
export interface Collection {
  /** By `performance.now`. */
  readonly began: number;
  readonly ended: number;
  /** That the thread ran on a core meanwhile. */
  readonly ran: number;
}

/** Of V8's trace, in microseconds: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMh4h6I0nSsKchNAySU */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
}

/**
 * Traces the collector in this process's main thread: its pauses, and the steps of marking between them, which Node's own performance entries
 * leave out.
 */
export class CollectionTrace {
  readonly #session: Session = new Session();
  #events: TraceEvent[] = [];
  /** Of the clock of the trace at the zero of `performance.now`. */
  readonly #zeroMs: number = Number(process.hrtime.bigint()) / 1e6 - performance.now();

  async begin(): Promise<void> {
    this.#events = [];
    this.#session.connect();
    this.#session.on('NodeTracing.dataCollected', ({ params }) => {
      this.#events.push(...(params.value as unknown as TraceEvent[]));
    });
    await this.#session.post('NodeTracing.start', { traceConfig: { includedCategories: ['v8'] } });
  }

  /** Since `begin`, in order, none within another. */
  async end(): Promise<Collection[]> {
    const isComplete = new Promise<void>((resolve) => {
      this.#session.once('NodeTracing.tracingComplete', () => resolve());
    });
    await this.#session.post('NodeTracing.stop');
    await isComplete;
    this.#session.disconnect();
    this.#session.removeAllListeners();
    const spans = this.#events
      .filter(({ name, ph, tid }) => ph === 'X' && tid === process.pid && name.startsWith('V8.GC'))
      .sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
    const outer: Collection[] = [];
    for (const { ts, dur = 0, tdur = 0 } of spans) {
      const began = ts / 1_000 - this.#zeroMs;
      if (began < (outer.at(-1)?.ended ?? 0)) continue;
      outer.push({ began, ended: began + dur / 1_000, ran: tdur / 1_000 });
    }
    return outer;
  }
}
