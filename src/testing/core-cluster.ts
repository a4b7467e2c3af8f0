import { assert, must } from '../base/assert.ts';
import {
  type LogIndex,
  logIndex,
  type ReplicaId,
  replicaId,
  type Term,
  term,
} from '../base/ids.ts';
import { Prng } from '../base/prng.ts';
import { RaftCore } from '../raft/core.ts';
import type { RaftOptions } from '../raft/options.ts';
import { majorityOf } from '../raft/quorum.ts';
import type { Entry, HardState, LogRead, Message, Payload, Ready } from '../raft/types.ts';

/** A payload for tests: a name in place of bytes. */
export interface Named extends Payload {
  readonly name: string;
}

/** What a disk holds: everything up to the last completed write, and the writes still under way. */
interface Disk {
  hardState: HardState;
  entries: Entry[];
}

interface Write {
  readonly ready: Ready;
}

interface Member {
  readonly id: ReplicaId;
  core: RaftCore | undefined;
  readonly disk: Disk;
  /** Taken from the core, not yet durable, in order. */
  writes: Write[];
  /** Entries its core wants read from the disk for a peer, in order. */
  logReads: LogRead[];
  /** Names applied since the last start, by index. */
  applied: Map<number, string>;
  appliedTo: number;
}

export interface CoreClusterOptions {
  readonly size: number;
  readonly seed: number;
  readonly raft?: Partial<RaftOptions>;
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
  network: InFlight[] = [];
  /** Links that lose everything sent on them, as 'from>to'. */
  readonly cut: Set<string> = new Set();
  /** Reads that were confirmed or dropped, by context. */
  readonly reads: Map<number, { by: ReplicaId; index: LogIndex } | 'dropped'> = new Map();
  /** Committed names by index, as any replica ever applied them. */
  readonly history: Map<number, string> = new Map();
  readonly #leaders: Map<number, ReplicaId> = new Map();
  readonly #votes: Map<string, ReplicaId> = new Map();
  /** How far anyone had committed when a read was asked, by context. */
  readonly #readFloors: Map<number, number> = new Map();
  #starts = 0;

  constructor(options: CoreClusterOptions) {
    this.#prng = new Prng(options.seed);
    this.#raft = options.raft ?? {};
    this.members = Array.from({ length: options.size }, (_, at) => ({
      id: replicaId(at + 1),
      core: undefined,
      disk: {
        hardState: { term: term(0), vote: undefined, commit: logIndex(0) },
        entries: [],
      },
      writes: [],
      logReads: [],
      applied: new Map(),
      appliedTo: 0,
    }));
    for (const member of this.members) this.start(member.id);
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

  start(id: number): void {
    const member = this.member(id);
    assert(member.core === undefined, `member ${id} runs already`);
    this.#starts += 1;
    const { disk } = member;
    member.core = new RaftCore({
      id: member.id,
      voters: this.members.map((each) => each.id),
      prng: this.#prng.fork(this.#starts),
      noop: () => ({ byteLength: 8, name: '' }) as Named,
      hardState: disk.hardState,
      tail: disk.entries,
      terms: termRuns(disk.entries),
      options: this.#raft,
    });
    member.writes = [];
    member.logReads = [];
    member.applied = new Map();
    member.appliedTo = 0;
  }

  /** Kills a member; of its unfinished writes the first `survive` made it to the disk. */
  crash(id: number, survive = 0): void {
    const member = this.member(id);
    for (const write of member.writes.slice(0, survive)) persist(member.disk, write.ready);
    member.core = undefined;
    member.writes = [];
  }

  tick(id: number): void {
    this.core(id).tick();
    this.#collect(this.member(id));
  }

  propose(id: number, name: string, byteLength = 100): LogIndex | undefined {
    const result = this.core(id).propose({ byteLength, name } as Named);
    this.#collect(this.member(id));
    return result.ok ? result.id.index : undefined;
  }

  read(id: number, context: number): void {
    this.#readFloors.set(context, this.history.size);
    this.core(id).read(context);
    this.#collect(this.member(id));
  }

  campaign(id: number): void {
    this.core(id).campaign();
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
    persist(member.disk, write.ready);
    this.#release(member, write.ready);
    this.#collect(member);
  }

  /** The oldest entries a core asked its disk for arrive, or it is told that they cannot be had. */
  readLog(id: number, fails = false): void {
    const member = this.member(id);
    const want = member.logReads.shift();
    if (want === undefined) return;
    const entries = member.disk.entries.filter((entry) => entry.index >= want.from);
    this.core(id).entriesRead(want.peer, fails ? [] : entries);
    this.#collect(member);
  }

  /** Lets everything that is under way arrive and become durable, until nothing moves. */
  settle(stepsMax = 100_000): void {
    for (let step = 0; step < stepsMax; step += 1) {
      const writer = this.members.find((member) => member.core && member.writes.length > 0);
      const reader = this.members.find((member) => member.core && member.logReads.length > 0);
      if (writer !== undefined) this.sync(writer.id);
      else if (reader !== undefined) this.readLog(reader.id);
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

  /** Ticks all and settles, until one leads and all agree on it. Its id. */
  elect(ticksMax = 400): ReplicaId {
    for (let tick = 0; tick < ticksMax; tick += 1) {
      const leader = this.leaders[0];
      const agreed = this.running.every(
        (each) => each.core?.standing.leader === leader?.id && each.writes.length === 0,
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
    for (let ready = core.takeReady(); ready !== undefined; ready = core.takeReady()) {
      for (const message of ready.send) this.#sendOut(member, message);
      if (ready.hardState !== undefined) member.writes.push({ ready });
      else if (member.writes.length === 0) this.#release(member, ready);
      // What depends on earlier writes waits for them, though it writes nothing itself.
      else if (ready.sendAfterSync.length > 0) member.writes.push({ ready });
      this.#apply(member, core, ready.committed);
      for (const read of ready.reads) {
        const floor = this.#readFloors.get(read.context) ?? 0;
        assert(read.index >= floor, `read ${read.context} got ${read.index}, after ${floor}`);
        this.reads.set(read.context, { by: member.id, index: read.index });
      }
      for (const context of ready.readsDropped) this.reads.set(context, 'dropped');
      member.logReads.push(...ready.logReads);
      this.#checkLeader(member, core);
      this.#checkMatches(core);
    }
  }

  #release(member: Member, ready: Ready): void {
    const own: Message[] = [];
    for (const message of ready.sendAfterSync) {
      this.#checkDurable(member, message);
      if (message.to === member.id) own.push(message);
      else this.#sendOut(member, message);
    }
    for (const message of own) member.core?.step(message);
  }

  #sendOut(member: Member, message: Message): void {
    assert(message.from === member.id, `${member.id} sends as ${message.from}`);
    assert(message.to !== member.id, `${member.id} writes to itself`);
    if (message.type === 'heartbeat')
      this.#checkHeld(this.member(message.to), message.commit, this.core(member.id));
    if (!this.cut.has(`${message.from}>${message.to}`)) this.network.push({ message });
  }

  /** Applies what is committed, and holds it against what anyone else ever applied (state machine safety). */
  #apply(member: Member, core: RaftCore, committed: number): void {
    assert(committed >= member.appliedTo, `commit of ${member.id} fell to ${committed}`);
    for (let index = member.appliedTo + 1; index <= committed; index += 1) {
      const inMemory = core.entryAt(index);
      const entry = inMemory ?? must(member.disk.entries[index - 1], `entry ${index} is nowhere`);
      const name = `${entry.term}:${(entry.payload as Named).name}`;
      const before = this.history.get(index);
      if (before === undefined) {
        this.history.set(index, name);
        this.#checkQuorumHolds(entry);
      } else assert(before === name, `index ${index} is ${before} and ${name}`);
      member.applied.set(index, name);
    }
    member.appliedTo = committed;
    core.release(Math.min(committed, durableTo(member.disk, core)));
  }

  /** At most one leader a term (§5.2), and it holds everything ever committed (§5.4.3). */
  #checkLeader(member: Member, core: RaftCore): void {
    const { role, term: ownTerm } = core.standing;
    if (role !== 'leader') return;
    const other = this.#leaders.get(ownTerm);
    assert(other === undefined || other === member.id, `term ${ownTerm}: ${other}, ${member.id}`);
    if (other !== undefined) return;
    this.#leaders.set(ownTerm, member.id);
    for (const [index, name] of this.history)
      assert(
        core.termAt(index) === Number(name.split(':')[0]),
        `leader ${member.id} of term ${ownTerm} lacks ${name} at ${index}`,
      );
  }

  /** What is committed is durable on a majority, whoever runs and whoever is down (§5.3). */
  #checkQuorumHolds({ index, term: entryTerm }: Entry): void {
    const holders = this.members.filter(({ disk }) => disk.entries[index - 1]?.term === entryTerm);
    assert(
      holders.length >= majorityOf(this.members.length),
      `${index}@${entryTerm} is committed, and on ${holders.length} disks`,
    );
  }

  /** A leader believes of a peer only what its disk holds. */
  #checkMatches(core: RaftCore): void {
    for (const peer of this.members) this.#checkHeld(peer, core.matchOf(peer.id) ?? 0, core);
  }

  #checkHeld(peer: Member, index: number, core: RaftCore): void {
    const { term: ownTerm, role } = core.standing;
    // Another leader, unknown to this one, may have overwritten what was true.
    if (index === 0 || role !== 'leader' || peer.disk.hardState.term > ownTerm) return;
    assert(
      peer.disk.entries[index - 1]?.term === core.termAt(index),
      `${peer.id} is said to hold ${index}, but does not`,
    );
  }

  /** A promise leaves only when the disk holds what it promises, and one vote a term is all there is. */
  #checkDurable(member: Member, message: Message): void {
    const { disk } = member;
    if (message.type === 'append-reply' && message.accepted && message.term === disk.hardState.term)
      assert(
        disk.entries.length >= message.index,
        `${member.id} acknowledges ${message.index}, but its disk ends at ${disk.entries.length}`,
      );
    if (message.type !== 'vote-reply' || message.pre || !message.granted) return;
    const key = `${member.id}@${message.term}`;
    const voted = this.#votes.get(key);
    assert(voted === undefined || voted === message.to, `${key} voted ${voted} and ${message.to}`);
    this.#votes.set(key, message.to);
    const { term: diskTerm, vote } = disk.hardState;
    assert(
      diskTerm > message.term || (diskTerm === message.term && vote === message.to),
      `the vote of ${key} for ${message.to} is not durable`,
    );
  }
}

function persist(disk: Disk, ready: Ready): void {
  if (ready.truncateFrom !== undefined)
    disk.entries.length = Math.min(disk.entries.length, ready.truncateFrom - 1);
  for (const entry of ready.append) {
    assert(
      entry.index === disk.entries.length + 1,
      `disk: ${entry.index} after ${disk.entries.length}`,
    );
    disk.entries.push(entry);
  }
  if (ready.hardState !== undefined) disk.hardState = ready.hardState;
}

/** Up to where the disk holds what the core holds. */
function durableTo(disk: Disk, core: RaftCore): number {
  let index = disk.entries.length;
  while (index > 0 && core.termAt(index) !== disk.entries[index - 1]?.term) index -= 1;
  return index;
}

function termRuns(entries: readonly Entry[]): { from: number; term: Term }[] {
  const runs: { from: number; term: Term }[] = [];
  for (const entry of entries)
    if (runs.at(-1)?.term !== entry.term) runs.push({ from: entry.index, term: entry.term });
  return runs;
}
