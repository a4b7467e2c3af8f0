import type { Entry } from '../../src/raft/types.ts';
import type { LogStore } from '../../src/storage/types.ts';

/** One disk, for the cluster `CLUSTER`, empty at first. At most one store is open on it. */
export interface Rig {
  open(): Promise<LogStore>;
  /** The process that holds `store` dies without closing; the disk may be opened again. */
  crash(store: LogStore): Promise<void>;
  /** The disk reports an error for the write that comes next. */
  failNextWrite(): void;
  /** All snapshots are gone. No store is open, here and below. */
  wipeSnapshots(): Promise<void>;
  /** The record of an entry rots, or is gone; nothing if it is gone already. */
  damage(index: number, how: 'rotten' | 'gone'): Promise<void>;
  /** The same behind the back of a store that is open. */
  damageInUse(store: LogStore, index: number, how: 'rotten' | 'gone'): Promise<void>;
  /** The second chunk of each snapshot rots. */
  rotSnapshots(): Promise<void>;
  /** A record is in its place, whatever the rest of the disk says. */
  put(entry: Entry): Promise<void>;
  dispose(): Promise<void>;
}
