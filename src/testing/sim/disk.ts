import { TocsinError } from '../../base/errors.ts';
import { type Millis, millis } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import type { HardState } from '../../raft/types.ts';
import { entryKey, STATE_KEYS } from '../../storage/level/level.ts';
import {
  type HeldWrite,
  MemoryDisk,
  type RecordDamage,
} from '../../storage/log/memory-log-store.ts';
import { decodeState, type StoredState } from '../../storage/log/state-record.ts';
import type { LogStore } from '../../storage/types.ts';
import { EntryRecord, recordOf } from '../../wire/log/record.ts';
import type { SimClock } from './clock.ts';

/** How a disk behaves from now on. */
export interface DiskMood {
  /** Milliseconds a write takes, in the mean. */
  meanMs: number;
  /** Writes hang until the process gives up. */
  isStuck: boolean;
  /** The next write fails; whether it is there all the same is drawn. */
  failsNextWrite: boolean;
  failsNextRead: boolean;
  /** Room that it says it has; undefined = plenty. With none at all, half of the writes fail. */
  roomBytes: number | undefined;
}

/** One replica's disk: a write is pending until it is durable, and a crash keeps what it likes of what is pending. */
export class SimDisk {
  readonly mood: DiskMood = {
    meanMs: 1,
    isStuck: false,
    failsNextWrite: false,
    failsNextRead: false,
    roomBytes: undefined,
  };
  /** Told of each write that has become durable. */
  onDurable: (before: HardState | undefined, now: HardState) => void = () => {};
  /** Told of each record that is handed over to be written. */
  onRecord: (record: EntryRecord) => void = () => {};
  #memory: MemoryDisk;
  readonly #clusterId: string;
  readonly #clock: SimClock;
  readonly #prng: Prng;
  #pending: HeldWrite | undefined;
  /** Entries that were damaged and may not be repaired yet. */
  readonly #damaged: Set<number> = new Set();
  /** Entries that rotted while a process runs that may not have noticed yet, as they were. */
  readonly #rotting: Map<number, EntryRecord> = new Map();
  /** Entries that were acknowledged, and lost in a way that no process can notice. */
  readonly #forgotten: Set<number> = new Set();
  /** What was durable when all of it was wiped. */
  readonly #wiped: Map<number, number | 'snapshot'> = new Map();
  /** A copy of the hard state is gone, and no process has looked yet. */
  #isStateHurt = false;
  #isSnapshotHurt = false;

  constructor(clusterId: string, clock: SimClock, prng: Prng) {
    this.#clusterId = clusterId;
    this.#memory = this.#blank();
    this.#clock = clock;
    this.#prng = prng;
  }

  #blank(): MemoryDisk {
    const memory = new MemoryDisk(this.#clusterId);
    memory.onWrite = (write) => this.#decide(write);
    memory.beforeFile = () => this.#delay();
    return memory;
  }

  /** All that was on it is gone. */
  wipe(): void {
    const last = this.state?.lastIndex ?? 0;
    for (let index = 1; index <= last; index += 1) {
      const chain = this.chainAt(index);
      if (chain !== undefined) this.#wiped.set(index, chain);
    }
    this.#memory = this.#blank();
    this.repaired();
  }

  /** Complete snapshots, by index, term and hash. */
  get snapshots(): readonly string[] {
    const names = [...this.#memory.files.contents.keys()];
    return names.filter((name) => name.endsWith(META)).map((name) => name.slice(0, -META.length));
  }

  /** What would be read of the hard state after a crash now; undefined = no copy of it is whole. */
  get state(): StoredState | undefined {
    for (const copy of STATE_COPIES) {
      const bytes = this.#memory.peek(STATE_KEYS[copy]);
      const state = bytes === undefined ? undefined : stateIn(bytes, copy);
      if (state !== undefined) return state;
    }
    return undefined;
  }

  /** The chain hash of an entry that is durable here, itself or as part of a snapshot. */
  chainAt(index: number): number | 'snapshot' | undefined {
    // It was durable, and will be again before anyone relies on it.
    if (this.#damaged.has(index)) return 'snapshot';
    const bytes = this.#memory.peek(entryKey(index));
    const record = (bytes && recordIn(bytes)) ?? this.#rotting.get(index);
    if (bytes !== undefined || record !== undefined) return record?.chain;
    if (this.#forgotten.has(index)) return 'snapshot';
    if (index <= (this.state?.base.index ?? 0)) return 'snapshot';
    // It was acknowledged while it was there: a quorum outlives the loss of this disk, and of what it held.
    return this.#wiped.get(index);
  }

  /** The term of a durable entry; undefined = there is none, or not by itself any more. */
  termAt(index: number): number | undefined {
    const { base } = this.state ?? {};
    if (base !== undefined && index === base.index) return base.term;
    const bytes = this.#memory.peek(entryKey(index));
    return ((bytes && recordIn(bytes)) ?? this.#rotting.get(index))?.term;
  }

  open(): LogStore {
    const store = this.#memory.open();
    const overrides: Partial<LogStore> = {
      write: (batch) => {
        for (const entry of batch.entries) this.onRecord(recordOf(entry));
        return store.write(batch);
      },
      read: async (from, to, bytesMax) => {
        await this.#delay();
        if (this.mood.failsNextRead) {
          this.mood.failsNextRead = false;
          throw new TocsinError('DISK_FAILED', 'reading the log: the disk was told to fail');
        }
        return await store.read(from, to, bytesMax);
      },
      // Reading takes time, and the scrub rests in proportion: most of its rounds find what the ones before found.
      scrub: async (bytesMax) => {
        await this.#delay(SCRUB_TIMES);
        return await store.scrub(bytesMax);
      },
      restart: async (snapshot, hardState) => {
        await this.#delay();
        const before = this.state;
        await store.restart(snapshot, hardState);
        this.#told(before);
      },
    };
    const bound = new Map<PropertyKey, unknown>(Object.entries(overrides));
    return new Proxy(store, {
      get: (target, name) => {
        const known = bound.get(name);
        if (known !== undefined) return known;
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        const method: unknown = value.bind(target);
        bound.set(name, method);
        return method;
      },
    });
  }

  /** Something on it is not what was acknowledged, or may not be. */
  get isDamaged(): boolean {
    return this.hasLost || this.#isStateHurt || this.#isInDoubt || this.isRotting;
  }

  /** A process abstains that runs on it; or will, since the mark knows of more: the doubt itself takes a write. */
  get #isInDoubt(): boolean {
    const { hardState, sequence = 0 } = this.state ?? {};
    return hardState?.abstain === true || this.#memory.marked > sequence;
  }

  /** What was acknowledged is not there, and no process has repaired it. */
  get hasLost(): boolean {
    return this.#damaged.size > 0 || this.#isSnapshotHurt;
  }

  /** Some entries rot, are torn or are gone without a trace, while nobody looks. */
  damage(kinds: readonly RecordDamage[]): void {
    const { base, lastIndex = 0 } = this.state ?? {};
    const first = (base?.index ?? 0) + 1;
    for (let count = this.#prng.between(1, 3); count > 0 && first <= lastIndex; count -= 1) {
      const index = this.#prng.between(first, lastIndex);
      this.#damaged.add(index);
      this.#memory.damage(index, this.#prng.pick(kinds));
    }
  }

  /** Some entries are not what they were, and the process that runs has them, or knows that they are in a snapshot. */
  rot(kinds: readonly RecordDamage[]): void {
    const { base, hardState } = this.state ?? {};
    const first = (base?.index ?? 0) + 1;
    // The entry after it must be known to be committed, or nothing says what it was.
    const last = (hardState?.commit ?? 0) - 1;
    for (let count = this.#prng.between(1, 3); count > 0 && first <= last; count -= 1) {
      const index = this.#prng.between(first, last);
      const bytes = this.#memory.peek(entryKey(index));
      const record = bytes && recordIn(bytes);
      if (record === undefined) continue;
      this.#rotting.set(index, record);
      this.#memory.damage(index, this.#prng.pick(kinds));
    }
  }

  /** What rotted while a process ran is not made good yet. */
  get isRotting(): boolean {
    const base = this.state?.base.index ?? 0;
    for (const index of this.#rotting.keys()) {
      const bytes = this.#memory.peek(entryKey(index));
      if (index <= base || (bytes && recordIn(bytes)) !== undefined) this.#rotting.delete(index);
    }
    return this.#rotting.size > 0;
  }

  /** One of the two copies of the hard state is gone. */
  damageState(): void {
    this.#isStateHurt = true;
    this.#memory.damageState();
  }

  /** Some byte of a snapshot has rotted. */
  damageSnapshot(): void {
    const { contents } = this.#memory.files;
    const [id] = this.snapshots.slice(-1);
    const name = `${id}.data`;
    const bytes = contents.get(name)?.slice();
    if (bytes === undefined || bytes.byteLength === 0) return;
    const at = this.#prng.between(0, bytes.byteLength - 1);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    contents.set(name, bytes);
    this.#isSnapshotHurt = true;
  }

  /**
   * Takes an image; the function puts it back after a crash, and all writes since are lost without a trace but for the mark
   * in the second place. False, and nothing is done, if that would not know of them either: nobody can tell then.
   */
  remember(): () => boolean {
    const putBack = this.#memory.remember();
    const { sequence = 0, lastIndex = 0 } = this.state ?? {};
    return () => {
      if (this.#memory.marked <= sequence) return false;
      const { lastIndex: newest = 0 } = this.state ?? {};
      putBack();
      for (let index = lastIndex + 1; index <= newest; index += 1) this.#damaged.add(index);
      return true;
    };
  }

  /**
   * A process runs on it: what was damaged has been repaired, or cut with proof that nobody needs it. But of what came after
   * the mark it knows nothing: it abstains then, and helps to elect nobody before it has caught up.
   */
  repaired(): void {
    const { hardState, lastIndex = 0 } = this.state ?? {};
    if (hardState?.abstain !== true) this.#forgotten.clear();
    else for (const index of this.#damaged) if (index > lastIndex) this.#forgotten.add(index);
    this.#damaged.clear();
    this.#rotting.clear();
    this.#isStateHurt = false;
    this.#isSnapshotHurt = false;
  }

  /** The process dies. */
  crash(): void {
    const write = this.#pending;
    this.#pending = undefined;
    const before = this.state;
    this.#memory.crash(write !== undefined && this.#prng.chance(0.5) ? 'kept' : 'lost');
    if (this.isRotting) for (const index of this.#rotting.keys()) this.#damaged.add(index);
    this.#rotting.clear();
    this.#told(before);
  }

  /** Room left, from now on; undefined = plenty. */
  set roomBytes(bytes: number | undefined) {
    this.mood.roomBytes = bytes;
    this.#memory.freeBytes = bytes ?? PLENTY_BYTES;
  }

  #decide(write: HeldWrite): void {
    this.#pending = write;
    if (this.mood.isStuck) return;
    this.#clock.after(this.#latency(), () => {
      if (this.#pending !== write) return;
      this.#pending = undefined;
      const before = this.state;
      const isFull = this.mood.roomBytes === 0 && this.#prng.chance(0.5);
      if (isFull) write.fail('lost');
      else if (this.mood.failsNextWrite) {
        this.mood.failsNextWrite = false;
        write.fail(this.#prng.chance(0.5) ? 'kept' : 'lost');
      } else write.complete();
      this.#told(before);
    });
  }

  #told(before: StoredState | undefined): void {
    const now = this.state;
    if (now === undefined) return;
    this.onDurable(before?.hardState, now.hardState);
    // By now it has all that a leader has whom others have elected.
    if (now.hardState.abstain !== true) this.#forgotten.clear();
  }

  #latency(): Millis {
    return millis(-Math.log(1 - this.#prng.unit()) * this.mood.meanMs);
  }

  #delay(times = 1): Promise<void> {
    const delay = millis(this.#latency() * times);
    return new Promise((resolve) => this.#clock.after(delay, resolve));
  }
}

/** Reading what is at rest takes so many times as long as one write: whoever waits for a write goes before. */
const SCRUB_TIMES = 20;
const PLENTY_BYTES = 2 ** 40;
/** Ends the name of the file that makes a snapshot complete. */
const META = '.meta';
const STATE_COPIES = [0, 1] as const;

/** The record in the bytes, if they are whole. */
const recordIn = once((bytes: Uint8Array): EntryRecord | undefined => {
  try {
    return EntryRecord.parse(bytes);
  } catch {
    return undefined;
  }
});

const stateIn = once((bytes: Uint8Array, copy: 0 | 1): StoredState | undefined => {
  const state = decodeState(bytes, copy);
  return typeof state === 'string' ? undefined : state;
});

/** Bytes on a disk are replaced, never changed; so what was read out of them once stays right. */
function once<T, Rest extends readonly unknown[]>(
  read: (bytes: Uint8Array, ...rest: Rest) => T,
): (bytes: Uint8Array, ...rest: Rest) => T {
  const known = new WeakMap<Uint8Array, { readonly value: T }>();
  return (bytes, ...rest) => {
    let found = known.get(bytes);
    if (found === undefined) {
      found = { value: read(bytes, ...rest) };
      known.set(bytes, found);
    }
    return found.value;
  };
}
