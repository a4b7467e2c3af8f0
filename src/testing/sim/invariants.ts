import { assert, must } from '../../base/assert.ts';
import { CLOCK_ERROR_MS_MAX, CLOCK_SKEW_MS_MAX } from '../../base/limits.ts';
import type { EntryId, HardState, Message, Standing } from '../../raft/types.ts';
import type { SimDisk } from './disk.ts';

/** What clocks may be off and still be believed, what asking them may miss, and what a fast process gains while none agree. */
const AHEAD_MS_MAX = (CLOCK_SKEW_MS_MAX + CLOCK_ERROR_MS_MAX) * 2;

/** One replica as the invariants see it after a step. */
export interface View {
  readonly id: number;
  readonly standing: Standing;
  readonly applied: number;
  /** Asked of a leader that has applied something. */
  committed(): number;
  /** Asked of a new leader alone. */
  lastIndex(): number;
  readonly digest: number;
  /** Of the newest entry that it has applied. */
  readonly time: number;
  /** Who votes, by what it knows: one list, or two while that changes. Asked when something is committed. */
  voters(): readonly Voters[];
}

/**
 * For how long a leader of the past may believe in itself: it finds out within an election time-out, by a clock that may go
 * slow, after its process ran again and what it had heard before has grown old.
 */
const PAST_REIGN_MS_MAX = 4_000;
/** A cluster in trouble holds so many elections a second, and no more: pre-votes keep terms from running away. */
const TERMS_PER_SECOND_MAX = 20;
const TERMS_AT_ONCE_MAX = 100;
/** Timers and frames under way, in a cluster of a few replicas and callers. */
const PENDING_MAX = 50_000;

/** What was seen of a replica after the step before. */
interface Last {
  readonly term: number;
  readonly role: Standing['role'];
  readonly applied: number;
  readonly digest: number;
}

/** What is asked of the disk of each replica. */
export type Copy = Pick<SimDisk, 'termAt' | 'chainAt'>;

/** What is asked of the disk of whoever promises something. */
export type Promiser = Pick<SimDisk, 'state' | 'hasLost' | 'termAt'>;

/** Ids of replicas of which more than half must agree. */
export type Voters = readonly number[];

/** Lists of voters that are remembered: what was committed under one may be applied under another. */
const LISTS_KEPT = 4;

/**
 * What must hold after every step, whatever failed: the properties of the Raft paper (Figure 3), those of its persistent
 * state, and that equal positions mean equal states.
 */
export class Invariants {
  /** By term, as they were seen first to lead: who, and what was applied anywhere by then. */
  readonly #leaders: Map<number, { readonly id: number; readonly applied: number }> = new Map();
  /** By replica and term; over restarts. */
  readonly #votes: Map<string, number> = new Map();
  /** State of the machine by applied index, as any replica came to it. */
  readonly #digests: Map<number, number> = new Map();
  /** By replica, in this life of it. */
  readonly #last: Map<number, Last> = new Map();
  readonly #disks: Copy[];
  /** By candidate and term: the end of the log that it asked for votes with. */
  readonly #asked: Map<string, EntryId> = new Map();
  /** By leader: what it had applied, and committed, when it was last looked at in that term. */
  readonly #reigns: Map<number, { readonly term: number; applied: number; committed: number }> =
    new Map();
  /** The newest lists of voters, each in force at some time. */
  #lists: readonly (readonly Voters[])[] = [];
  /** Hash of every snapshot, by its index and term. */
  readonly #snapshots: Map<string, string> = new Map();
  /** Since when a leader of the past has run on. */
  readonly #past: Map<number, number> = new Map();
  #newestReign = 0;
  #newestTerm = 0;
  #appliedByAny = 0;
  #offsets: readonly number[] = [];
  #areClocksTrusted = true;
  #isTimeKnown = false;
  checks = 0;

  constructor(disks: readonly Copy[]) {
    this.#disks = [...disks];
  }

  /** One more replica, with the next id. */
  watch(disk: Copy): void {
    this.#disks.push(disk);
  }

  get #quorum(): number {
    return Math.floor(this.#disks.length / 2) + 1;
  }

  get appliedByAny(): number {
    return this.#appliedByAny;
  }

  /** The chain hash of an applied entry, as most disks have it. */
  chainAt(index: number): number {
    const chains = this.#disks.map((disk) => disk.chainAt(index));
    const known = chains.filter((chain) => typeof chain === 'number');
    const best = known.sort((a, b) => count(chains, b) - count(chains, a))[0];
    return must(best, `entry ${index} is nowhere`);
  }

  /** A process starts again, in the term that its disk remembers. */
  started(id: number): void {
    this.#last.delete(id);
  }

  /** What is as it was after the step before was right then. `now` is the true time. */
  afterStep(view: View, now: number): void {
    this.checks += 1;
    const { id, standing, applied, digest } = view;
    const { role, term } = standing;
    const last = this.#last.get(id);
    if (last?.applied === applied && last.digest === digest)
      if (last.term === term && last.role === role) return;
    this.#last.set(id, { term, role, applied, digest });
    this.#checkState(view, last?.term ?? 0);
    this.#checkTime(view, now);
  }

  #checkState(view: View, before: number): void {
    const { id, standing, applied, digest } = view;
    assert(
      standing.term >= before,
      () => `replica ${id}: term fell from ${before} to ${standing.term}`,
    );
    this.#newestTerm = Math.max(this.#newestTerm, standing.term);
    if (standing.role === 'leader') this.#checkLeader(view);
    const known = this.#digests.get(applied);
    assert(
      known === undefined || known === digest,
      () => `replica ${id} has applied ${applied} and come to another state than one before it`,
    );
    if (known === undefined) this.#digests.set(applied, digest);
    if (standing.role === 'leader') this.#checkCounting(view);
    if (this.#appliedByAny < applied) this.#noteVoters(view.voters());
    while (this.#appliedByAny < applied) {
      this.#appliedByAny += 1;
      this.#checkDurable(id, this.#appliedByAny);
    }
  }

  /** Equal places, equal snapshots: what it is made of is the same on all. Each is named by index, term and hash. */
  snapshots(id: number, names: readonly string[]): void {
    for (const name of names) {
      const [index, term, hash = ''] = name.split('-');
      const place = `${index}-${term}`;
      const known = this.#snapshots.get(place);
      if (known === undefined) this.#snapshots.set(place, hash);
      assert(
        known === undefined || known === hash,
        () => `replica ${id}: snapshot ${place} is ${hash}, another one is ${known}`,
      );
    }
  }

  /** Who was deposed without hearing of it finds out in time (check-quorum, thesis §6.2). */
  reign({ id, standing }: View, isPaused: boolean, now: number): void {
    if (standing.role !== 'leader' || standing.term >= this.#newestReign || isPaused) {
      this.#past.delete(id);
      return;
    }
    const since = this.#past.get(id);
    if (since === undefined) this.#past.set(id, now);
    else
      assert(
        now - since <= PAST_REIGN_MS_MAX,
        () => `replica ${id} leads in term ${standing.term} long after ${this.#newestReign} began`,
      );
  }

  /** Nothing grows without end. */
  bounded(now: number, pending: number): void {
    const terms = TERMS_AT_ONCE_MAX + (now / 1_000) * TERMS_PER_SECOND_MAX;
    assert(this.#newestTerm <= terms, () => `term ${this.#newestTerm} after ${now} ms`);
    assert(pending <= PENDING_MAX, () => `${pending} timers and frames are under way`);
  }

  #noteVoters(lists: readonly Voters[]): void {
    const isSame = (other: readonly Voters[]): boolean => other.join(';') === lists.join(';');
    if (this.#lists.length > 0 && isSame(this.#lists.at(-1) ?? [])) return;
    this.#lists = [...this.#lists, lists].slice(-LISTS_KEPT);
    this.#judgeClocks();
  }

  /** How far the wall clocks are off, by the order of ids: nothing is asked of log time once half of the voters' were. */
  clocks(offsets: readonly number[]): void {
    this.#offsets = offsets;
    this.#judgeClocks();
  }

  #judgeClocks(): void {
    const isRight = (id: number): boolean => (this.#offsets[id - 1] ?? 0) === 0;
    const all = this.#disks.map((_, at) => at + 1);
    const lists = this.#lists.at(-1) ?? [all];
    // The first stamp of all has nothing before it to go on from.
    const areTrusted = this.#isTimeKnown
      ? lists.every((voters) => voters.filter(isRight).length > voters.length / 2)
      : all.every(isRight);
    if (!areTrusted) this.#areClocksTrusted = false;
  }

  /** Log time is not ahead of the true time, while most clocks show that: no timer fires long before it is due. */
  #checkTime({ id, time }: View, truth: number): void {
    if (time > 0) this.#isTimeKnown = true;
    assert(
      !this.#areClocksTrusted || time <= truth + AHEAD_MS_MAX,
      () => `replica ${id}: log time is ${time - truth} ms ahead of the clocks`,
    );
  }

  /** At most one leader a term (§5.2), and whoever leads holds everything applied anywhere (§5.4.3). */
  #checkLeader(view: View): void {
    const { id, standing, applied } = view;
    const other = this.#leaders.get(standing.term);
    assert(
      other === undefined || other.id === id,
      () => `term ${standing.term}: ${other?.id} and ${id} lead`,
    );
    if (other !== undefined) return;
    const due = this.#dueTo(standing.term);
    this.#leaders.set(standing.term, { id, applied: this.#appliedByAny });
    this.#newestReign = Math.max(this.#newestReign, standing.term);
    const last = view.lastIndex();
    this.#reigns.set(id, { term: standing.term, applied, committed: view.committed() });
    assert(
      last >= due,
      () => `leader ${id} of term ${standing.term} ends at ${last}, ${due} was applied`,
    );
  }

  /**
   * What the leader of a term has to hold: all that earlier terms have applied. Who stood still when it was voted for can come
   * to lead when others lead in later terms, and of what these have applied it knows nothing.
   */
  #dueTo(term: number): number {
    for (const [other, { applied }] of this.#leaders) if (other > term) return applied;
    return this.#appliedByAny;
  }

  /** A leader commits by counting copies of entries of its own term alone (§5.4.2, Figure 8). */
  #checkCounting(view: View): void {
    const { id, standing, applied } = view;
    const reign = this.#reigns.get(id);
    if (reign?.term !== standing.term || applied <= reign.applied) return;
    reign.applied = applied;
    const newest = view.committed();
    if (newest <= reign.committed) return;
    reign.committed = newest;
    // What came before its reign it commits together with an entry of its own, though it may apply them one by one.
    // A leader may be the only voter, and its own copy not yet written: it is wrong if its disk and most of them say so.
    const terms = [this.#disks[id - 1]?.termAt(newest), this.#termAt(newest)];
    assert(
      terms.some((term) => term === undefined || term === standing.term),
      () =>
        `leader ${id} of term ${standing.term} committed ${newest}, of term ${terms[0]}, by counting`,
    );
  }

  #termAt(index: number): number | undefined {
    const terms = this.#disks.map((disk) => disk.termAt(index));
    return terms.find((term) => term !== undefined && count(terms, term) >= this.#quorum);
  }

  /**
   * What is applied is durable on a quorum, as one and the same entry (§5.3). Which one most disks have is no matter: those
   * without a vote may hold another.
   */
  #checkDurable(id: number, index: number): void {
    const chains = this.#disks.map((disk) => disk.chainAt(index));
    const holders = (entry: number): readonly number[] =>
      chains.flatMap((chain, at) => (chain === 'snapshot' || chain === entry ? [at + 1] : []));
    // Where all have it in a snapshot there is no entry left to compare: any number stands for it.
    const entries = chains.filter((chain) => typeof chain === 'number');
    const held = [...new Set(entries.length === 0 ? [0] : entries)].map(holders);
    const isQuorum = (of: readonly number[]) => (voters: Voters) =>
      voters.filter((voter) => of.includes(voter)).length * 2 > voters.length;
    assert(
      held.some((of) => this.#lists.some((lists) => lists.every(isQuorum(of)))),
      () =>
        `replica ${id} applied ${index}, which is durable on ${Math.max(...held.map(({ length }) => length))} of ${chains.length}`,
    );
  }

  /** One vote a term, over restarts; a term on disk never falls. */
  durable(id: number, before: HardState | undefined, { term, vote }: HardState): void {
    assert(
      before === undefined || term >= before.term,
      () => `replica ${id}: term on disk fell from ${before?.term} to ${term}`,
    );
    if (vote === undefined) return;
    const key = `${id}@${term}`;
    const known = this.#votes.get(key);
    assert(known === undefined || known === vote, () => `${key} voted for ${known} and ${vote}`);
    this.#votes.set(key, vote);
  }

  /** A disk begins anew, empty, under an old number: nobody lets it take part, so its votes count nowhere. */
  reformatted(id: number): void {
    for (const key of this.#votes.keys()) if (key.startsWith(`${id}@`)) this.#votes.delete(key);
  }

  /** Nothing is promised before it is durable (Figure 2). */
  sent(message: Message, disk: Promiser): void {
    const { hardState, lastIndex = 0 } = disk.state ?? {};
    const isPromise = message.type === 'append-reply' ? message.accepted : isVote(message);
    assert(
      !isPromise || !disk.hasLost,
      () => `replica ${message.from} promises, though its disk has lost what it promised before`,
    );
    if (message.type === 'append-reply' && message.accepted) {
      const isPast = (hardState?.term ?? 0) > message.term;
      assert(
        isPast || lastIndex >= message.index,
        () =>
          `replica ${message.from} acknowledges ${message.index}, its disk ends at ${lastIndex}`,
      );
    }
    if (message.type === 'vote-request' && !message.pre)
      this.#asked.set(`${message.from}@${message.term}`, message.last);
    if (message.type !== 'vote-reply' || message.pre || !message.granted) return;
    const { term = 0, vote } = hardState ?? {};
    assert(
      term > message.term || (term === message.term && vote === message.to),
      () =>
        `replica ${message.from} votes for ${message.to} in term ${message.term}, its disk says ${vote} in ${term}`,
    );
    assert(
      hardState?.abstain !== true,
      () => `replica ${message.from} votes, though it may have before`,
    );
    this.#checkVoter(message, lastIndex, disk.termAt(lastIndex) ?? 0);
  }
  /** Nobody votes for a log behind its own (§5.4.1). */
  #checkVoter({ from, to, term }: Message, lastIndex: number, lastTerm: number): void {
    const last = this.#asked.get(`${to}@${term}`);
    // The vote waited for the disk so long that a leader of this term, or a later one, has sent entries since.
    if (lastTerm >= term) return;
    assert(
      last === undefined ||
        last.term > lastTerm ||
        (last.term === lastTerm && last.index >= lastIndex),
      () =>
        `replica ${from} ends at ${lastIndex}@${lastTerm}, and votes for ${to}, which ends at ${last?.index}@${last?.term}`,
    );
  }
}

const isVote = (message: Message): boolean =>
  message.type === 'vote-reply' && !message.pre && message.granted;

const count = <T>(items: readonly T[], wanted: T): number =>
  items.filter((item) => item === wanted).length;
