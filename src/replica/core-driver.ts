import { assert } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import {
  type LogIndex,
  logIndex,
  type Millis,
  millis,
  type ReplicaId,
  type UnixMillis,
} from '../base/ids.ts';
import { COMMIT_NOTICE_MS, TICK_MS } from '../base/limits.ts';
import type { Plan, Target } from '../raft/change.ts';
import type { Configuration } from '../raft/configuration.ts';
import { RaftCore, type RaftInit } from '../raft/core.ts';
import type { ChangeResult } from '../raft/membership.ts';
import type { PeerView } from '../raft/peers.ts';
import type {
  Entry,
  LogRead,
  Message,
  Payload,
  ProposeResult,
  Ready,
  Standing,
} from '../raft/types.ts';
import type { LogPlace, LogStore, SnapshotMeta } from '../storage/types.ts';
import { EntryRecord } from '../wire/log/record.ts';
import { listsOf } from '../wire/peers/members.ts';
import { LogTime } from './clocks/log-time.ts';
import { DiskWriter } from './pipeline/disk-writer.ts';
import { Sealer } from './pipeline/sealer.ts';

/** What the driver tells whoever owns it. */
export interface DriverEvents {
  /** The disk is free: what waits may become the next entry. */
  cut(): void;
  /** To be sent to a peer, with the others of this turn. */
  send(message: Message): void;
  /** What was sent may leave now. */
  sent(): void;
  /** A write took so long until it was durable. */
  wrote(ms: Millis): void;
  /** What one Ready means for members, applying and reads. `snapshot` is the one that takes the place of the state. */
  progressed(ready: Ready, snapshot: SnapshotMeta | undefined): void;
  /** Somebody else leads, or nobody. */
  standing(before: Standing, now: Standing): void;
  /** Entries at rest, of which memory holds none, are damaged: a peer cannot have them from here. */
  rotten(error: TocsinError): void;
  failed(error: unknown): void;
}

export interface DriverParts {
  readonly init: Omit<RaftInit, 'noop' | 'leaveJoint'>;
  /** Makes the entry with which a change of members ends. */
  readonly leaveJoint: (configuration: Configuration) => EntryRecord;
  /** Where the log on disk begins. */
  readonly base: LogPlace;
  /** The stamp of the newest entry that was applied. */
  readonly time: () => UnixMillis;
  /** What time a majority of clocks shows; undefined = none agrees. */
  readonly agreedTime: () => number | undefined;
  readonly store: LogStore;
  readonly clock: Clock;
  readonly events: DriverEvents;
}

/** An operator's wish, or a state that is being rebuilt. */
export type RestReason = 'drained' | 'quarantined';

/** Drives the pure core: hands it what arrives, and does what it wants done with disk and peers, in order of duty. */
export class CoreDriver {
  readonly #parts: DriverParts;
  readonly #core: RaftCore;
  readonly #sealer: Sealer;
  readonly #writer: DiskWriter;
  #turn: Timer | undefined;
  #writeBegan: Millis | undefined;
  /** Runs while followers are to be told of a commit, unless an append does it first. */
  #notice: Timer | undefined;
  #pumping = false;
  readonly #restsFor: Set<RestReason> = new Set();
  /** Given to the core, not yet taken over. */
  #fetched: SnapshotMeta | undefined;
  #stopped = false;
  #standing: Standing;

  constructor(parts: DriverParts) {
    this.#parts = parts;
    const { init, clock, base, time, agreedTime, store, events } = parts;
    this.#core = new RaftCore({
      ...init,
      noop: () => EntryRecord.draft('noop', this.#sealer.stamp(), 0, []),
      leaveJoint: parts.leaveJoint,
    });
    this.#sealer = new Sealer(this.#core, new LogTime(clock, agreedTime), base, time);
    this.#standing = this.#core.standing;
    this.#writer = new DiskWriter(store, this.#core.last.index, {
      release: (messages) => {
        this.#noteWrite();
        this.#route(messages);
        events.sent();
      },
      idle: () => this.work(),
      failed: (error) => events.failed(error),
    });
  }

  /** Stopped, this replica leads no more, and knows of nobody who does. */
  get standing(): Standing {
    const { standing } = this.#core;
    if (!this.#stopped) return standing;
    return { role: 'follower', term: standing.term, leader: undefined, transferring: false };
  }
  /** See RaftCore. */
  get heard(): ReplicaId | undefined {
    return this.#stopped ? undefined : this.#core.heard;
  }
  get committed(): number {
    return this.#core.committed;
  }
  get lastIndex(): LogIndex {
    return this.#core.last.index;
  }
  /** Where the log begins. */
  get baseIndex(): LogIndex {
    return this.#core.base.index;
  }
  get firstInMemory(): number {
    return this.#core.firstInMemory;
  }
  get durable(): LogIndex {
    return this.#writer.durable;
  }
  get configuration(): Configuration {
    return this.#core.configuration;
  }
  get sealer(): Sealer {
    return this.#sealer;
  }

  entryAt(index: number): Entry | undefined {
    return this.#core.entryAt(index);
  }
  termAt(index: number): number | undefined {
    return this.#core.termAt(index);
  }
  matchOf(peer: ReplicaId): number {
    return this.#core.matchOf(peer) ?? 0;
  }

  /** Peers reach this replica from now on. */
  begin(): void {
    this.#core.started();
    // In the next turn: to start and to dial the others take long enough for one, while their code is new.
    this.soon();
  }
  /** One unit of time, or so many at once in which the process stood still. */
  tick(lateMs: Millis | undefined): void {
    if (lateMs === undefined) this.#core.tick(this.#parts.clock.monotonic());
    else this.#core.stalled(Math.floor(lateMs / TICK_MS));
    this.#writer.tick();
  }
  step(message: Message): void {
    this.#core.step(message);
    this.soon();
  }
  /** See RaftCore. */
  peerLost(peer: ReplicaId, isThere: (voter: ReplicaId) => boolean): void {
    this.#core.peerLost(peer, isThere);
    this.soon();
  }
  transfer(to: ReplicaId): boolean {
    const begun = this.#core.transfer(to);
    if (begun) this.soon();
    return begun;
  }
  propose(payload: Payload): ProposeResult {
    return this.#core.propose(payload);
  }
  read(context: number): void {
    this.#core.read(context);
  }
  /** See RaftCore. */
  lease(now: Millis): LogIndex | undefined {
    return this.#stopped ? undefined : this.#core.lease(now);
  }
  freshAt(applied: LogIndex): Millis | undefined {
    return this.#core.freshAt(applied);
  }
  prefer(priorities: ReadonlyMap<ReplicaId, number>): void {
    this.#core.prefer(priorities);
  }
  /** Everything up to `index` is applied: what is durable too may leave memory. */
  release(index: LogIndex): void {
    this.#core.release(Math.min(index, this.#writer.durable));
  }

  plan(target: Target): Plan | undefined {
    return this.#core.plan(target);
  }
  change(payload: EntryRecord): ChangeResult {
    return this.#core.change(payload);
  }
  /** See RaftCore. */
  restate(payload: EntryRecord): ChangeResult {
    return this.#core.restate(payload);
  }
  /** What the leader knows of the others; empty if this replica does not lead. */
  get peers(): readonly PeerView[] {
    return this.#core.peers ?? [];
  }
  /** A durable snapshot reaches beyond `index`: the core forgets what is up to there, and then the disk may. */
  compact(index: LogIndex): void {
    const chain = this.#sealer.chainAt(index);
    this.#core.compact(index);
    // If nothing is left in memory, this is what the next entry hangs on.
    if (chain !== undefined) this.#sealer.restart({ index, chain });
  }
  /** Puts a snapshot in the place of log and state. False if it brings nothing new; else `progressed` tells the rest. */
  restore(meta: SnapshotMeta): boolean {
    const { index, term, members } = meta;
    const isTaken = this.#core.restore({ index, term, configuration: listsOf(members) });
    if (!isTaken) return false;
    this.#fetched = meta;
    this.work();
    return true;
  }
  /** Muted, this replica neither votes nor acknowledges: what its disk holds is in doubt. */
  mute(on: boolean): void {
    this.#core.mute(on);
    this.soon();
  }
  /** At rest, for whatever reasons there are, this replica leads only if nobody else can. */
  rest(reason: RestReason, on: boolean): void {
    if (on) this.#restsFor.add(reason);
    else this.#restsFor.delete(reason);
    this.#core.rest(this.#restsFor.size > 0);
    this.soon();
  }
  restsFor(reason: RestReason): boolean {
    return this.#restsFor.has(reason);
  }

  stop(): void {
    this.#stopped = true;
    this.#turn?.cancel();
    this.#notice?.cancel();
  }

  /** Runs after what this turn of the loop has received is taken in, so that it is answered together. */
  soon(): void {
    if (this.#turn !== undefined || this.#stopped) return;
    this.#turn = this.#parts.clock.soon(() => {
      this.#turn = undefined;
      this.work();
    });
  }

  work(): void {
    if (this.#stopped) return;
    this.#noteStanding();
    // While a write is under way, commands gather: they become the next entry, and the next write, together.
    if (!this.#writer.writing) this.#parts.events.cut();
    this.#pump();
  }

  /** Does what the core wants done, until it wants nothing more. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (let ready = this.#takeReady(); ready !== undefined; ready = this.#takeReady()) {
        this.#perform(ready);
        if (this.#stopped) return;
      }
    } finally {
      this.#pumping = false;
    }
    this.#noteStanding();
    this.#noteOwed();
  }

  #noteOwed(): void {
    if (this.#core.owesCommit === (this.#notice !== undefined)) return;
    this.#notice?.cancel();
    this.#notice = undefined;
    if (!this.#core.owesCommit) return;
    this.#notice = this.#parts.clock.after(millis(COMMIT_NOTICE_MS), () => {
      this.#notice = undefined;
      this.work();
    });
  }

  #takeReady(): Ready | undefined {
    return this.#core.takeReady(this.#parts.clock.monotonic());
  }

  /** One Ready, in order of duty (see Ready). */
  #perform(ready: Ready): void {
    const snapshot = ready.snapshot === undefined ? undefined : this.#fetched;
    if (snapshot !== undefined) this.#sealer.restart(snapshot);
    for (const entry of ready.append) this.#sealer.seal(entry);
    for (const message of ready.send) this.#parts.events.send(message);
    this.#route(this.#writer.add(ready, snapshot));
    // Who waits for an entry waits for the slowest of two disks: theirs are asked first, then this one.
    this.#parts.events.sent();
    this.#write();
    this.#parts.events.progressed(ready, snapshot);
    for (const read of ready.logReads) this.#readFor(read);
  }

  #write(): void {
    const { writing } = this.#writer;
    this.#writer.start();
    if (this.#writer.writing && !writing) this.#writeBegan = this.#parts.clock.monotonic();
  }

  /** The write under way is over; its messages are released in one piece or two. */
  #noteWrite(): void {
    const began = this.#writeBegan;
    if (began === undefined) return;
    this.#writeBegan = undefined;
    this.#parts.events.wrote(millis(this.#parts.clock.monotonic() - began));
  }

  /**
   * Sends what no longer waits for the disk; what is for this replica itself goes back into the core. Muted since it was
   * handed to the disk, the replica promises nothing of it.
   */
  #route(messages: readonly Message[]): void {
    if (this.#stopped || this.#core.muted) return;
    for (const message of messages)
      if (message.to === this.#parts.init.id) this.#core.step(message);
      else this.#parts.events.send(message);
  }

  /** A peer lags behind memory: what it needs comes from disk. */
  #readFor({ peer, from, bytesMax }: LogRead): void {
    if (this.#stopped) return;
    const to = logIndex(this.firstInMemory - 1);
    // Only what is durable leaves memory, and what is committed is never cut.
    assert(from <= to && to <= this.durable, `entry ${from} is neither in memory nor on disk`);
    this.#parts.store.read(from, to, bytesMax).then(
      (entries) => this.#entriesRead(peer, entries),
      (error: unknown) => {
        if (!isRot(error)) this.#parts.events.failed(error);
        else {
          // Whatever becomes of that place, the peer comes to ask for it again.
          this.#parts.events.rotten(error);
          this.#entriesRead(peer, []);
        }
      },
    );
  }

  #entriesRead(peer: ReplicaId, entries: readonly Entry[]): void {
    if (this.#stopped) return;
    this.#core.entriesRead(peer, entries);
    this.soon();
  }

  #noteStanding(): void {
    const before = this.#standing;
    const now = this.#core.standing;
    this.#standing = now;
    if (before.role === now.role && before.term === now.term && before.leader === now.leader)
      return;
    this.#parts.events.standing(before, now);
  }
}

const isRot = (error: unknown): error is TocsinError =>
  TocsinError.is(error) && error.code === 'DATA_CORRUPT';
