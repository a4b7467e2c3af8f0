import type { LogIndex, ReplicaId } from '../base/ids.ts';
import type { Entry, HardState } from '../raft/types.ts';

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

/** What a replica knows of its log before it does anything. */
export interface Restored {
  readonly hardState: HardState;
  /**
   * The newest entries, contiguous and up to the last, as many as memory is meant to hold but at least from the commit
   * index on; empty only for an empty log.
   */
  readonly tail: readonly Entry[];
  /** Where each run of equal terms begins, over the whole log, in order. */
  readonly terms: readonly TermStart[];
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
 * The durable log of one replica. At most one `write` is under way at a time. After a failed write every later call
 * fails with DISK_FAILED: whether the failed batch is there is unknown until the next start.
 */
export interface LogStore {
  load(): Promise<Restored>;
  write(batch: LogWrite): Promise<void>;
  /** Entries `from` … `to`, as many as fit `bytesMax`, at least one. */
  read(from: LogIndex, to: LogIndex, bytesMax: number): Promise<readonly Entry[]>;
  /** Nothing waits to be written: a moment for what is done in idle time. Returns at once. */
  settle(): void;
  close(): Promise<void>;
}
