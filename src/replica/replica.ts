import { assert } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { type LogIndex, logIndex, type Millis, millis, type ReplicaId } from '../base/ids.ts';
import { HEARTBEAT_TICKS, TICK_MS } from '../base/limits.ts';
import type { Message, Ready, Standing } from '../raft/types.ts';
import type { Consistency } from '../statemachine/alert-api.ts';
import type { AlertMachine } from '../statemachine/machine.ts';
import { emptyEnd } from '../storage/log/log-state.ts';
import type { LogPlace, Restored, SnapshotMeta } from '../storage/types.ts';
import type { Channel } from '../transport/types.ts';
import type { AdminRequest } from '../wire/clients/admin-messages.ts';
import type { ReplicaStatus } from '../wire/clients/status.ts';
import type { Hello } from '../wire/handshake.ts';
import { recordOf } from '../wire/log/record.ts';
import type { Checkpoint } from '../wire/peers/digests.ts';
import { Clocks } from './clocks/clocks.ts';
import { CoreDriver } from './core-driver.ts';
import { initFrom } from './core-init.ts';
import { Comparer } from './health/comparer.ts';
import { Quarantine } from './health/quarantine.ts';
import { StallGuard } from './health/stall-guard.ts';
import { helloOf, type ReplicaParts } from './parts.ts';
import type { BulkAnswer } from './peers/bulk-lane.ts';
import { Members } from './peers/members.ts';
import { PeerLinks } from './peers/peer-links.ts';
import { Strangers } from './peers/strangers.ts';
import { successorOf } from './peers/successor.ts';
import { AppliedState } from './pipeline/applied-state.ts';
import { Applier } from './pipeline/applier.ts';
import { admit } from './pipeline/disk-room.ts';
import { type Proposal, Proposals } from './pipeline/proposals.ts';
import { tickIfDue } from './pipeline/tick.ts';
import { isFull } from './room-again.ts';
import { type AdminDone, Administrator } from './service/administrator.ts';
import { ClientSession } from './service/client-session.ts';
import type { Resident } from './service/front-door.ts';
import { Intake } from './service/intake.ts';
import { Pages } from './service/pages.ts';
import { type FreshDone, type Freshness, ReadDesk } from './service/read-desk.ts';
import { Reads } from './service/reads.ts';
import { describeStanding, notLeading, unknownOutcome } from './service/redirect.ts';
import { statusOf } from './service/status.ts';
import { WatchHub } from './service/watch-hub.ts';
import { SnapshotDesk } from './snapshots/snapshot-desk.ts';
import { Upkeep } from './upkeep.ts';

/**
 * One running member. Drives the pure core against disk, peers and clock, applies what is committed, and answers
 * clients. The only place where they meet.
 */
export class Replica implements Resident {
  /** Without the restored entries, which the core forgets one day. */
  readonly #parts: Omit<ReplicaParts, 'restored' | 'machine'>;
  readonly #driver: CoreDriver;
  readonly #state: AppliedState;
  readonly #applier: Applier;
  readonly #proposals: Proposals;
  readonly #reads: Reads;
  readonly #readDesk: ReadDesk;
  readonly #links: PeerLinks;
  readonly #members: Members;
  readonly #comparer: Comparer;
  readonly #stalls: StallGuard;
  readonly #admin: Administrator;
  readonly #quarantine: Quarantine;
  readonly #upkeep: Upkeep;
  readonly #startedAt: number;
  readonly clocks: Clocks;
  readonly strangers: Strangers;
  readonly watches: WatchHub;
  readonly pages: Pages;
  readonly intake: Intake;
  readonly snapshots: SnapshotDesk;
  #ticker: Timer | undefined;
  /** Retired, it takes part in nothing, and answers what asks for no freshness that it cannot vouch for. */
  #phase: 'running' | 'retired' | 'stopped' = 'running';
  #beat = 0;
  /** The entry that was applied last. */
  #place: LogPlace;

  constructor(parts: ReplicaParts) {
    const { restored, machine, ...kept } = parts;
    this.#parts = kept;
    const { identity, clock, turns, transport } = kept;
    this.#startedAt = clock.monotonic();
    this.#place = restored.snapshot ?? restored.base;
    this.#state = new AppliedState(machine, kept.historyEventsMax, kept.rules);
    this.#members = new Members(identity, restored, kept.trends);
    this.#stalls = new StallGuard(clock);
    this.strangers = new Strangers(this.#members, () => this.#driver);
    this.#links = new PeerLinks({
      ...kept,
      self: this.hello,
      strangers: this.strangers,
      members: this.#members,
      owner: this,
    });
    this.clocks = new Clocks(identity.replicaId, clock, this.#members, this.#links);
    this.#driver = this.#driverFrom(restored);
    this.#applier = this.#applierOf();
    this.#proposals = new Proposals(clock);
    this.#reads = new Reads((context) => this.#driver.read(context));
    this.#readDesk = new ReadDesk({
      clock,
      driver: this.#driver,
      reads: this.#reads,
      state: this.#state,
      notLeading: () => this.#notLeading(),
    });
    this.watches = new WatchHub(this.#state, clock, turns);
    this.pages = new Pages(this.#state, clock, turns);
    this.intake = new Intake(turns);
    this.#comparer = new Comparer(identity.replicaId, this.#members, this.#links);
    const onFault = (error: unknown): void => this.#fault(error);
    const [driver, members, links] = [this.#driver, this.#members, this.#links];
    const applied = (): LogIndex => this.#applier.applied;
    const common = { ...kept, driver, members, links, applied, onFault, machine: kept };
    this.snapshots = new SnapshotDesk({
      ...common,
      state: this.#state,
      transport,
      self: this.hello,
      place: () => this.#place,
      problem: () => this.problem,
      policy: kept.snapshots,
    });
    this.#upkeep = new Upkeep({ ...common, self: identity.replicaId, snapshots: this.snapshots });
    this.#quarantine = new Quarantine({
      ...common,
      base: () => this.#driver.baseIndex,
      committed: () => logIndex(this.#driver.committed),
      discard: () => this.snapshots.discard(this.#comparer.agreed),
      fetch: (peer, reaching) => this.snapshots.fetch(peer, reaching),
      rebuild: (to, place) => this.#replaceState(to, place ?? emptyEnd(identity.clusterId)),
    });
    this.#admin = new Administrator({
      ...common,
      snapshots: this.snapshots,
      rooms: this.#upkeep.rooms,
      successor: () => successorOf(members, this.#links, driver),
      confirm: (done) => this.read('linearizable', done),
      notLeading: () => this.#notLeading(),
    });
  }

  #driverFrom(restored: Restored): CoreDriver {
    const { identity, store, clock, seed, leases = false } = this.#parts;
    return new CoreDriver({
      init: initFrom(restored, identity.replicaId, this.#members, seed, leases),
      leaveJoint: (configuration) => this.#admin.leaveJoint(configuration),
      base: restored.base,
      time: () => this.#state.machine.time,
      agreedTime: this.clocks.now,
      store,
      clock,
      events: {
        cut: () => this.#cut(),
        send: (message) => this.#links.send(message),
        sent: () => this.#links.flush(),
        wrote: (ms) => this.#proposals.stages.synced(ms),
        progressed: (ready, snapshot) => this.#progressed(ready, snapshot),
        standing: (before, now) => this.#changedStanding(before, now),
        rotten: (error) => this.#upkeep.rotten(error),
        failed: (error) => this.#fault(error),
      },
    });
  }

  #applierOf(): Applier {
    return new Applier({
      ...this.#parts,
      state: this.#state,
      entryAt: (index) => this.#driver.entryAt(index),
      firstInMemory: () => this.#driver.firstInMemory,
      onApplied: (entry, replies) => {
        const { index, term } = entry;
        this.#place = { index, term, chain: recordOf(entry).chain };
        this.#comparer.note(index, this.#state.machine.digest);
        this.snapshots.noteApplied(entry);
        this.#proposals.applied(entry, replies);
      },
      onSlice: () => this.#afterSlice(),
      onFault: (error) => this.#fault(error),
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
  get log(): Pick<CoreDriver, 'committed' | 'lastIndex' | 'configuration'> {
    return this.#driver;
  }
  get hello(): Hello & { readonly replicaId: ReplicaId } {
    return helloOf(this.#parts);
  }

  start(): void {
    if (this.#phase !== 'running') return;
    assert(this.#ticker === undefined, 'the replica was started before');
    this.#followMembers();
    this.#ticker = this.clock.every(millis(TICK_MS), () => this.#tick());
    this.#driver.begin();
  }

  /** Stops at once, as a crash would, except that callers are told. */
  stop(): void {
    if (this.#phase === 'running') this.#retire('the replica is stopping');
    if (this.#phase !== 'stopped') this.watches.close();
    this.#phase = 'stopped';
  }

  /** Takes part no more. */
  #retire(why: string): void {
    this.#phase = 'retired';
    this.#ticker?.cancel();
    this.#driver.stop();
    this.#applier.stop();
    this.#links.close();
    this.snapshots.stop();
    const closed = new TocsinError('UNAVAILABLE', why);
    this.#proposals.abandon(closed, unknownOutcome(why));
    this.#reads.close(closed);
    this.#admin.close(closed);
  }

  judge(remote: Hello): void {
    this.#members.judge(remote, this.strangers);
  }
  welcomeClient(channel: Channel): void {
    new ClientSession(channel, this);
  }

  readonly toldRoom: Resident['toldRoom'] = (peer, room) => this.#upkeep.rooms.told(peer, room);
  readonly answerBulk: BulkAnswer = (type, body) => this.snapshots.answer(type, body);
  readonly diskFailed = (error: TocsinError): void => this.#fault(error);

  receiveDigests(peer: ReplicaId, checkpoints: readonly Checkpoint[]): void {
    this.#comparer.heard(peer, checkpoints);
  }

  receive(message: Message): void {
    if (this.#phase === 'running' && this.#upkeep.room.takes(message)) this.#driver.step(message);
  }
  peerLost(peer: ReplicaId): void {
    const isThere = (voter: ReplicaId): boolean => this.#links.isConnected(voter);
    if (this.#phase === 'running') this.#driver.peerLost(peer, isThere);
  }

  /** Hands the leadership to whoever can take over best. False if there is nothing to hand over, or nobody. */
  handOver(): boolean {
    if (this.standing.role !== 'leader') return false;
    const heir = successorOf(this.#members, this.#links, this.#driver);
    return heir !== undefined && this.#driver.transfer(heir);
  }

  administer(request: AdminRequest, deadline: Millis, done: AdminDone): void {
    if (this.#phase !== 'running') done(this.#notLeading());
    else this.#admin.handle(request, deadline, done);
  }

  propose(proposal: Proposal): void {
    if (this.standing.role !== 'leader') {
      proposal.settle(this.#notLeading());
      return;
    }
    const admitted = this.problem ?? admit(this.#upkeep.rooms.left, proposal);
    if (admitted instanceof TocsinError) proposal.settle(admitted);
    else this.#proposals.add(admitted);
    this.#driver.soon();
  }

  read(level: Consistency, done: FreshDone): void {
    if (this.#phase === 'stopped') done(this.#notLeading());
    else this.#readDesk.read(level, done);
  }
  holds(level: Consistency, freshness: Freshness): boolean {
    return this.#readDesk.holds(level, freshness);
  }

  get problem(): TocsinError | undefined {
    return this.#quarantine.problem;
  }

  status(): ReplicaStatus {
    return statusOf({
      ...this.#parts,
      driver: this.#driver,
      machine: this.machine,
      members: this.#members,
      uptimeMs: this.clock.monotonic() - this.#startedAt,
      alarms: [this.#comparer, this.clocks, this.#upkeep, this.#admin].flatMap((of) => of.alarms),
      stages: this.#proposals.stages.summary,
    });
  }

  #tick(): void {
    const late = this.#stalls.tick();
    if (late !== undefined) this.#parts.log(`the process stood still for ${Math.round(late)} ms`);
    // Nobody can have taken over from a replica that is alone.
    this.#driver.tick(this.#members.voters.length === 1 ? undefined : late);
    this.#proposals.expire();
    if (this.problem === undefined) this.snapshots.tick(!this.#upkeep.room.isOut);
    this.#quarantine.tick();
    this.#admin.tick();
    this.#beat += 1;
    if (this.#beat % HEARTBEAT_TICKS === 0) this.#compare();
    this.#driver.work();
    // What is read at rest is what the disk was told by then: of what is about to be cut nothing is.
    this.#upkeep.tick();
  }

  #compare(): void {
    if ([this.clocks.ask(), this.#upkeep.rooms.tell()].includes(true)) this.#prefer();
    const verdict = this.#comparer.compare();
    if (verdict.is === 'differs') this.#quarantine.enter(verdict.index, verdict.agreeing);
    const { problem } = this.#quarantine;
    this.#driver.rest('quarantined', problem !== undefined);
    if (problem === undefined) return;
    this.watches.dismiss(problem);
    this.#reads.close(problem);
    this.#proposals.abandon(problem, unknownOutcome('the state here is in doubt'));
  }

  #followMembers(): void {
    this.#links.sync(this.#members.others);
    this.#prefer();
  }

  #prefer(): void {
    this.#driver.prefer(this.#upkeep.rooms.ranked(this.clocks.ranks));
  }

  #cut(): void {
    if (this.standing.role !== 'leader') return;
    this.#proposals.placeInto(this.#driver, () => this.#notLeading());
    if (this.#upkeep.rooms.left !== 'out')
      tickIfDue(this.#driver, this.#state.machine, this.#applier.applied);
  }

  #progressed(ready: Ready, snapshot: SnapshotMeta | undefined): void {
    if (this.#members.note(ready, snapshot)) this.#followMembers();
    this.#admin.settle();
    if (snapshot !== undefined) this.#replaceState(this.snapshots.machineOf(snapshot), snapshot);
    if (ready.snapshotOffer !== undefined) this.snapshots.offered(ready.snapshotOffer);
    this.#proposals.committed(ready.committed);
    this.#applier.advance(ready.committed);
    this.#reads.confirmed(ready.reads);
    if (ready.readsDropped.length > 0) this.#reads.dropped(ready.readsDropped, this.#notLeading());
    this.#reads.applied(this.#applier.applied);
  }

  /** What the log holds beyond `place` is applied to the new state. */
  #replaceState(machine: AlertMachine, place: LogPlace): void {
    this.#place = place;
    this.#state.replace(machine);
    this.#applier.replaced();
    this.#comparer.forgetOwn();
    this.#applier.advance(logIndex(this.#driver.committed));
    this.watches.wake();
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
    if (before.leader !== now.leader) this.#parts.log(describeStanding(now));
  }

  #notLeading(): TocsinError {
    const { replicaId } = this.#parts.identity;
    if (this.#phase !== 'running' && this.#upkeep.room.isOut)
      return new TocsinError('UNAVAILABLE', `replica ${replicaId} has no room on its disk`);
    return notLeading(this.standing, replicaId, this.#members);
  }

  /** A full disk has made nothing wrong: what is known here can still be read, though it grows old. */
  #fault(error: unknown): void {
    if (this.#phase !== 'running') return;
    if (isFull(error)) {
      this.#upkeep.room.ranOut();
      this.#retire('the disk of this replica is full');
    } else this.stop();
    this.#parts.onFault(error);
  }
}
