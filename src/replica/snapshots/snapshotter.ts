import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, logIndex, type Millis, millis, term } from '../../base/ids.ts';
import {
  COMPACT_LOOK_MS,
  SNAPSHOT_ENTRIES,
  SNAPSHOT_LOG_BYTES,
  SNAPSHOT_LOG_SHARE_MIN,
  SNAPSHOT_RETRY_MS,
  TICK_MS,
} from '../../base/limits.ts';
import type { Entry } from '../../raft/types.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import type { MachineCapture } from '../../statemachine/snapshot/capture.ts';
import type {
  DamagedRange,
  LogPlace,
  LogStore,
  SnapshotMeta,
  SnapshotSubject,
} from '../../storage/types.ts';
import { snapshotBytes } from '../../wire/log/snapshot-meta.ts';
import type { AppliedState } from '../pipeline/applied-state.ts';
import { isFull } from '../room-again.ts';
import type { Turns } from '../turns.ts';
import { LogWeight } from './log-weight.ts';
import { writeImage } from './machine-image.ts';

/** When a snapshot is due: after so many entries, or bytes of them. */
export interface SnapshotPolicy {
  readonly entries: number;
  readonly logBytes: number;
  /** But never before the log has grown by this share of the snapshot before: it is written whole each time. */
  readonly share: number;
}

const POLICY: SnapshotPolicy = {
  entries: SNAPSHOT_ENTRIES,
  logBytes: SNAPSHOT_LOG_BYTES,
  share: SNAPSHOT_LOG_SHARE_MIN,
};

export interface SnapshotterParts {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly state: AppliedState;
  /** The entry that was applied last, and who belonged to the cluster then. */
  readonly place: () => Pick<SnapshotSubject, 'index' | 'term' | 'chain' | 'members'>;
  /** Why the state is in doubt; undefined = it is not. */
  readonly problem: () => TocsinError | undefined;
  /** Entries up to here are on this disk. */
  readonly durable: () => LogIndex;
  readonly committed: () => number;
  /** Of an entry of the log, or of the place where it begins; undefined = there is none. */
  readonly termAt: (index: number) => number | undefined;
  /** What connected peers and those who fetch a snapshot still need of the log; the lowest place. */
  readonly needed: () => LogIndex;
  /** The log is about to lose everything up to `index`. */
  readonly compacting: (index: LogIndex) => void;
  readonly log: (line: string) => void;
  readonly onFault: (error: unknown) => void;
  readonly policy?: SnapshotPolicy | undefined;
}

/** What a snapshot is written from. */
interface Captured {
  readonly machine: AlertMachine;
  readonly capture: MachineCapture;
  readonly subject: SnapshotSubject;
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Takes a snapshot when the log has grown, without stopping anything, and lets the log forget what is in the snapshot
 * before: so the log reaches back over one whole interval for those who lag, and the older of the two snapshots can
 * stand in for a damaged newer one.
 */
export class Snapshotter {
  readonly #parts: SnapshotterParts;
  readonly #policy: SnapshotPolicy;
  /** Since the newest snapshot. */
  #entries = 0;
  #bytes = 0;
  readonly #weight = new LogWeight();
  /** A peer that lost its own can go on from a snapshot that reaches this. */
  #wanted: LogIndex = logIndex(0);
  #isBusy = false;
  #stopped = false;
  #looksAgainAt: Millis = millis(0);
  #compactedTo: LogIndex = logIndex(0);
  /** There it met an entry that is lost. */
  #refusedAt: LogIndex = logIndex(0);
  /** The one before found no room. */
  #restsUntil: Millis = millis(0);

  constructor(parts: SnapshotterParts) {
    this.#parts = parts;
    this.#policy = parts.policy ?? POLICY;
  }

  get newest(): SnapshotMeta | undefined {
    return this.#parts.store.snapshots.list[0];
  }

  noteApplied(entry: Entry): void {
    this.#entries += 1;
    this.#bytes += entry.payload.byteLength;
    this.#weight.note(entry.index, entry.payload.byteLength);
  }

  /** Called once a tick: begins what is due. A log gets shorter on a disk that has no room for a snapshot, too. */
  tick(hasRoom: boolean): void {
    if (this.#isBusy || this.#stopped) return;
    if (hasRoom && this.#isDue()) this.take().catch((error: unknown) => this.#failed(error));
    else if (this.#parts.clock.monotonic() >= this.#looksAgainAt)
      this.#catchUp().catch(this.#parts.onFault);
  }

  /** Those for whom the log was kept may have gone on, or away. */
  async #catchUp(): Promise<void> {
    this.#looksAgainAt = millis(this.#parts.clock.monotonic() + COMPACT_LOOK_MS);
    const upTo = this.#upTo;
    if (upTo <= this.#compactedTo) return;
    this.#isBusy = true;
    try {
      await this.#compact(upTo);
    } finally {
      this.#isBusy = false;
    }
  }

  /** A peer needs one that reaches so far, and asks until there is one. What cannot be taken yet hides nothing that can. */
  want(reaching: LogIndex): void {
    if (reaching <= this.#parts.state.machine.applied)
      this.#wanted = logIndex(Math.max(this.#wanted, reaching));
  }

  /**
   * Lets the log begin right after what it has lost, once a snapshot holds that and can be read. One is taken if there is
   * none; until it is there, and while the state is in doubt, the answer is false.
   */
  async beginAfter({ to, chainAfter }: DamagedRange): Promise<boolean> {
    const { state, durable, committed, problem, log } = this.#parts;
    if (this.#isBusy || this.#stopped || problem() !== undefined) return false;
    if (to > Math.min(state.machine.applied, committed(), durable())) return false;
    if ((this.newest?.index ?? 0) < to) {
      this.want(to);
      return false;
    }
    this.#isBusy = true;
    try {
      if (!(await this.#isWhole(to)) || problem() !== undefined) return false;
      const at = this.#parts.termAt(to);
      // A snapshot takes the place of the log: the core has taken it over, and the disk is about to.
      if (at === undefined) return true;
      await this.#forget({ index: to, term: term(at), chain: chainAfter });
    } finally {
      this.#isBusy = false;
    }
    log(`what was lost is in a snapshot: the log begins after entry ${to}`);
    return true;
  }

  /** Whether the newest snapshot reaches `to` and can be read: one that has rotted is not relied on, and taken anew. */
  async #isWhole(to: LogIndex): Promise<boolean> {
    const { snapshots } = this.#parts.store;
    const newest = this.newest;
    if (newest === undefined) return false;
    for (let chunk = 0; chunk < newest.chunks.length && !this.#stopped; chunk += 1)
      if (!(await snapshots.verify(newest.id, chunk))) return false;
    return !this.#stopped && (this.newest?.index ?? 0) >= to;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** For want of room only the snapshot is lost, and with it nothing: the log has all of it, and it is tried again later. */
  #failed(error: unknown): void {
    const { log, onFault, clock } = this.#parts;
    if (isFull(error)) {
      log(`no snapshot: ${error.message}`);
      this.#restsUntil = millis(clock.monotonic() + SNAPSHOT_RETRY_MS);
    } else onFault(error);
  }

  #isDue(): boolean {
    if (this.#parts.clock.monotonic() < this.#restsUntil) return false;
    if (this.#isWanted()) return true;
    const { entries, logBytes, share } = this.#policy;
    if (this.#entries < entries && this.#bytes < logBytes) return false;
    return this.newest === undefined || this.#bytes >= snapshotBytes(this.newest) * share;
  }

  /** In a cluster where little happens the next one by the policy may be days away. */
  #isWanted(): boolean {
    const { applied } = this.#parts.state.machine;
    return this.#wanted <= applied && (this.newest?.index ?? 0) < this.#wanted;
  }

  /** Drops those of entry `from` and later ones, once none is being taken. */
  async discard(from: LogIndex): Promise<void> {
    const { snapshots } = this.#parts.store;
    while (this.#isBusy) await this.#wait();
    for (const { id, index } of snapshots.list) {
      if (index < from) continue;
      await snapshots.drop(id);
      this.#parts.log(`snapshot ${id} is dropped: the state in it is in doubt`);
    }
  }

  /**
   * Takes one now. Undefined if it was not wanted any more, or there is nothing new.
   * @throws TocsinError UNAVAILABLE while the state is in doubt
   */
  async take(): Promise<SnapshotMeta | undefined> {
    const problem = this.#parts.problem();
    if (problem !== undefined) throw problem;
    const { state } = this.#parts;
    if (this.#stopped || this.#isBusy || !this.#isNews(state.machine)) return undefined;
    this.#isBusy = true;
    try {
      const captured = await new Promise<Captured | undefined>((resolve) => {
        state.whole(() => resolve(this.#capture()));
      });
      if (captured === undefined) return undefined;
      const { entries, bytes } = captured;
      const meta = await this.#write(captured);
      if (meta !== undefined) {
        this.#entries -= entries;
        this.#bytes -= bytes;
      }
      return meta;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Of the state after a whole entry; undefined if by then there is nothing to take, or nothing to rely on. */
  #capture(): Captured | undefined {
    const { state, place, problem } = this.#parts;
    const { machine } = state;
    if (machine.isMidway || problem() !== undefined || !this.#isNews(machine)) return undefined;
    const capture = machine.capture();
    const { revision, digest, machineVersion } = capture.header;
    const subject = { ...place(), revision, digest, machineVersion };
    return { machine, capture, subject, entries: this.#entries, bytes: this.#bytes };
  }

  #isNews(machine: AlertMachine): boolean {
    return machine.applied > (this.newest?.index ?? 0);
  }

  async #write({ machine, capture, subject }: Captured): Promise<SnapshotMeta | undefined> {
    const { store, turns, state, problem, durable } = this.#parts;
    const isWanted = (): boolean =>
      !this.#stopped && state.machine === machine && problem() === undefined;
    const writer = await store.snapshots.create(subject);
    try {
      const isWhole = await writeImage(capture, writer, turns, isWanted);
      // A quorum can commit what this disk does not hold yet, and a log must never end before its snapshot.
      while (isWanted() && durable() < subject.index) await this.#wait();
      if (!isWhole || !isWanted()) return undefined;
      const meta = await writer.commit();
      this.#parts.log(`snapshot ${meta.id}: ${snapshotBytes(meta)} bytes`);
      if (isWanted()) await this.#compact(this.#upTo);
      return meta;
    } finally {
      await writer.abandon();
    }
  }

  /** The log may begin after this: the older snapshot holds it, and nobody who is there needs it, or needs too much. */
  get #upTo(): LogIndex {
    const { store, state, committed, durable, needed } = this.#parts;
    const older = store.snapshots.list[1]?.index ?? 0;
    // One that was fetched may be ahead of the log.
    const reach = Math.min(older, state.machine.applied, committed(), durable());
    return logIndex(Math.min(reach, Math.max(needed(), this.#weight.heavyFrom)));
  }

  async #compact(upTo: LogIndex): Promise<void> {
    const { store, log } = this.#parts;
    if (upTo === 0) return;
    try {
      const place = await store.placeAt(upTo);
      // Those that are there may have rotted meanwhile.
      if ((this.newest?.index ?? 0) < upTo) return;
      await this.#forget(place);
      this.#compactedTo = upTo;
    } catch (error) {
      // What rots is found and repaired by whoever looks for that; then the log is compacted.
      if (!TocsinError.is(error) || error.code !== 'DATA_CORRUPT') throw error;
      if (this.#refusedAt !== upTo) log(`the log is not compacted: ${error.message}`);
      this.#refusedAt = upTo;
    }
  }

  #forget(to: LogPlace): Promise<void> {
    this.#parts.compacting(to.index);
    return this.#parts.store.compact(to);
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.after(millis(TICK_MS), resolve);
    });
  }
}
