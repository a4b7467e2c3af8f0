import { assert } from '../base/assert.ts';
import type { LogIndex, ReplicaId } from '../base/ids.ts';
import {
  type Configuration,
  isJoint,
  renderConfiguration,
  type SnapshotPoint,
  sameConfiguration,
} from '../raft/configuration.ts';
import type { RaftCore } from '../raft/core.ts';
import { reachedBy } from '../raft/quorum.ts';
import type { Entry, Message, Payload } from '../raft/types.ts';
import type { CoreDisk } from './core-disk.ts';

/** A payload for tests: a name in place of bytes. */
export interface Named extends Payload {
  readonly name: string;
}

/** One core as the oracle sees it. */
export interface Watched {
  readonly id: ReplicaId;
  readonly disk: CoreDisk;
  readonly core: RaftCore | undefined;
}

/**
 * Holds what cores do against what Raft promises (Figure 3 of the paper, and its rules of persistence): told of each step,
 * it remembers all that was ever committed, voted and led, over every restart.
 */
export class CoreOracle {
  /** Committed names by index, as any replica ever applied them. */
  readonly history: Map<number, string> = new Map();
  /** Configurations of committed entries, by index. */
  readonly configurations: Map<number, Configuration> = new Map();
  /** The term in which each was committed, by index. */
  readonly #reigns: number[] = [];
  /** Snapshots that took the place of a log. */
  installs = 0;
  readonly #members: readonly Watched[];
  readonly #leaders: Map<number, ReplicaId> = new Map();
  readonly #votes: Map<string, ReplicaId> = new Map();
  /** How far a leader had committed when its reign began. */
  readonly #begun: Map<string, number> = new Map();
  /** How far anyone had committed when a read was asked, by context. */
  readonly #readFloors: Map<number, number> = new Map();

  constructor(members: readonly Watched[]) {
    this.#members = members;
  }

  /** All that it remembers, as text: what it would notice from here on. */
  get memory(): string {
    const parts = [
      this.history.values(),
      this.#leaders,
      this.#votes,
      this.#begun,
      this.#readFloors,
    ];
    return parts.map((part) => [...part].join(' ')).join('; ');
  }

  readAsked(context: number): void {
    this.#readFloors.set(context, this.history.size);
  }

  /** A confirmed read sees everything that was committed before it was asked. */
  readConfirmed(context: number, index: LogIndex): void {
    const floor = this.#readFloors.get(context) ?? 0;
    assert(index >= floor, `read ${context} got ${index}, after ${floor}`);
  }

  /** An entry is applied: it is what anyone else ever applied there (state machine safety). Answers its name. */
  applied(member: Watched, entry: Entry): string {
    const { index, term, payload } = entry;
    const name = `${term}:${(payload as Named).name}`;
    const before = this.history.get(index);
    if (before !== undefined) {
      assert(before === name, `index ${index} is ${before} and ${name}`);
      return name;
    }
    assert(index === this.history.size + 1, `${index} is committed after ${this.history.size}`);
    this.history.set(index, name);
    this.#reigns[index] = member.core?.standing.term ?? 0;
    if (payload.configuration !== undefined) this.#changed(index, payload.configuration);
    this.#checkQuorumHolds(member, entry);
    return name;
  }

  /** Any quorum of a configuration meets any quorum of the next: one change at a time, by way of both (§6). */
  #changed(index: number, next: Configuration): void {
    const before = [...this.configurations.values()].at(-1);
    this.configurations.set(index, next);
    if (before === undefined) return;
    const same = String(next.voters) === String(before.voters);
    const enters = !isJoint(before) && String(next.outgoing) === String(before.voters);
    const leaves = isJoint(before) && same && !isJoint(next);
    assert(
      enters || leaves || (same && !isJoint(before) && !isJoint(next)),
      `configuration ${renderConfiguration(next)} follows ${renderConfiguration(before)}`,
    );
  }

  /** A snapshot is installed: it stands for what was committed, and carries what was committed of the configuration. */
  installed(point: SnapshotPoint): void {
    this.installs += 1;
    const name = this.history.get(point.index);
    assert(
      name?.startsWith(`${point.term}:`) === true,
      `a snapshot of ${point.index}@${point.term}, where ${name} was committed`,
    );
    const committed = [...this.configurations].findLast(([index]) => index <= point.index);
    if (committed !== undefined)
      assert(
        sameConfiguration(committed[1], point.configuration),
        `a snapshot of ${point.index} carries another configuration than entry ${committed[0]}`,
      );
  }

  /** At most one leader a term (§5.2), and it holds everything committed in the terms before (§5.4.3). */
  stepped({ id, core }: Watched): void {
    if (core === undefined) return;
    const { role, term } = core.standing;
    if (role !== 'leader') return;
    for (const peer of this.#members) this.checkHeld(peer, core.matchOf(peer.id) ?? 0, core);
    this.#checkCounting(id, core);
    const other = this.#leaders.get(term);
    assert(other === undefined || other === id, `term ${term}: ${other}, ${id}`);
    if (other !== undefined) return;
    this.#leaders.set(term, id);
    for (const [index, name] of this.history)
      assert(
        // The votes of an old term may come in when a later one has committed already.
        (this.#reigns[index] ?? 0) >= term ||
          index < core.base.index ||
          core.termAt(index) === Number(name.split(':')[0]),
        `leader ${id} of term ${term} lacks ${name} at ${index}`,
      );
  }

  /** A leader commits by counting copies of entries of its own term alone (§5.4.2, Figure 8). */
  #checkCounting(id: ReplicaId, core: RaftCore): void {
    const { term } = core.standing;
    const reign = `${id}@${term}`;
    const before = this.#begun.get(reign);
    if (before === undefined) this.#begun.set(reign, core.committed);
    else
      assert(
        core.committed === before || core.termAt(core.committed) === term,
        `leader ${id} of term ${term} committed ${core.committed} by counting, of an earlier term`,
      );
  }

  /** A leader believes of a peer only what its disk holds. */
  checkHeld({ id, disk }: Watched, index: number, core: RaftCore): void {
    const { term, role } = core.standing;
    // Another leader, unknown to this one, may have overwritten what was true.
    if (index === 0 || role !== 'leader' || disk.hardState.term > term) return;
    // What it has forgotten the leader may still believe in: it acknowledged it.
    if (disk.hardState.abstain === true) return;
    if (index < core.base.index) return;
    assert(
      disk.holds(index, core.termAt(index) ?? -1),
      `${id} is said to hold ${index}, but does not`,
    );
  }

  /** A promise leaves only when the disk holds what it promises, and one vote a term is all there is. */
  promised({ id, disk }: Watched, message: Message): void {
    if (message.type === 'append-reply' && message.accepted && message.term === disk.hardState.term)
      assert(
        disk.last >= message.index,
        `${id} acknowledges ${message.index}, but its disk ends at ${disk.last}`,
      );
    if (message.type !== 'vote-reply' || message.pre || !message.granted) return;
    const key = `${id}@${message.term}`;
    const voted = this.#votes.get(key);
    assert(voted === undefined || voted === message.to, `${key} voted ${voted} and ${message.to}`);
    this.#votes.set(key, message.to);
    const { term, vote } = disk.hardState;
    assert(
      term > message.term || (term === message.term && vote === message.to),
      `the vote of ${key} for ${message.to} is not durable`,
    );
  }

  /** What is committed is durable on a quorum of the configuration it was committed under, whoever runs (§5.3, §6). */
  #checkQuorumHolds({ core }: Watched, { index, term }: Entry): void {
    if (core === undefined) return;
    // One that may have forgotten it acknowledged it once, and gives no vote to whoever lacks it.
    const holds = (id: ReplicaId): number =>
      this.#members.some(
        ({ id: each, disk }) =>
          each === id && (disk.holds(index, term) || disk.hardState.abstain === true),
      )
        ? 1
        : 0;
    // What was proposed while a change was under way may be committed when the change is over.
    assert(
      reachedBy(core.configurationAt(index), holds) + reachedBy(core.configuration, holds) > 0,
      `${index}@${term} is committed, and not on a quorum of disks`,
    );
  }
}
