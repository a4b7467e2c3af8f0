import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { TocsinError } from '../../base/errors.ts';
import { type LogIndex, logIndex, type ReplicaId } from '../../base/ids.ts';
import type { Entry, SnapshotOffer } from '../../raft/types.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import type { Damage, LogPlace, LogStore, SnapshotMeta } from '../../storage/types.ts';
import type { Transport } from '../../transport/types.ts';
import type { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';
import type { CoreDriver } from '../core-driver.ts';
import { Repair } from '../health/repair.ts';
import { BulkAnswers } from '../peers/bulk-answers.ts';
import { BulkLane } from '../peers/bulk-lane.ts';
import type { Members } from '../peers/members.ts';
import type { PeerLinks } from '../peers/peer-links.ts';
import type { AppliedState } from '../pipeline/applied-state.ts';
import type { Turns } from '../turns.ts';
import type { MachineOptions } from './machine-image.ts';
import { type FetchedSnapshot, SnapshotFetch } from './snapshot-fetch.ts';
import { type SnapshotPolicy, Snapshotter } from './snapshotter.ts';

export interface SnapshotDeskParts {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly state: AppliedState;
  readonly driver: CoreDriver;
  readonly members: Members;
  readonly links: PeerLinks;
  readonly transport: Transport;
  readonly self: Hello;
  /** The entry that was applied last. */
  readonly place: () => LogPlace;
  /** Why the state is in doubt; undefined = it is not. */
  readonly problem: () => TocsinError | undefined;
  readonly machine: MachineOptions;
  readonly policy: SnapshotPolicy | undefined;
  readonly log: (line: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** Snapshots in a running replica: takes them, and puts those of peers in the place of its own log and state. */
export class SnapshotDesk {
  readonly #parts: SnapshotDeskParts;
  readonly #lane: BulkLane;
  readonly #answers: BulkAnswers;
  readonly #snapshotter: Snapshotter;
  readonly #fetch: SnapshotFetch;
  #repair: Repair | undefined;
  #fetched: FetchedSnapshot | undefined;
  #offers = 0;
  #isStopped = false;

  constructor(parts: SnapshotDeskParts) {
    this.#parts = parts;
    const { store, clock, turns, state, driver, members, place, problem } = parts;
    const { transport, self, machine, policy, log } = parts;
    const addressOf = (peer: ReplicaId): string | undefined => members.addressOf(peer);
    this.#lane = new BulkLane({ transport, clock, self, addressOf });
    this.#answers = new BulkAnswers(store, clock, (reaching) => this.#snapshotter.want(reaching));
    this.#snapshotter = new Snapshotter({
      store,
      clock,
      turns,
      state,
      place: () => {
        const { index, term, chain } = place();
        return { index, term, chain, members: members.at(index) };
      },
      problem,
      durable: () => driver.durable,
      committed: () => driver.committed,
      termAt: (index) => driver.termAt(index),
      needed: () => this.#needed(),
      compacting: (index) => driver.compact(index),
      log,
      onFault: parts.onFault,
      policy,
    });
    this.#fetch = new SnapshotFetch({
      lane: this.#lane,
      clock,
      turns,
      snapshots: store.snapshots,
      machine,
      log,
    });
  }

  get newest(): SnapshotMeta | undefined {
    return this.#snapshotter.newest;
  }

  noteApplied(entry: Entry): void {
    this.#snapshotter.noteApplied(entry);
  }

  /** Takes one now. Undefined if there is nothing new, or one is being taken. */
  take(): Promise<SnapshotMeta | undefined> {
    return this.#snapshotter.take();
  }

  /** Snapshots of entry `from` and later ones go: what they hold may be wrong. */
  discard(from: LogIndex): Promise<void> {
    return this.#snapshotter.discard(from);
  }

  tick(hasRoom: boolean): void {
    // One that is being fetched will take the place of whatever could be written here.
    if (!this.#fetch.isBusy) this.#snapshotter.tick(hasRoom);
  }

  stop(): void {
    this.#isStopped = true;
    this.#snapshotter.stop();
    this.#fetch.stop();
    this.#repair?.stop();
    this.#lane.close();
  }

  /** What a peer asks on the bulk lane. */
  async answer(type: FrameType, body: Uint8Array): Promise<readonly Uint8Array[]> {
    const problem = this.#parts.problem();
    if (problem !== undefined) throw problem;
    return await this.#answers.answer(type, body);
  }

  /** For an operator. See BulkAnswers. */
  part(id: string, chunk: number | undefined): Promise<Uint8Array> {
    return this.#answers.part(id, chunk);
  }

  /** Gets back from peers what the log has lost while it is in use. False = it was stopped. */
  repair(damage: Damage): Promise<boolean> {
    const { store, clock, members, log } = this.#parts;
    if (this.#isStopped) return Promise.resolve(false);
    const repair = new Repair({
      store,
      clock,
      members,
      lane: this.#lane,
      snapshots: this.#fetch,
      isApplied: true,
      doWithout: (lost) => this.#snapshotter.beginAfter(lost),
      log,
    });
    this.#repair = repair;
    return repair.run(damage);
  }

  /** Nobody else has what the log has lost: a snapshot of the state makes up for it. False = not yet. */
  async makeUp({ ranges: [range], snapshotFrom }: Damage): Promise<boolean> {
    if (range !== undefined) return await this.#snapshotter.beginAfter(range);
    if (snapshotFrom !== undefined) this.#snapshotter.want(snapshotFrom);
    return false;
  }

  /** The newest snapshot of a peer that reaches `reaching`; undefined = not now. */
  fetch(peer: ReplicaId, reaching: LogIndex): Promise<FetchedSnapshot | undefined> {
    return this.#fetch.fetch(peer, reaching);
  }

  /** The leader can no longer send what is missing here. It says so again and again, until this replica has it. */
  offered({ from, last }: SnapshotOffer): void {
    const source = this.#sourceBeside(from);
    if (this.#fetch.isBusy || source === undefined) return;
    this.#fetch.fetch(source, last.index).then(
      (fetched) => {
        if (fetched !== undefined) this.#install(fetched);
      },
      (error: unknown) => this.#parts.onFault(error),
    );
  }

  /** The leader; or, while it is not known here where that is, each member by turns that can be reached. */
  #sourceBeside(leader: ReplicaId): ReplicaId | undefined {
    const { members, links } = this.#parts;
    if (members.find(leader) !== undefined) return leader;
    const there = members.others.filter(({ id }) => links.isConnected(id));
    this.#offers += 1;
    return there[this.#offers % there.length]?.id;
  }

  /** The machine in the snapshot that the core has just taken over. */
  machineOf(snapshot: SnapshotMeta): AlertMachine {
    const fetched = this.#fetched;
    this.#fetched = undefined;
    assert(fetched?.meta === snapshot, `snapshot ${snapshot.id} was not fetched`);
    return fetched.machine;
  }

  #install(fetched: FetchedSnapshot): void {
    this.#fetched = fetched;
    if (this.#parts.driver.restore(fetched.meta))
      this.#parts.log(`snapshot ${fetched.meta.id} takes the place of the log`);
    else this.#fetched = undefined;
  }

  /** The lowest place in the log that somebody who is there may ask for next. */
  #needed(): LogIndex {
    const { driver, members, links } = this.#parts;
    let lowest = this.#answers.fetchedFrom ?? driver.durable;
    if (driver.standing.role === 'leader')
      for (const { id } of members.others)
        if (links.isConnected(id)) lowest = logIndex(Math.min(lowest, driver.matchOf(id)));
    return lowest;
  }
}
