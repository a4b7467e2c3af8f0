import { assert } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { hashToHex } from '../base/hash.ts';
import { logIndex, type Millis, millis, type ReplicaId } from '../base/ids.ts';
import { HEARTBEAT_TICKS, READS_PENDING_MAX, TICK_MS } from '../base/limits.ts';
import { Prng } from '../base/prng.ts';
import type { Message, Ready, Standing } from '../raft/types.ts';
import { AlertMachine } from '../statemachine/machine.ts';
import type { Identity, LogStore, Member, Restored } from '../storage/types.ts';
import type { Channel, Transport } from '../transport/types.ts';
import { type Checkpoint, encodeDigests } from '../wire/digests.ts';
import { FrameType } from '../wire/frame.ts';
import type { Hello } from '../wire/handshake.ts';
import type { Alarm, ReplicaStatus } from '../wire/status.ts';
import { AppliedState } from './applied-state.ts';
import { Applier } from './applier.ts';
import { ClientSession } from './client-session.ts';
import { CoreDriver } from './core-driver.ts';
import { Digests, type Verdict } from './digests.ts';
import type { Resident } from './front-door.ts';
import { Members } from './members.ts';
import { PeerLinks } from './peer-links.ts';
import { type Proposal, Proposals } from './proposals.ts';
import { type ReadDone, Reads } from './reads.ts';
import { StallGuard } from './stall-guard.ts';
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
export class Replica implements Resident {
  /** Without the restored entries, which the core forgets one day. */
  readonly #parts: Omit<ReplicaParts, 'restored'>;
  readonly #driver: CoreDriver;
  readonly #state: AppliedState;
  readonly #applier: Applier;
  readonly #proposals: Proposals;
  readonly #reads: Reads;
  readonly #links: PeerLinks;
  readonly #members: Members;
  readonly #digests: Digests;
  readonly #stalls: StallGuard;
  readonly #startedAt: number;
  readonly watches: WatchHub;
  #ticker: Timer | undefined;
  #stopped = false;
  #beat = 0;
  #verdict: Verdict = { is: 'unknown' };

  constructor(parts: ReplicaParts) {
    const { restored, ...kept } = parts;
    this.#parts = kept;
    const { identity, store, clock } = kept;
    this.#startedAt = clock.monotonic();
    this.#state = new AppliedState(new AlertMachine({}, parts.seed), kept.historyEventsMax);
    this.#members = new Members(identity);
    this.#digests = new Digests(identity.replicaId);
    this.#stalls = new StallGuard(clock);
    this.#driver = new CoreDriver({
      init: {
        id: identity.replicaId,
        voters: identity.members.map((member) => member.id),
        prng: new Prng(parts.seed),
        hardState: restored.hardState,
        tail: restored.tail,
        terms: restored.terms,
      },
      clusterId: identity.clusterId,
      store,
      clock,
      events: {
        cut: () => this.#cutProposals(),
        send: (message) => this.#links.send(message),
        progressed: (ready) => this.#progressed(ready),
        standing: (before, now) => this.#changedStanding(before, now),
        failed: (error) => this.#fault(error),
      },
    });
    this.#applier = new Applier({
      clock,
      store,
      state: this.#state,
      entryAt: (index) => this.#driver.entryAt(index),
      firstInMemory: () => this.#driver.firstInMemory,
      onApplied: (entry, replies, events) => {
        for (const event of events) this.#state.history.push(event);
        this.#digests.note(entry.index, this.#state.machine.digest);
        this.#proposals.applied(entry, replies);
      },
      onSlice: () => this.#afterSlice(),
      onFault: (error) => this.#fault(error),
    });
    this.#proposals = new Proposals(clock);
    this.#reads = new Reads((context) => this.#driver.read(context));
    this.watches = new WatchHub(this.#state, clock);
    this.#links = new PeerLinks({
      transport: parts.transport,
      clock,
      self: this.hello,
      members: this.#members.all,
      onLost: (peer) => this.peerLost(peer),
      log: parts.log,
    });
  }

  get clock(): Clock {
    return this.#parts.clock;
  }
  get machine(): AlertMachine {
    return this.#state.machine;
  }
  get standing(): Standing {
    return this.#driver.standing;
  }

  /** How this replica introduces itself; the lane is the caller's to set. */
  get hello(): Hello & { readonly replicaId: ReplicaId } {
    const { identity, agent } = this.#parts;
    const { clusterId, replicaId, incarnation } = identity;
    return { role: 'peer', lane: 'control', clusterId, replicaId, incarnation, agent };
  }

  start(): void {
    if (this.#stopped) return;
    assert(this.#ticker === undefined, 'the replica was started before');
    this.#links.start();
    this.#ticker = this.clock.every(millis(TICK_MS), () => this.#tick());
    this.#driver.work();
  }

  /** Stops at once, as a crash would, except that callers are told. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#ticker?.cancel();
    this.#driver.stop();
    this.#applier.stop();
    this.#links.close();
    const closed = new TocsinError('UNAVAILABLE', 'the replica is stopping');
    this.#proposals.abandon(closed, unknownOutcome('the replica is stopping'));
    this.#reads.close(closed);
    this.watches.close();
  }

  judge(remote: Hello): void {
    this.#members.judge(remote);
  }

  welcomeClient(channel: Channel): void {
    new ClientSession(channel, this);
  }

  readonly answerBulk = (type: FrameType): Promise<readonly Uint8Array[]> =>
    Promise.reject(new TocsinError('FRAME_UNKNOWN_TYPE', `nothing answers frames of type ${type}`));

  receiveDigests(peer: ReplicaId, checkpoints: readonly Checkpoint[]): void {
    this.#digests.heard(peer, checkpoints);
  }

  /** A message of a peer has arrived. */
  receive(message: Message): void {
    if (this.#stopped) return;
    this.#driver.step(message);
  }

  /** A connection to or from a peer broke. */
  peerLost(peer: ReplicaId): void {
    if (this.#stopped) return;
    this.#driver.peerLost(peer);
  }

  /** Hands the leadership to whoever holds most of the log. False if there is nothing to hand over. */
  handOver(): boolean {
    if (this.standing.role !== 'leader' || this.#stopped) return false;
    // One that is down may hold as much of the log as one that is not.
    const reach = ({ id }: Member): number => (this.#links.isConnected(id) ? 1 : 0);
    const matchOf = ({ id }: Member): number => this.#driver.matchOf(id);
    const best = [...this.#members.others].sort(
      (a, b) => reach(b) - reach(a) || matchOf(b) - matchOf(a),
    )[0];
    return best !== undefined && this.#driver.transfer(best.id);
  }

  propose(proposal: Proposal): void {
    if (this.standing.role !== 'leader' || this.#stopped) {
      proposal.settle(this.#notLeading());
      return;
    }
    this.#proposals.add(proposal);
    this.#driver.soon();
  }

  readLinearizable(done: ReadDone): void {
    if (this.standing.role !== 'leader' || this.#stopped) {
      done(this.#notLeading());
      return;
    }
    if (this.#reads.pending >= READS_PENDING_MAX) {
      done(new TocsinError('OVERLOADED', `${this.#reads.pending} reads are waiting`));
      return;
    }
    this.#reads.ask(done);
    this.#driver.soon();
  }

  status(): ReplicaStatus {
    const { identity, agent } = this.#parts;
    const { role, term, leader } = this.standing;
    return {
      replicaId: identity.replicaId,
      clusterId: identity.clusterId,
      role,
      term,
      leader,
      leaderAddress: this.#members.addressOf(leader),
      commit: logIndex(this.#driver.committed),
      applied: this.#applier.applied,
      lastIndex: this.#driver.lastIndex,
      revision: this.#state.machine.revision,
      digest: hashToHex(this.#state.machine.digest),
      uptimeMs: Math.floor(this.clock.monotonic() - this.#startedAt),
      agent,
      openAlerts: this.#state.machine.openCount,
      members: this.#members.all,
      alarms: this.#alarms(),
    };
  }

  #alarms(): readonly Alarm[] {
    const verdict = this.#verdict;
    if (verdict.is === 'divided')
      return [
        {
          name: 'states-divided',
          says: `no majority holds the same state at entry ${verdict.index}`,
        },
      ];
    if (verdict.is === 'agrees' && verdict.differing.length > 0)
      return [
        {
          name: 'peer-differs',
          says: `replicas ${verdict.differing.join(', ')} hold another state at entry ${verdict.index}`,
        },
      ];
    return [];
  }

  #tick(): void {
    const late = this.#stalls.tick();
    this.#driver.tick(late === undefined);
    if (late !== undefined) this.#stoodStill(late);
    this.#proposals.expire();
    this.#beat += 1;
    if (this.#beat % HEARTBEAT_TICKS === 0) this.#compare();
    this.#driver.work();
  }

  /**
   * Nothing is known of the time that passed. The others may have elected somebody else, so a leader lets go rather than
   * go on from memory; a follower first reads what has arrived meanwhile, before it takes that for silence.
   */
  #stoodStill(late: Millis): void {
    this.#parts.log(`the process stood still for ${Math.round(late)} ms`);
    if (this.standing.role === 'leader') this.handOver();
  }

  /** Tells the others what the state here is, and compares it with what they told. */
  #compare(): void {
    const newest = this.#digests.newest();
    if (newest.length === 0) return;
    this.#links.tell(FrameType.DIGESTS, [encodeDigests(newest)]);
    this.#verdict = this.#digests.judge(this.#members.all.map(({ id }) => id));
    if (this.#verdict.is !== 'differs') return;
    const { index, agreeing } = this.#verdict;
    this.#fault(
      new TocsinError(
        'STATE_DIVERGED',
        `the state at entry ${index} is not that of replicas ${agreeing.join(', ')}`,
      ),
    );
  }

  #cutProposals(): void {
    if (this.standing.role !== 'leader') return;
    const { sealer } = this.#driver;
    for (let cut = this.#proposals.cut(sealer.stamp()); cut !== undefined; ) {
      const result = this.#driver.propose(cut.record);
      if (result.ok) this.#proposals.placed(result.id, cut.batch);
      else if (result.reason === 'overloaded')
        this.#proposals.refused(
          cut.batch,
          new TocsinError('OVERLOADED', 'too much is waiting for a quorum; nothing was written'),
        );
      else this.#proposals.refused(cut.batch, this.#notLeading());
      cut = this.#proposals.cut(sealer.stamp());
    }
  }

  #progressed(ready: Ready): void {
    this.#applier.advance(ready.committed);
    this.#reads.confirmed(ready.reads);
    if (ready.readsDropped.length > 0) this.#reads.dropped(ready.readsDropped, this.#notLeading());
    this.#reads.applied(this.#applier.applied);
  }

  #afterSlice(): void {
    const { applied } = this.#applier;
    this.#reads.applied(applied);
    this.watches.wake();
    this.#driver.release(applied);
  }

  /** Tells waiting callers when the reign under which they asked is over. */
  #changedStanding(before: Standing, now: Standing): void {
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
    const { leader } = this.standing;
    const { replicaId } = this.#parts.identity;
    if (leader === undefined || leader === replicaId)
      return new TocsinError('UNAVAILABLE', `replica ${replicaId} knows no leader now`);
    const address = this.#members.addressOf(leader);
    return new TocsinError('NOT_LEADER', `replica ${leader} leads`, { leader: address });
  }

  #fault(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#parts.onFault(error);
  }
}

const unknownOutcome = (why: string): TocsinError =>
  new TocsinError('OUTCOME_UNKNOWN', `${why}; the command may or may not be written`);
