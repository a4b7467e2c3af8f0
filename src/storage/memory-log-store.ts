import { assert, must } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import type { LogIndex } from '../base/ids.ts';
import type { Entry } from '../raft/types.ts';
import { recordOf } from '../wire/record.ts';
import {
  emptyEnd,
  emptyState,
  endAfter,
  type LogEnd,
  type LogState,
  stateAfter,
  TailCollector,
} from './log-state.ts';
import type { LogStore, LogWrite, Restored } from './types.ts';

/** What becomes of a batch that was under way when its write failed or the process died. */
export type BatchFate = 'lost' | 'kept';

/** A write under way. One of the two is called, once; after a crash neither does anything. */
export interface HeldWrite {
  readonly batch: LogWrite;
  /** The batch is durable, and the writer is told. */
  complete(): void;
  /** The writer is told DISK_FAILED, whatever became of the batch. */
  fail(fate: BatchFate): void;
}

/**
 * A disk in memory for one replica's log: outlives the stores that are opened on it, and does what
 * it is told.
 */
export class MemoryDisk {
  /**
   * Decides on each write; undefined = each completes by itself, soon. May be set at any time, for
   * the writes to come.
   */
  onWrite: ((write: HeldWrite) => void) | undefined = undefined;
  readonly #log: DurableLog;
  #store: MemoryLogStore | undefined;

  constructor(clusterId: string) {
    this.#log = new DurableLog(clusterId);
  }

  /** @throws TocsinError DATA_LOCKED while another store is open */
  open(): LogStore {
    if (this.#store !== undefined && !this.#store.closed)
      throw new TocsinError('DATA_LOCKED', 'another store uses this disk');
    this.#store = new MemoryLogStore(this.#log, (write) => this.#decide(write));
    return this.#store;
  }

  /**
   * The process dies: its store serves no more, a write under way never settles, and its batch
   * meets `fate`.
   */
  crash(fate: BatchFate = 'lost'): void {
    this.#store?.die(fate);
    this.#store = undefined;
  }

  #decide(write: HeldWrite): void {
    // Never within the call: a real disk takes its time, and a second write meanwhile is a bug to
    // be seen.
    if (this.onWrite === undefined) queueMicrotask(() => write.complete());
    else this.onWrite(write);
  }
}

/** What a crash leaves. */
class DurableLog {
  readonly #clusterId: string;
  /** Entry `i + 1` at `i`. */
  readonly #entries: Entry[] = [];
  state: LogState;

  constructor(clusterId: string) {
    this.#clusterId = clusterId;
    this.state = emptyState(clusterId);
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  check(batch: LogWrite): LogState {
    return stateAfter(this.state, batch, this.#endBefore(batch.truncateFrom));
  }

  commit(batch: LogWrite): void {
    const after = this.check(batch);
    if (batch.truncateFrom !== undefined) this.#entries.length = batch.truncateFrom - 1;
    for (const entry of batch.entries) this.#entries.push(entry);
    this.state = after;
  }

  #endBefore(from: LogIndex | undefined): LogEnd {
    if (from === undefined || from > this.state.end.index) return this.state.end;
    assert(from >= 1, `cut from ${from}`);
    if (from === 1) return emptyEnd(this.#clusterId);
    return endAfter(recordOf(must(this.#entries[from - 2], `no entry ${from - 1}`)));
  }
}

interface Settle {
  readonly batch: LogWrite;
  readonly done: () => void;
  readonly failed: (error: TocsinError) => void;
}

function heldPromise(batch: LogWrite): {
  readonly promise: Promise<void>;
  readonly settle: Settle;
} {
  let done = (): void => undefined;
  let failed = (_error: TocsinError): void => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    done = resolve;
    failed = reject;
  });
  return { promise, settle: { batch, done, failed } };
}

class MemoryLogStore implements LogStore {
  readonly #log: DurableLog;
  readonly #decide: (write: HeldWrite) => void;
  #loaded = false;
  #pending: Settle | undefined;
  #settled: Promise<void> = Promise.resolve();
  #failed = false;
  #closing = false;
  /** Gave the disk back; while it still waits for a write it has not. */
  closed = false;

  constructor(log: DurableLog, decide: (write: HeldWrite) => void) {
    this.#log = log;
    this.#decide = decide;
  }

  settle(): void {}

  async load(): Promise<Restored> {
    this.#mustServe();
    assert(this.#pending === undefined, 'load during a write');
    this.#loaded = true;
    const collector = new TailCollector(this.#log.state.hardState.commit);
    for (const entry of this.#log.entries) collector.add(recordOf(entry));
    return { hardState: this.#log.state.hardState, ...collector.finish() };
  }

  async write(batch: LogWrite): Promise<void> {
    this.#mustServe();
    assert(this.#loaded, 'load comes before write');
    assert(this.#pending === undefined, 'a write is under way');
    this.#log.check(batch);
    const { promise, settle } = heldPromise(batch);
    this.#pending = settle;
    this.#settled = promise.catch(() => undefined);
    this.#decide({
      batch,
      complete: () => this.#settle(settle, 'kept')?.done(),
      fail: (fate) => this.#fail(settle, fate),
    });
    await promise;
  }

  async read(from: LogIndex, to: LogIndex, bytesMax: number): Promise<readonly Entry[]> {
    this.#mustServe();
    assert(this.#loaded, 'load comes before read');
    assert(from >= 1, `read from ${from}`);
    assert(from <= to, `read from ${from} to ${to}`);
    assert(bytesMax > 0, `read of ${bytesMax} bytes`);
    const readableTo = (this.#pending?.batch.truncateFrom ?? this.#log.state.end.index + 1) - 1;
    assert(to <= readableTo, `read to ${to}, readable is ${readableTo}`);

    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#log.entries.slice(from - 1, to)) {
      bytes += entry.payload.byteLength;
      if (entries.length > 0 && bytes > bytesMax) break;
      entries.push(entry);
    }
    return entries;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.#closing = true;
    await this.#settled;
    this.closed = true;
  }

  die(fate: BatchFate): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.closed = true;
    if (pending !== undefined && fate === 'kept') this.#log.commit(pending.batch);
  }

  /** Ends the write under way; undefined when it ended before, or the process died meanwhile. */
  #settle(write: Settle, fate: BatchFate): Settle | undefined {
    if (this.#pending !== write) return undefined;
    this.#pending = undefined;
    if (fate === 'kept') this.#log.commit(write.batch);
    return write;
  }

  #fail(write: Settle, fate: BatchFate): void {
    const settle = this.#settle(write, fate);
    if (settle === undefined) return;
    this.#failed = true;
    settle.failed(new TocsinError('DISK_FAILED', 'writing the log: the disk was told to fail'));
  }

  #mustServe(): void {
    if (this.closed || this.#closing) throw new TocsinError('CLOSED', 'the log store is closed');
    if (this.#failed) throw new TocsinError('DISK_FAILED', 'an earlier write failed');
  }
}
