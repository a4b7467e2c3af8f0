import type { LogIndex, ReplicaId } from '../base/ids.ts';
import type { Entry, EntryId, HardState } from '../raft/types.ts';
import type { SnapshotMeta, SnapshotSubject } from '../wire/snapshot-meta.ts';

export type { SnapshotMeta, SnapshotSubject };

/** Who a data folder belongs to; written once by `format`. */
export interface Identity {
  /** 32 hex digits, the same on all members. */
  readonly clusterId: string;
  readonly replicaId: ReplicaId;
  /** Drawn anew at each format: a wiped disk is a new member. */
  readonly incarnation: number;
  /** All members, this one included, in order of id. */
  readonly members: readonly Member[];
}

export interface Member {
  readonly id: ReplicaId;
  /** Multiaddr on which the member listens. */
  readonly address: string;
}

/** A place in the log and the hash that answers for everything up to it. */
export interface LogPlace extends EntryId {
  readonly chain: number;
}

/** What a replica knows of its log before it does anything. */
export interface Restored {
  readonly hardState: HardState;
  /** The newest complete snapshot: the machine starts from it. Never older than `base`. */
  readonly snapshot: SnapshotMeta | undefined;
  /** The log begins right after this place; {0, 0} until something was compacted. */
  readonly base: LogPlace;
  /**
   * The newest entries, contiguous and up to the last, as many as memory is meant to hold but at least from the commit
   * index on; empty only for a log that is empty behind `base`.
   */
  readonly tail: readonly Entry[];
  /** Where each run of equal terms begins, over the whole log, in order. */
  readonly terms: readonly TermStart[];
  /** All configuration entries of the log, in order. */
  readonly configurations: readonly Entry[];
}

export interface TermStart {
  readonly from: LogIndex;
  readonly term: number;
}

/** One write: all of it or nothing, durable when the promise resolves. */
export interface LogWrite {
  readonly hardState: HardState | undefined;
  /** Entries from here on are replaced by `entries`; undefined = nothing is cut. */
  readonly truncateFrom: LogIndex | undefined;
  readonly entries: readonly Entry[];
}

/**
 * The durable log of one replica, and its snapshots. At most one `write` is under way at a time. After a failed write
 * every later call fails with DISK_FAILED: whether the failed batch is there is unknown until the next start.
 */
export interface LogStore {
  readonly snapshots: SnapshotStore;
  load(): Promise<Restored>;
  write(batch: LogWrite): Promise<void>;
  /** Entries `from` … `to`, as many as fit `bytesMax`, at least one. */
  read(from: LogIndex, to: LogIndex, bytesMax: number): Promise<readonly Entry[]>;
  /**
   * Drops the entries up to `to`, a slice at a time between writes. A complete snapshot must reach `to`. What a crash
   * leaves undone is done by the next call.
   */
  compact(to: LogIndex): Promise<void>;
  /**
   * Puts the log behind a complete snapshot, in one synced step: entries after it stay if the log holds that very place,
   * and go otherwise. Counts as a write.
   */
  restart(snapshot: SnapshotMeta, hardState: HardState): Promise<void>;
  /** Nothing waits to be written: a moment for what is done in idle time. Returns at once. */
  settle(): void;
  close(): Promise<void>;
}

/**
 * Complete snapshots, and those that are being made. A snapshot is complete at one moment, by one rename; before it there
 * is nothing but a temporary file, which a restart clears away. The newest `SNAPSHOTS_KEPT` are kept.
 */
export interface SnapshotStore {
  /** Complete ones, newest first. */
  readonly list: readonly SnapshotMeta[];
  /** Begins a snapshot of this replica's own state. One at a time. */
  create(subject: SnapshotSubject): Promise<SnapshotWriter>;
  /** Begins, or goes on with, a snapshot that comes from elsewhere. One at a time: another id takes its place. */
  stage(meta: SnapshotMeta): Promise<StagedSnapshot>;
  /**
   * The bytes of a chunk, verified.
   * @throws TocsinError DATA_MISSING (no such snapshot any more), DATA_CORRUPT, DISK_FAILED
   */
  readChunk(id: string, chunk: number): Promise<Uint8Array>;
}

export interface SnapshotWriter {
  /** At most SNAPSHOT_CHUNK_BYTES, not empty. */
  append(chunk: Uint8Array): Promise<void>;
  /** Makes it durable and complete. */
  commit(): Promise<SnapshotMeta>;
  /** Leaves nothing behind. Does nothing after `commit`. */
  abandon(): Promise<void>;
}

export interface StagedSnapshot {
  readonly meta: SnapshotMeta;
  /** The first chunk that is not there yet; undefined = all are. */
  readonly missing: number | undefined;
  /**
   * Any chunk, in any order, more than once.
   * @throws TocsinError BODY_MALFORMED: the bytes are not that chunk
   */
  put(chunk: number, bytes: Uint8Array): Promise<void>;
  /**
   * Verifies the whole and makes it complete and durable.
   * @throws TocsinError DATA_CORRUPT: the hash is not the one in `meta`; nothing is left of it
   */
  finish(): Promise<void>;
}
