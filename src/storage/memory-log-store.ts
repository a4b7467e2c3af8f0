import { assert, must } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import { type LogIndex, logIndex } from '../base/ids.ts';
import type { Entry, HardState } from '../raft/types.ts';
import { recordOf } from '../wire/record.ts';
import {
  committedTo,
  compacted,
  emptyState,
  endAfter,
  type LogState,
  restartedAt,
  stateAfter,
  TailCollector,
} from './log-state.ts';
import { MemoryFiles } from './memory-files.ts';
import { Snapshots } from './snapshots.ts';
import type { LogPlace, LogStore, LogWrite, Restored, SnapshotMeta } from './types.ts';

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
  /** Of its snapshots: what a test changes there is what the next start finds. */
  readonly files: MemoryFiles = new MemoryFiles();
  readonly #log: DurableLog;
  #store: MemoryLogStore | undefined;

  constructor(clusterId: string) {
    this.#log = new DurableLog(clusterId);
  }

  /** @throws TocsinError DATA_LOCKED while another store is open */
  open(): LogStore {
    if (this.#store !== undefined && !this.#store.closed)
      throw new TocsinError('DATA_LOCKED', 'another store uses this disk');
    const snapshots = new Snapshots(this.files);
    this.#store = new MemoryLogStore(this.#log, snapshots, (write) => this.#decide(write));
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
  readonly #entries: Entry[] = [];
  state: LogState;

  constructor(clusterId: string) {
    this.state = emptyState(clusterId);
  }

  /** Those after the base. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  check(batch: LogWrite): LogState {
    return stateAfter(this.state, batch, this.#endBefore(batch.truncateFrom));
  }

  commit(batch: LogWrite): void {
    const after = this.check(batch);
    const { base } = this.state;
    if (batch.truncateFrom !== undefined)
      this.#entries.length = batch.truncateFrom - base.index - 1;
    for (const entry of batch.entries) this.#entries.push(entry);
    this.state = after;
  }

  compact(to: LogIndex): void {
    const { base } = this.state;
    if (to <= base.index) return;
    const place = this.placeAt(to);
    this.#entries.splice(0, to - base.index);
    this.state = compacted(this.state, place);
  }

  restart(place: LogPlace, hardState: HardState): void {
    const { base, end } = this.state;
    assert(place.index >= base.index, `restart at ${place.index}, behind the base`);
    const holds = place.index <= end.index && this.placeAt(place.index).chain === place.chain;
    if (!holds) this.#entries.length = 0;
    this.state = holds
      ? { ...this.state, hardState: committedTo(hardState, place) }
      : restartedAt(place, hardState);
  }

  placeAt(index: LogIndex): LogPlace {
    const { base } = this.state;
    if (index === base.index) return base;
    return endAfter(recordOf(must(this.#entries[index - base.index - 1], `no entry ${index}`)));
  }

  #endBefore(from: LogIndex | undefined): LogPlace {
    const { base, end } = this.state;
    if (from === undefined || from > end.index) return end;
    assert(from > base.index, `cut from ${from}, the log begins after ${base.index}`);
    return this.placeAt(logIndex(from - 1));
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
  readonly snapshots: Snapshots;
  readonly #log: DurableLog;
  readonly #decide: (write: HeldWrite) => void;
  #loaded = false;
  #pending: Settle | undefined;
  #settled: Promise<void> = Promise.resolve();
  #failed = false;
  #closing = false;
  /** Gave the disk back; while it still waits for a write it has not. */
  closed = false;

  constructor(log: DurableLog, snapshots: Snapshots, decide: (write: HeldWrite) => void) {
    this.#log = log;
    this.snapshots = snapshots;
    this.#decide = decide;
  }

  settle(): void {}

  async load(): Promise<Restored> {
    this.#mustServe();
    assert(this.#pending === undefined, 'load during a write');
    this.#loaded = true;
    await this.snapshots.load();
    const snapshot = this.snapshots.list[0];
    if ((snapshot?.index ?? 0) < this.#log.state.base.index)
      throw new TocsinError('DATA_CORRUPT', 'no snapshot reaches the beginning of the log');
    if (snapshot !== undefined) this.#log.restart(snapshot, this.#log.state.hardState);
    const { hardState, base } = this.#log.state;
    const collector = new TailCollector(hardState.commit);
    for (const entry of this.#log.entries) collector.add(recordOf(entry));
    return { hardState, snapshot, base, ...collector.finish() };
  }

  async compact(to: LogIndex): Promise<void> {
    this.#mustServe();
    const newest = this.snapshots.list[0]?.index ?? 0;
    assert(to <= newest, `compacts up to ${to}, the newest snapshot reaches ${newest}`);
    await this.#settled;
    this.#mustServe();
    this.#log.compact(to);
  }

  async restart(snapshot: SnapshotMeta, hardState: HardState): Promise<void> {
    this.#mustServe();
    assert(this.#pending === undefined, 'a write is under way');
    this.#log.restart(snapshot, hardState);
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
    const { base } = this.#log.state;
    assert(from > base.index, `read from ${from}, the log begins after ${base.index}`);
    assert(from <= to, `read from ${from} to ${to}`);
    assert(bytesMax > 0, `read of ${bytesMax} bytes`);
    const readableTo = (this.#pending?.batch.truncateFrom ?? this.#log.state.end.index + 1) - 1;
    assert(to <= readableTo, `read to ${to}, readable is ${readableTo}`);

    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#log.entries.slice(from - base.index - 1, to - base.index)) {
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
