import { must } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, type Millis, millis, type ReplicaId } from '../../base/ids.ts';
import { CHANGE_MS_MAX, TICK_MS } from '../../base/limits.ts';
import type { Configuration } from '../../raft/configuration.ts';
import type { PeerView } from '../../raft/peers.ts';
import type {
  AdminRequest,
  ChangeReport,
  MemberChange,
} from '../../wire/clients/admin-messages.ts';
import {
  encodeChangeReport,
  encodeSnapshotReport,
  type SnapshotReport,
} from '../../wire/clients/admin-messages.ts';
import type { Alarm } from '../../wire/clients/status.ts';
import { EntryRecord } from '../../wire/log/record.ts';
import { snapshotBytes } from '../../wire/log/snapshot-meta.ts';
import type { ClusterMember } from '../../wire/peers/members.ts';
import type { CoreDriver } from '../core-driver.ts';
import { type Address, membersFor, type Wanted, wantedBy } from '../peers/member-change.ts';
import type { Members } from '../peers/members.ts';
import type { Rooms } from '../peers/rooms.ts';
import type { SnapshotDesk } from '../snapshots/snapshot-desk.ts';
import type { FreshDone } from './read-desk.ts';

export interface AdministratorParts {
  readonly clock: Clock;
  readonly driver: CoreDriver;
  readonly members: Members;
  readonly snapshots: SnapshotDesk;
  readonly rooms: Pick<Rooms, 'fullAmong'>;
  /** Whom to hand over to if the operator names nobody. */
  readonly successor: () => ReplicaId | undefined;
  readonly notLeading: () => TocsinError;
  /** Calls back when everything that was confirmed before is applied here, or why that cannot be known. */
  readonly confirm: (done: FreshDone) => void;
  readonly applied: () => LogIndex;
  readonly log: (line: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** Called once: the body of the answer, or why there is none. */
export type AdminDone = (outcome: readonly Uint8Array[] | TocsinError) => void;

interface Pending {
  readonly index: LogIndex;
  readonly deadline: Millis;
  readonly report: ChangeReport;
  readonly done: AdminDone;
}

/** Does what operators ask: changes who takes part, hands over, takes snapshots. */
export class Administrator {
  readonly #parts: AdministratorParts;
  #pending: Pending | undefined;

  constructor(parts: AdministratorParts) {
    this.#parts = parts;
  }

  /** `deadline`: when whoever asked stops waiting, by the monotonic clock. */
  handle(request: AdminRequest, deadline: Millis, done: AdminDone): void {
    try {
      switch (request.act) {
        case 'change':
          this.#change(request.change, request.dryRun, deadline, done);
          return;
        case 'transfer':
          this.#transfer(request.to);
          done([]);
          return;
        case 'rest':
          this.#rest(request.on);
          done([]);
          return;
        case 'snapshot':
          this.#snapshot(deadline, done);
          return;
        case 'snapshot-part':
          this.#part(request, done);
          return;
      }
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      done(error);
    }
  }

  get alarms(): readonly Alarm[] {
    return this.#parts.driver.restsFor('drained') ? [{ name: 'drained', says: RESTS }] : [];
  }

  /** The entry with which a change ends. */
  leaveJoint(configuration: Configuration): EntryRecord {
    return this.#recordOf(membersFor(configuration, this.#addresses()));
  }

  /** Called once a tick. */
  tick(): void {
    this.settle();
    this.#identify();
  }

  /** Called when something was committed as well: tells who waits for a change that has come to its end. */
  settle(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    const { driver, members, clock } = this.#parts;
    const isLeading = driver.standing.role === 'leader';
    const isDone = driver.committed >= members.newestIndex && members.newestIndex >= pending.index;
    if (isDone && driver.configuration.outgoing.length === 0) {
      this.#end([encodeChangeReport({ ...pending.report, members: members.lines })]);
    } else if (!isLeading || clock.monotonic() >= pending.deadline) {
      this.#end(new TocsinError('OUTCOME_UNKNOWN', 'the change is not committed yet; look again'));
    }
  }

  /**
   * The leader puts down in the log which disks the members have that it has met, so that from then on a
   * wiped one is told from the one that made promises under its number.
   */
  #identify(): void {
    const { driver, members } = this.#parts;
    const identified = driver.standing.role === 'leader' ? members.identified : undefined;
    if (identified !== undefined && driver.restate(this.#recordOf(identified)).ok) driver.soon();
  }

  close(error: TocsinError): void {
    if (this.#pending !== undefined) this.#end(error);
  }

  #end(outcome: Parameters<AdminDone>[0]): void {
    const pending = must(this.#pending, 'no change is under way');
    this.#pending = undefined;
    pending.done(outcome);
  }

  #change(change: MemberChange, dryRun: boolean, until: Millis, done: AdminDone): void {
    const { driver, members, notLeading, clock, log } = this.#parts;
    if (driver.standing.role !== 'leader') throw notLeading();
    const wanted = wantedBy(change, members.all) ?? {
      target: { voters: members.voters, learners: members.learners },
      addresses: this.#addresses(),
    };
    const plan = driver.plan(wanted.target);
    if (plan === undefined) throw notLeading();
    const { before, after } = plan;
    const report = (outcome: ChangeReport['outcome'], says = ''): ChangeReport => ({
      outcome,
      says,
      before,
      after,
      members: linesAfter(wanted),
    });
    if (!plan.ok) {
      const outcome = plan.reason === 'nothing-changes' ? 'unchanged' : 'refused';
      done([encodeChangeReport(report(outcome, plan.says))]);
      return;
    }
    const full = this.#wouldBeFull(wanted.target.voters);
    if (full.length > 0) {
      const says = `afterwards nothing could be written: no room on the disk of replica ${full.join(', ')}`;
      done([encodeChangeReport(report('refused', says))]);
      return;
    }
    if (dryRun) {
      done([encodeChangeReport(report('planned'))]);
      return;
    }
    const begun = driver.change(this.#recordOf(membersFor(plan.configuration, wanted.addresses)));
    if (!begun.ok) {
      done([encodeChangeReport(report('refused', begun.says))]);
      return;
    }
    log(`a change of members begins: ${change.op} replica ${change.id}`);
    const deadline = millis(Math.min(until, clock.monotonic() + CHANGE_MS_MAX));
    this.#pending = { index: begun.id.index, deadline, report: report('done'), done };
    driver.soon();
  }

  /**
   * Whose disks would keep these voters from writing anything, if that is not so already: where it is, it may take several
   * changes, each of which such disks still take, until enough have room.
   */
  #wouldBeFull(voters: readonly ReplicaId[]): readonly ReplicaId[] {
    const { rooms, members } = this.#parts;
    return rooms.fullAmong(members.voters).length > 0 ? [] : rooms.fullAmong(voters);
  }

  #transfer(to: ReplicaId | undefined): void {
    const { driver, members, successor, notLeading } = this.#parts;
    if (driver.standing.role !== 'leader') throw notLeading();
    const heir = to ?? successor();
    if (heir === undefined)
      throw new TocsinError('CHANGE_REFUSED', 'no other voter would take over');
    if (!members.voters.includes(heir))
      throw new TocsinError('CHANGE_REFUSED', `replica ${heir} has no vote`);
    if (driver.standing.leader === heir) return;
    driver.transfer(heir);
  }

  #rest(on: boolean): void {
    const { driver, members, log } = this.#parts;
    const isHeir = ({ id, alive, declines }: PeerView): boolean =>
      alive && !declines && members.voters.includes(id);
    if (on && driver.standing.role === 'leader' && !driver.peers.some(isHeir))
      throw new TocsinError('CHANGE_REFUSED', 'this replica leads, and nobody could take over');
    if (on !== driver.restsFor('drained')) log(on ? RESTS : 'this replica may lead again');
    driver.rest('drained', on);
  }

  /** What was confirmed before it was asked for is in it, whoever is asked. */
  #snapshot(deadline: Millis, done: AdminDone): void {
    this.#parts.confirm((outcome) => {
      if (TocsinError.is(outcome)) done(outcome);
      else this.#takeSnapshot(this.#parts.applied(), deadline, done);
    });
  }

  #takeSnapshot(reaching: LogIndex, deadline: Millis, done: AdminDone): void {
    const { snapshots, clock } = this.#parts;
    const settled = (): void => {
      const { newest } = snapshots;
      if (reaching === 0)
        done(new TocsinError('DATA_MISSING', 'nothing is applied yet, so there is no snapshot'));
      else if (newest !== undefined && newest.index >= reaching)
        done([encodeSnapshotReport(reportOf(newest))]);
      else if (clock.monotonic() >= deadline)
        done(new TocsinError('DEADLINE_EXCEEDED', 'another snapshot takes too long'));
      // One that was begun before was under way.
      else clock.after(millis(TICK_MS), () => this.#takeSnapshot(reaching, deadline, done));
    };
    snapshots.take().then(settled, (error: unknown) => this.#failed(error, done));
  }

  #part(asked: Extract<AdminRequest, { act: 'snapshot-part' }>, done: AdminDone): void {
    this.#parts.snapshots.part(asked.id, asked.chunk).then(
      (bytes) => done([bytes]),
      (error: unknown) => this.#failed(error, done),
    );
  }

  /** Whoever asked is told, and then a disk that fails stops this replica, as it does whoever uses it. */
  #failed(error: unknown, done: AdminDone): void {
    if (!TocsinError.is(error)) throw error;
    done(error);
    if (error.code === 'DISK_FAILED') this.#parts.onFault(error);
  }

  #recordOf(members: readonly ClusterMember[]): EntryRecord {
    return EntryRecord.draftConfiguration(this.#parts.driver.sealer.stamp(), members);
  }

  #addresses(): ReadonlyMap<ReplicaId, Address> {
    return new Map(this.#parts.members.all.map((member) => [member.id, member]));
  }
}

const RESTS = 'this replica is drained: it leads only if nobody else can';

const reportOf = (meta: NonNullable<SnapshotDesk['newest']>): SnapshotReport => ({
  id: meta.id,
  index: meta.index,
  bytes: snapshotBytes(meta),
  chunks: meta.chunks.length,
});

function linesAfter({ target, addresses }: Wanted): ChangeReport['members'] {
  const configuration = { ...target, outgoing: [], learnersNext: [] };
  return membersFor(configuration, addresses).map(({ id, address, roles, priority }) => ({
    id,
    address,
    roles,
    priority,
  }));
}
