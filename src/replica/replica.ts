import { assert } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { hashToHex } from '../base/hash.ts';
import { logIndex, millis, type ReplicaId, type UnixMillis, unixMillis } from '../base/ids.ts';
import { READS_PENDING_MAX, TICK_MS } from '../base/limits.ts';
import { Prng } from '../base/prng.ts';
import { RaftCore } from '../raft/core.ts';
import type { Entry, LogRead, Message, Ready, Standing } from '../raft/types.ts';
import { History } from '../statemachine/history.ts';
import { AlertMachine } from '../statemachine/machine.ts';
import type { Identity, LogStore, Member, Restored } from '../storage/types.ts';
import type { Transport } from '../transport/types.ts';
import type { Hello } from '../wire/handshake.ts';
import { EntryRecord, genesisChain, recordOf } from '../wire/record.ts';
import type { ReplicaStatus } from '../wire/status.ts';
import { Applier } from './applier.ts';
import { DiskWriter } from './disk-writer.ts';
import { PeerLinks } from './peer-links.ts';
import { type Proposal, Proposals } from './proposals.ts';
import { type ReadDone, Reads } from './reads.ts';
import { WatchHub } from './watch-hub.ts';

/** What a replica runs on. Production passes disk, sockets and clock; the simulator virtual ones. */
export interface ReplicaParts {
  readonly identity: Identity;
  readonly restored: Restored;
  readonly store: LogStore;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Decides election time-outs, and where things lie in memory; nothing that replicas must share. */
  readonly seed: number;
  readonly agent: string;
  readonly log: (line: string) => void;
  /** The replica must not go on: its disk failed, its log is damaged, or a bug showed. Called once. */
  readonly onFault: (error: unknown) => void;
  /** Events kept for watchers that resume. @defaultValue HISTORY_EVENTS_MAX */
  readonly historyEventsMax?: number;
}

/**
 * One running member. Drives the pure core against disk, peers and clock, applies what is committed, and answers
 * clients. The only place where they meet.
 */
export class Replica {
  /** Without the restored entries, which the core forgets one day. */
  readonly #parts: Omit<ReplicaParts, 'restored'>;
  readonly #core: RaftCore;
  readonly #machine: AlertMachine;
  readonly #history: History;
  readonly #writer: DiskWriter;
  readonly #applier: Applier;
  readonly #proposals: Proposals;
  readonly #reads: Reads;
  readonly #links: PeerLinks;
  readonly #startedAt: number;
  readonly watches: WatchHub;
  #ticker: Timer | undefined;
  #turn: Timer | undefined;
  #pumping = false;
  #stopped = false;
  #standing: Standing;

  constructor(parts: ReplicaParts) {
    const { restored, ...kept } = parts;
    this.#parts = kept;
    const { identity, store, clock } = kept;
    this.#history = new History(kept.historyEventsMax);
    this.#startedAt = clock.monotonic();
    this.#machine = new AlertMachine({}, parts.seed);
    this.#core = new RaftCore({
      id: identity.replicaId,
      voters: identity.members.map((member) => member.id),
      prng: new Prng(parts.seed),
      noop: () => EntryRecord.draft('noop', this.#stamp(), 0, []),
      hardState: restored.hardState,
      tail: restored.tail,
      terms: restored.terms,
    });
    this.#standing = this.#core.standing;
    this.#writer = new DiskWriter(store, this.#core.last.index, {
      release: (messages) => this.#route(messages),
      idle: () => this.#work(),
      failed: (error) => this.#fault(error),
    });
    this.#applier = new Applier({
      clock,
      store,
      machine: this.#machine,
      entryAt: (index) => this.#core.entryAt(index),
      firstInMemory: () => this.#core.firstInMemory,
      onApplied: (entry, replies, events) => {
        for (const event of events) this.#history.push(event);
        this.#proposals.applied(entry, replies);
      },
      onSlice: () => this.#afterSlice(),
      onFault: (error) => this.#fault(error),
    });
    this.#proposals = new Proposals(clock);
    this.#reads = new Reads((context) => this.#core.read(context));
    this.watches = new WatchHub(this.#machine, this.#history, clock);
    this.#links = new PeerLinks({
      transport: parts.transport,
      clock,
      self: this.hello,
      members: identity.members,
      onLost: (peer) => this.peerLost(peer),
      log: parts.log,
    });
  }

  get clock(): Clock {
    return this.#parts.clock;
  }
  get machine(): AlertMachine {
    return this.#machine;
  }
  get standing(): Standing {
    return this.#core.standing;
  }

  /** How this replica introduces itself; the lane is the caller's to set. */
  get hello(): Hello {
    const { identity, agent } = this.#parts;
    const { clusterId, replicaId, incarnation } = identity;
    return { role: 'peer', lane: 'control', clusterId, replicaId, incarnation, agent };
  }

  start(): void {
    if (this.#stopped) return;
    assert(this.#ticker === undefined, 'the replica was started before');
    this.#links.start();
    this.#ticker = this.clock.every(millis(TICK_MS), () => {
      this.#core.tick();
      this.#proposals.expire();
      this.#writer.tick();
      this.#work();
    });
    this.#work();
  }

  /** Stops at once, as a crash would, except that callers are told. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#ticker?.cancel();
    this.#turn?.cancel();
    this.#applier.stop();
    this.#links.close();
    const closed = new TocsinError('UNAVAILABLE', 'the replica is stopping');
    this.#proposals.abandon(closed, unknownOutcome('the replica is stopping'));
    this.#reads.close(closed);
    this.watches.close();
  }

  /** A message of a peer has arrived. */
  receive(message: Message): void {
    if (this.#stopped) return;
    this.#core.step(message);
    this.#soon();
  }

  /** A connection to or from a peer broke. */
  peerLost(peer: ReplicaId): void {
    if (this.#stopped) return;
    this.#core.peerLost(peer);
    this.#soon();
  }

  /** Hands the leadership to whoever holds most of the log. False if there is nothing to hand over. */
  handOver(): boolean {
    if (this.#standing.role !== 'leader' || this.#stopped) return false;
    const others = this.#parts.identity.members.filter(
      (member) => member.id !== this.#parts.identity.replicaId,
    );
    // One that is down may hold as much of the log as one that is not.
    const reach = ({ id }: Member): number => (this.#links.isConnected(id) ? 1 : 0);
    const matchOf = ({ id }: Member): number => this.#core.matchOf(id) ?? 0;
    const best = others.sort((a, b) => reach(b) - reach(a) || matchOf(b) - matchOf(a))[0];
    if (best === undefined || !this.#core.transfer(best.id)) return false;
    this.#soon();
    return true;
  }

  propose(proposal: Proposal): void {
    if (this.#standing.role !== 'leader' || this.#stopped) {
      proposal.settle(this.#notLeading());
      return;
    }
    this.#proposals.add(proposal);
    this.#soon();
  }

  readLinearizable(done: ReadDone): void {
    if (this.#standing.role !== 'leader' || this.#stopped) {
      done(this.#notLeading());
      return;
    }
    if (this.#reads.pending >= READS_PENDING_MAX) {
      done(new TocsinError('OVERLOADED', `${this.#reads.pending} reads are waiting`));
      return;
    }
    this.#reads.ask(done);
    this.#soon();
  }

  status(): ReplicaStatus {
    const { identity, agent } = this.#parts;
    const { role, term, leader } = this.#core.standing;
    return {
      replicaId: identity.replicaId,
      clusterId: identity.clusterId,
      role,
      term,
      leader,
      leaderAddress: this.#addressOf(leader),
      commit: logIndex(this.#core.committed),
      applied: this.#applier.applied,
      lastIndex: this.#core.last.index,
      revision: this.#machine.revision,
      digest: hashToHex(this.#machine.digest),
      uptimeMs: Math.floor(this.clock.monotonic() - this.#startedAt),
      agent,
      openAlerts: this.#machine.openCount,
      members: identity.members,
    };
  }

  /** Runs after what this turn of the loop has received is taken in, so that it is answered together. */
  #soon(): void {
    if (this.#turn !== undefined || this.#stopped) return;
    this.#turn = this.clock.soon(() => {
      this.#turn = undefined;
      this.#work();
    });
  }

  #work(): void {
    if (this.#stopped) return;
    this.#noteStanding();
    // While a write is under way, commands gather: they become the next entry, and the next write, together.
    if (!this.#writer.writing) this.#cutProposals();
    this.#pump();
  }

  #cutProposals(): void {
    if (this.#core.standing.role !== 'leader') return;
    for (let cut = this.#proposals.cut(this.#stamp()); cut !== undefined; ) {
      const result = this.#core.propose(cut.record);
      if (result.ok) this.#proposals.placed(result.id, cut.batch);
      else if (result.reason === 'overloaded')
        this.#proposals.refused(
          cut.batch,
          new TocsinError('OVERLOADED', 'too much is waiting for a quorum; nothing was written'),
        );
      else this.#proposals.refused(cut.batch, this.#notLeading());
      cut = this.#proposals.cut(this.#stamp());
    }
  }

  /** Does what the core wants done, until it wants nothing more. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (
        let ready = this.#core.takeReady();
        ready !== undefined;
        ready = this.#core.takeReady()
      ) {
        this.#perform(ready);
        if (this.#stopped) return;
      }
    } finally {
      this.#pumping = false;
    }
    this.#writer.start();
    this.#noteStanding();
  }

  /** One Ready, in order of duty (see Ready). */
  #perform(ready: Ready): void {
    for (const entry of ready.append) this.#seal(entry);
    for (const message of ready.send) this.#links.send(message);
    this.#route(this.#writer.add(ready));
    this.#applier.advance(ready.committed);
    this.#reads.confirmed(ready.reads);
    if (ready.readsDropped.length > 0) this.#reads.dropped(ready.readsDropped, this.#notLeading());
    this.#reads.applied(this.#applier.applied);
    for (const read of ready.logReads) this.#readFor(read);
  }

  /** Sends what no longer waits for the disk; what is for this replica itself goes back into the core. */
  #route(messages: readonly Message[]): void {
    if (this.#stopped) return;
    for (const message of messages)
      if (message.to === this.#parts.identity.replicaId) this.#core.step(message);
      else this.#links.send(message);
  }

  /** An own entry gets its place and its link of the chain; a received one must fit the chain it arrives in. */
  #seal(entry: Entry): void {
    const record = recordOf(entry);
    const before = this.#core.entryAt(entry.index - 1);
    assert(before !== undefined || entry.index === 1, `entry ${entry.index - 1} left memory`);
    const chain =
      before === undefined ? genesisChain(this.#parts.identity.clusterId) : recordOf(before).chain;
    if (!record.sealed) record.seal(entry, chain);
    assert(record.previousChain === chain, `entry ${entry.index} breaks the chain of the log`);
  }

  /** A peer lags behind memory: what it needs comes from disk. */
  #readFor(read: LogRead): void {
    if (this.#stopped) return;
    // Only what is durable leaves memory, and what is committed is never cut.
    const to = this.#writer.durable;
    assert(read.from <= to, `entry ${read.from} left memory, but only ${to} are on disk`);
    this.#parts.store.read(read.from, to, read.bytesMax).then(
      (entries) => {
        if (this.#stopped) return;
        this.#core.entriesRead(read.peer, entries);
        this.#soon();
      },
      (error: unknown) => this.#fault(error),
    );
  }

  #afterSlice(): void {
    const { applied } = this.#applier;
    this.#reads.applied(applied);
    this.watches.wake();
    this.#core.release(Math.min(applied, this.#writer.durable));
  }

  /** Tells waiting callers when the reign under which they asked is over. */
  #noteStanding(): void {
    const before = this.#standing;
    const now = this.#core.standing;
    this.#standing = now;
    if (before.role === now.role && before.term === now.term && before.leader === now.leader)
      return;
    const reigns = now.role === 'leader' && before.term === now.term;
    if (before.role === 'leader' && !reigns)
      this.#proposals.abandon(this.#notLeading(), unknownOutcome('the leader was deposed'));
    if (before.leader !== now.leader)
      this.#parts.log(
        now.leader === undefined
          ? `term ${now.term}: no leader known`
          : `term ${now.term}: replica ${now.leader} leads`,
      );
  }

  #notLeading(): TocsinError {
    const { leader } = this.#core.standing;
    const { replicaId } = this.#parts.identity;
    if (leader === undefined || leader === replicaId)
      return new TocsinError('UNAVAILABLE', `replica ${replicaId} knows no leader now`);
    const address = this.#addressOf(leader);
    return new TocsinError('NOT_LEADER', `replica ${leader} leads`, { leader: address });
  }

  #addressOf(id: ReplicaId | undefined): string | undefined {
    return this.#parts.identity.members.find((member) => member.id === id)?.address;
  }

  /** The leader's stamp: the wall clock, but never before the stamp of the newest entry. */
  #stamp(): UnixMillis {
    const newest = this.#core.entryAt(this.#core.last.index);
    const before = newest === undefined ? 0 : recordOf(newest).time;
    return unixMillis(Math.max(this.clock.wall(), before));
  }

  #fault(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#parts.onFault(error);
  }
}

const unknownOutcome = (why: string): TocsinError =>
  new TocsinError('OUTCOME_UNKNOWN', `${why}; the command may or may not be written`);
