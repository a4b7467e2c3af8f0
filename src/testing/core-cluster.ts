import { assert, must } from '../base/assert.ts';
import { type LogIndex, logIndex, type Millis, type ReplicaId, replicaId } from '../base/ids.ts';
import { Prng } from '../base/prng.ts';
import type { Plan } from '../raft/change.ts';
import { isMemberOf, type SnapshotPoint } from '../raft/configuration.ts';
import { RaftCore } from '../raft/core.ts';
import type { ChangeResult } from '../raft/membership.ts';
import type { RaftOptions } from '../raft/options.ts';
import type { Entry, Message, Ready, SnapshotOffer } from '../raft/types.ts';
import { CoreDisk } from './core-disk.ts';
import { CoreOracle, type Named } from './core-oracle.ts';

export type { Named } from './core-oracle.ts';

interface Write {
  readonly ready: Ready;
}

/** What the disk held of the entries that were asked for when they were, on its way to the core. */
interface ReadUnderWay {
  readonly peer: ReplicaId;
  readonly entries: readonly Entry[];
}

export interface Member {
  readonly id: ReplicaId;
  core: RaftCore | undefined;
  readonly disk: CoreDisk;
  /** Taken from the core, not yet durable, in order. */
  writes: Write[];
  /** Entries its core wanted read from the disk for a peer, in order. */
  logReads: ReadUnderWay[];
  /** The newest snapshot that its core was offered. */
  offer: SnapshotOffer | undefined;
  /** Names applied since the last start, by index; those of a snapshot with them. */
  applied: Map<number, string>;
  appliedTo: number;
}

export interface CoreClusterOptions {
  readonly size: number;
  /** Of the first configuration, those with the lowest ids; the others wait to be taken in. @defaultValue all */
  readonly voters?: number;
  readonly seed: number;
  readonly raft?: Partial<RaftOptions>;
  /** What the clock of a member shows. @defaultValue the cores are told no time */
  readonly clock?: (id: ReplicaId) => Millis;
}

/** A message on its way. */
export interface InFlight {
  readonly message: Message;
}

/**
 * Several cores in one place, with a network and disks that obey the test: nothing moves unless it is told to. After
 * each step the invariants of the Raft paper (Figure 3) and of its persistence rules are checked.
 */
export class CoreCluster {
  readonly members: readonly Member[];
  readonly #prng: Prng;
  readonly #raft: Partial<RaftOptions>;
  readonly #clock: (id: ReplicaId) => Millis | undefined;
  readonly oracle: CoreOracle;
  network: InFlight[] = [];
  /** Links that lose everything sent on them, as 'from>to'. */
  readonly cut: Set<string> = new Set();
  /** Reads that were confirmed or dropped, by context. */
  readonly reads: Map<number, { by: ReplicaId; index: LogIndex } | 'dropped'> = new Map();
  #starts = 0;

  constructor(options: CoreClusterOptions) {
    this.#prng = new Prng(options.seed);
    this.#raft = options.raft ?? {};
    this.#clock = options.clock ?? (() => undefined);
    const ids = Array.from({ length: options.size }, (_, at) => replicaId(at + 1));
    const voters = ids.slice(0, options.voters);
    this.members = ids.map((id) => ({
      id,
      core: undefined,
      disk: new CoreDisk(voters.includes(id) ? voters : []),
      writes: [],
      logReads: [],
      offer: undefined,
      applied: new Map(),
      appliedTo: 0,
    }));
    this.oracle = new CoreOracle(this.members);
    for (const member of this.members) this.start(member.id);
  }

  /** Committed names by index. */
  get history(): ReadonlyMap<number, string> {
    return this.oracle.history;
  }
  member(id: number): Member {
    return must(this.members[id - 1], `no member ${id}`);
  }
  core(id: number): RaftCore {
    return must(this.member(id).core, `member ${id} is down`);
  }
  get running(): readonly Member[] {
    return this.members.filter((member) => member.core !== undefined);
  }
  /** Those that believe they lead; the one of the highest term first. */
  get leaders(): readonly Member[] {
    return this.running
      .filter((member) => member.core?.standing.role === 'leader')
      .sort((a, b) => this.core(b.id).standing.term - this.core(a.id).standing.term);
  }

  /**
   * Starts a member from its disk; `forgets` as if that had lost the vote and so many of the newest entries, and the
   * member knows that something is amiss.
   */
  start(id: number, forgets?: number): void {
    const member = this.member(id);
    assert(member.core === undefined, `member ${id} runs already`);
    this.#starts += 1;
    if (forgets !== undefined) member.disk.forget(forgets);
    member.core = new RaftCore({
      id: member.id,
      prng: this.#prng.fork(this.#starts),
      noop: () => ({ byteLength: 8, name: '' }) as Named,
      leaveJoint: (configuration) => ({ byteLength: 20, name: '', configuration }) as Named,
      ...member.disk.init,
      options: this.#raft,
    });
    member.applied = this.#appliedUpTo(member.disk.base.index);
    member.appliedTo = member.disk.base.index;
  }

  /** Kills a member; of its unfinished writes the first `survive` made it to the disk. */
  crash(id: number, survive = 0): void {
    const member = this.member(id);
    for (const write of member.writes.slice(0, survive)) member.disk.persist(write.ready);
    member.core = undefined;
    member.writes = [];
    member.logReads = [];
    member.offer = undefined;
  }

  tick(id: number): void {
    this.core(id).tick(this.#clock(this.member(id).id));
    this.#collect(this.member(id));
  }

  propose(id: number, name: string, byteLength = 100): LogIndex | undefined {
    const result = this.core(id).propose({ byteLength, name } as Named);
    this.#collect(this.member(id));
    return result.ok ? result.id.index : undefined;
  }

  /** Begins a change of who takes part; what came of it. */
  change(
    id: number,
    voters: readonly number[],
    learners: readonly number[] = [],
  ): ChangeResult | Plan {
    const target = { voters: voters.map(replicaId), learners: learners.map(replicaId) };
    const plan = must(this.core(id).plan(target), `${id} does not lead`);
    if (!plan.ok) return plan;
    const { configuration } = plan;
    const result = this.core(id).change({ byteLength: 20, name: '', configuration } as Named);
    this.#collect(this.member(id));
    return result;
  }

  read(id: number, context: number): void {
    this.oracle.readAsked(context);
    this.core(id).read(context);
    this.#collect(this.member(id));
  }

  campaign(id: number): void {
    this.core(id).campaign();
    this.#collect(this.member(id));
  }

  /** The member was just started, and messages reach it. */
  started(id: number): void {
    this.core(id).started();
    this.#collect(this.member(id));
  }

  peerLost(id: number, peer: number): void {
    this.core(id).peerLost(replicaId(peer));
    this.#collect(this.member(id));
  }

  transfer(id: number, to: number): boolean {
    const begun = this.core(id).transfer(replicaId(to));
    this.#collect(this.member(id));
    return begun;
  }

  /** Delivers the message at this place of the network; it stays there too if `keep` (a duplicate). */
  deliver(at: number, keep = false): void {
    const item = must(this.network[at], `no message ${at}`);
    if (!keep) this.network.splice(at, 1);
    const member = this.member(item.message.to);
    if (member.core === undefined) return;
    member.core.step(item.message);
    this.#collect(member);
  }

  /** The oldest unfinished write of a member becomes durable. */
  sync(id: number): void {
    const member = this.member(id);
    const write = member.writes.shift();
    if (write === undefined) return;
    member.disk.persist(write.ready);
    this.#release(member, write.ready);
    this.#collect(member);
  }

  /** The oldest entries a core asked its disk for arrive, or it is told that they cannot be had. */
  readLog(id: number, fails = false): void {
    const member = this.member(id);
    const read = member.logReads.shift();
    if (read === undefined) return;
    this.core(id).entriesRead(read.peer, fails ? [] : read.entries);
    this.#collect(member);
  }

  /** A member puts a snapshot in place of what it has applied, up to `index` at most, and forgets the entries. */
  compact(id: number, index: number): void {
    const member = this.member(id);
    const core = this.core(id);
    const to = Math.min(index, member.appliedTo, durableTo(member.disk, core));
    // Not while the disk is about to be handed another snapshot: one thing at a time.
    if (to <= core.base.index || to <= member.disk.base.index) return;
    // A replica that has not heard yet who takes part can make no snapshot.
    if (core.configurationAt(to).voters.length === 0) return;
    member.disk.compact(pointAt(core, to));
    core.compact(to);
  }

  /** A member fetches the snapshot it was offered, if whoever offered it has one that reaches far enough. */
  fetch(id: number): boolean {
    const member = this.member(id);
    const { offer } = member;
    member.offer = undefined;
    const giver = offer === undefined ? undefined : this.member(offer.from);
    if (offer === undefined || giver?.core === undefined) return false;
    if (giver.core.base.index > giver.appliedTo || offer.last.index > giver.appliedTo) return false;
    if (giver.core.configurationAt(giver.appliedTo).voters.length === 0) return false;
    const taken = this.core(id).restore(pointAt(giver.core, giver.appliedTo));
    this.#collect(member);
    return taken;
  }

  mute(id: number, on: boolean): void {
    this.core(id).mute(on);
    this.#collect(this.member(id));
  }

  /** The member stood still for so many ticks. */
  stalled(id: number, ticks: number): void {
    this.core(id).stalled(ticks);
    this.#collect(this.member(id));
  }

  prefer(priorities: ReadonlyMap<ReplicaId, number>): void {
    for (const { core } of this.running) core?.prefer(priorities);
  }

  stepDown(id: number): void {
    this.core(id).stepDown();
    this.#collect(this.member(id));
  }

  /** Lets everything that is under way arrive and become durable, until nothing moves. */
  settle(stepsMax = 100_000): void {
    for (let step = 0; step < stepsMax; step += 1) {
      const writer = this.members.find((member) => member.core && member.writes.length > 0);
      const reader = this.members.find((member) => member.core && member.logReads.length > 0);
      const fetcher = this.members.find((member) => member.core && member.offer !== undefined);
      if (writer !== undefined) this.sync(writer.id);
      else if (reader !== undefined) this.readLog(reader.id);
      else if (fetcher !== undefined) this.fetch(fetcher.id);
      else if (this.network.length > 0) this.deliver(0);
      else return;
    }
    assert(false, `the cluster did not come to rest in ${stepsMax} steps`);
  }

  /** Some ticks of a cluster in which nothing fails. */
  calm(ticks: number): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      for (const member of this.running) this.tick(member.id);
      this.settle();
    }
  }

  /** Ticks all and settles, until one leads and all who belong to its cluster agree on it. Its id. */
  elect(ticksMax = 400): ReplicaId {
    for (let tick = 0; tick < ticksMax; tick += 1) {
      const leader = this.leaders[0];
      const all = leader?.core?.configuration;
      const agreed = this.running.every(
        ({ id, core, writes }) =>
          (core?.standing.leader === leader?.id && writes.length === 0) ||
          (all !== undefined && !isMemberOf(all, id)),
      );
      if (leader !== undefined && agreed) return leader.id;
      for (const member of this.running) this.tick(member.id);
      this.settle();
    }
    assert(false, `no leader after ${ticksMax} ticks`);
    throw new Error('unreachable');
  }

  #collect(member: Member): void {
    const core = must(member.core, 'collecting from a member that is down');
    const now = this.#clock(member.id);
    for (let ready = core.takeReady(now); ready !== undefined; ready = core.takeReady(now)) {
      for (const message of ready.send) {
        this.oracle.promised(member, message);
        this.#sendOut(member, message);
      }
      if (ready.hardState !== undefined) member.writes.push({ ready });
      else if (member.writes.length === 0) this.#release(member, ready);
      // What depends on earlier writes waits for them, though it writes nothing itself.
      else if (ready.sendAfterSync.length > 0) member.writes.push({ ready });
      this.#apply(member, core, ready);
      for (const read of ready.reads) {
        this.oracle.readConfirmed(read.context, read.index);
        this.reads.set(read.context, { by: member.id, index: read.index });
      }
      for (const context of ready.readsDropped) this.reads.set(context, 'dropped');
      for (const { peer, from } of ready.logReads)
        member.logReads.push({ peer, entries: member.disk.from(from) });
      if (ready.snapshotOffer !== undefined) member.offer = ready.snapshotOffer;
      const doubts = ready.hardState?.abstain === true;
      assert(!doubts || member.disk.hardState.abstain, `${member.id} doubts an honest disk`);
      this.oracle.stepped(member);
    }
  }

  #release(member: Member, ready: Ready): void {
    if (member.core?.muted === true) return;
    const own: Message[] = [];
    for (const message of ready.sendAfterSync) {
      this.oracle.promised(member, message);
      if (message.to === member.id) own.push(message);
      else this.#sendOut(member, message);
    }
    for (const message of own) member.core?.step(message);
  }

  #sendOut(member: Member, message: Message): void {
    assert(message.from === member.id, `${member.id} sends as ${message.from}`);
    assert(message.to !== member.id, `${member.id} writes to itself`);
    if (message.type === 'heartbeat')
      this.oracle.checkHeld(this.member(message.to), message.commit, this.core(member.id));
    if (!this.cut.has(`${message.from}>${message.to}`)) this.network.push({ message });
  }

  /** What a snapshot up to `index` holds. */
  #appliedUpTo(index: number): Map<number, string> {
    return new Map([...this.history].filter(([each]) => each <= index));
  }

  /** Applies what is committed. */
  #apply(member: Member, core: RaftCore, ready: Ready): void {
    const { committed, snapshot } = ready;
    if (snapshot !== undefined) {
      this.oracle.installed(snapshot);
      member.applied = this.#appliedUpTo(snapshot.index);
      member.appliedTo = snapshot.index;
    }
    assert(committed >= member.appliedTo, `commit of ${member.id} fell to ${committed}`);
    for (let index = member.appliedTo + 1; index <= committed; index += 1) {
      const entry = core.entryAt(index) ?? member.disk.entryAt(index);
      const name = this.oracle.applied(member, must(entry, `entry ${index} is nowhere`));
      member.applied.set(index, name);
    }
    member.appliedTo = committed;
    core.release(Math.min(committed, durableTo(member.disk, core)));
  }
}

/** Up to where the disk holds what the core holds. */
function durableTo(disk: CoreDisk, core: RaftCore): number {
  let index = disk.last;
  while (index > disk.base.index && core.termAt(index) !== disk.termAt(index)) index -= 1;
  return index;
}

/** What a snapshot up to `index` says of its place in the log. */
const pointAt = (core: RaftCore, index: number): SnapshotPoint => ({
  index: logIndex(index),
  term: must(core.termAt(index), `no term for ${index}`),
  configuration: core.configurationAt(index),
});
