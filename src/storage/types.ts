import type { LogIndex, ReplicaId } from '../base/ids.ts';
import type { Entry, EntryId, HardState } from '../raft/types.ts';
import type { SnapshotMeta, SnapshotSubject } from '../wire/log/snapshot-meta.ts';

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
  /** Formatted to join a cluster that is there: it has no part in it before the others say so. */
  readonly joining?: true | undefined;
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
  /** `abstain` in it: a vote, or the newest entries, may have been forgotten. */
  readonly hardState: HardState;
  /**
   * What was acknowledged and is not there any more. While it is defined the log is not to be used: it answers `lookUp`,
   * takes `repair` and `giveUp`, and is loaded again when nothing is left. `tail` and `terms` are empty.
   */
  readonly damage: Damage | undefined;
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
  /** All configuration entries of the log, in order; of a log that is damaged, those that can be read. */
  readonly configurations: readonly Entry[];
}

export interface Damage {
  /** The last first: that is the order in which they can be repaired. */
  readonly ranges: readonly DamagedRange[];
  /** No complete snapshot reaches the place that the log begins after: one of this entry or a later one is needed. */
  readonly snapshotFrom: LogIndex | undefined;
}

/** Entries that are missing or wrong. */
export interface DamagedRange {
  readonly from: LogIndex;
  readonly to: LogIndex;
  /** The chain hash that entry `to` must have. It answers for all entries before it. */
  readonly chainAfter: number;
}

/** What a slice of the scrub came to. */
export interface Scrubbed {
  /** Read in this slice. */
  readonly bytes: number;
  /** Everything at rest has been read once more; the next slice begins again. */
  readonly roundEnds: boolean;
  /** All that is known to be lost and not yet repaired; `repair` takes it while the log is in use. */
  readonly damage: Damage | undefined;
}

/**
 * What a log says of entries `from` … `to` of which the last must have a certain chain hash. `absent`: this log is intact
 * there and never had them, as far as it knows. `damaged`: it has lost them too. `unsure`: it cannot tell now, and may be
 * able to later. `compacted`: it begins later.
 */
export type LookUp =
  | { readonly found: 'entries'; readonly entries: readonly Entry[] }
  | { readonly found: 'absent' | 'damaged' | 'unsure' | 'compacted' };

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
   * The place of an entry, as it says itself or as a complete snapshot does; where the log begins, if that is later.
   * @throws TocsinError DATA_CORRUPT: the entry is not whole; DISK_FAILED
   */
  placeAt(index: LogIndex): Promise<LogPlace>;
  /**
   * Drops the entries up to `to`, a slice at a time between writes; that last one may be lost itself. A complete snapshot
   * must reach it. What a crash leaves undone is done by the next call.
   * @throws TocsinError DISK_FAILED, DISK_FULL
   */
  compact(to: LogPlace): Promise<void>;
  /**
   * Puts the log behind a complete snapshot, in one synced step: entries after it stay if the log holds that very place,
   * and go otherwise. Counts as a write.
   */
  restart(snapshot: SnapshotMeta, hardState: HardState): Promise<void>;
  /**
   * For a peer that has lost them: the newest of the entries `range.from` … `range.to` that fit `bytesMax`, at least one,
   * up to `range.to`. Answers also while this log is itself damaged elsewhere.
   */
  lookUp(range: DamagedRange, bytesMax: number): Promise<LookUp>;
  /**
   * Puts back entries, contiguous, the last of which is the last of `damage.ranges[0]`. They are verified: from whom they
   * come makes no difference. Answers what is left; undefined = load again.
   * @throws TocsinError BODY_MALFORMED: they are not those entries; DATA_CORRUPT, DISK_FAILED, DISK_FULL
   */
  repair(entries: readonly Entry[]): Promise<Damage | undefined>;
  /**
   * Cuts the log from the first entry of `damage.ranges[0]` on: a majority has proven that `never`, from there on, was
   * committed so far. The replica abstains until it has caught up.
   * @throws TocsinError DATA_LOST: that was committed
   */
  giveUp(never: LogIndex): Promise<Damage | undefined>;
  /**
   * Verifies the next part of what is at rest: entries that are committed, chunks of snapshots. Of what `committed` says the
   * log may not know yet. Where it has got to is not kept over a restart, which verifies everything.
   */
  scrub(bytesMax: number, committed?: LogIndex): Promise<Scrubbed>;
  /** Room left on the disk. @throws TocsinError DISK_FAILED */
  freeBytes(): Promise<number>;
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
  /** Whether a chunk is whole. If not, the snapshot leaves the list: what is whole of it waits to be staged again. */
  verify(id: string, chunk: number): Promise<boolean>;
  /**
   * Forgets a complete one for good; does nothing if there is none of that id. If none is left that reaches the place the
   * log begins after, the next start asks for another.
   */
  drop(id: string): Promise<void>;
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
