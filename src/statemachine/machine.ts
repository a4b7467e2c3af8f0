import { assert, must } from '../base/assert.ts';
import { hashText } from '../base/hash.ts';
import type { LogIndex, Revision, UnixMillis } from '../base/ids.ts';
import { SWEEPS_PER_ENTRY_MIN } from '../base/limits.ts';
import type { KeptRule } from '../base/rules/listed-rules.ts';
import type { RecordPage } from './alert-api.ts';
import { type AlertLimits, completeLimits } from './alert-limits.ts';
import { type CareContext, caredFor, lapsed } from './alerts/care-records.ts';
import { careMoveOf } from './alerts/care-transitions.ts';
import { displayState } from './alerts/display.ts';
import { TRANSITIONS } from './alerts/transitions.ts';
import { Escalations } from './beside/escalations.ts';
import type { Notification, Notifications } from './beside/notifications.ts';
import { changePolicy, type EscalationPolicy } from './beside/policies.ts';
import { isBeside, type QueryKind, type Records } from './beside/records-beside.ts';
import type { Badges } from './beside/suppression.ts';
import { isWard } from './beside/ward.ts';
import type { CareCommand } from './care-commands.ts';
import type { ReplyTable } from './collections/reply-table.ts';
import type { Batch, Command, Submission } from './commands.ts';
import { type Layout, PLAIN } from './layout.ts';
import { done, type Ledger } from './ledger.ts';
import { type MachineParts, newParts } from './machine-parts.ts';
import type { History } from './queries/history.ts';
import type { Past } from './queries/past.ts';
import { type AlertSlice, listAlerts, type PageOptions } from './queries/queries.ts';
import { type Queries, queriesOf } from './queries/record-pages.ts';
import { findCareRefusal, findRefusal, refuse } from './refusals.ts';
import { AlertView, MachineCapture } from './snapshot/capture.ts';
import { isSweep, type Timer } from './timers.ts';
import {
  findTransactionRefusal,
  type PartCommand,
  type TransactionCommand,
} from './transaction.ts';
import type {
  Alert,
  AlertFilter,
  AlertRef,
  AppliedEvent,
  Done,
  EscalationState,
  Kept,
  Refusal,
  Reply,
} from './types.ts';

/** What applying a batch yields. The arrays are the caller's: the machine appends. */
export interface Applied {
  /** One for each submission, in order. */
  readonly replies: Reply[];
  /** One for each change of an alert, in order: by a submission, by time, or by what followed from either. */
  readonly events: AppliedEvent[];
}

/**
 * The alerts. Two machines that are given the same batches are in the same state, whatever else
 * differs: no clock, no chance, no I/O. Every command gets a reply; what cannot be done is refused
 * with a code. A throw is a bug, and the replica must halt.
 *
 * Records and events refer to parts of the commands they came from: nobody may change either
 * afterwards.
 */
export class AlertMachine {
  readonly #limits: AlertLimits;
  readonly #ledger: Ledger;
  readonly #replies: ReplyTable;
  readonly #notifications: Notifications;
  readonly #escalations: Escalations;
  readonly #records: Records;
  readonly #queries: Queries;
  /** Steps of sweeps that are made even if the entry has done enough. */
  #sweepsLeft = 0;
  /** `parts` come from MachineRestorer, which checked them. */
  constructor(limits: Partial<AlertLimits> = {}, layout: Layout = PLAIN, parts?: MachineParts) {
    this.#limits = completeLimits(limits);
    const { ledger, replies, notifications, records } = parts ?? newParts(this.#limits, layout);
    this.#ledger = ledger;
    this.#replies = replies;
    this.#notifications = notifications;
    this.#records = records;
    this.#queries = queriesOf(ledger.policies, notifications, records);
    this.#escalations = new Escalations(
      ledger,
      notifications,
      records.schedules,
      this.#limits.notificationsLiveMax,
    );
  }

  /** Position of the newest event; 0 = nothing happened yet. */
  get revision(): Revision {
    return this.#ledger.revision;
  }

  /** The newest entry that is applied whole. */
  get applied(): LogIndex {
    return this.#ledger.applied;
  }

  /** An entry has begun and has not ended: what was taken of it shows, and nothing can be captured. */
  get isMidway(): boolean {
    return this.#ledger.isMidway;
  }

  /** The log's time: the highest stamp so far. */
  get time(): UnixMillis {
    return this.#ledger.time;
  }

  /**
   * Rolling hash (53 bits) over every submission, reply and event, and every record beside the alerts. Replicas that
   * have applied the same index and differ here have diverged. Entries that change nothing leave no trace in it.
   */
  get digest(): number {
    return this.#ledger.digest;
  }

  /** Alerts that are not RESOLVED. */
  get openCount(): number {
    return this.#ledger.table.openCount;
  }

  /** Resolved alerts that are still kept. */
  get resolvedCount(): number {
    return this.#ledger.table.resolvedCount;
  }

  /** When something is due that time alone brings; infinity = nothing is. In the past: the next entry carries it out. */
  get nextDue(): number {
    return this.#ledger.timers.next;
  }

  /**
   * Applies one committed entry: first what has become due by its time, then its commands. Indexes rise; entries that
   * carry neither commands nor time may be left out.
   */
  apply(batch: Batch, out: Applied): void {
    this.begin(batch, out);
    while (this.due());
    for (const submission of batch.submissions) {
      this.take(submission, out);
      while (this.due());
    }
    this.end();
  }

  /** The same in steps, between which others may read: an entry begins. Until `end`, `applied` and `digest` are of the one before it. */
  begin({ index, time }: Pick<Batch, 'index' | 'time'>, out: Applied): void {
    this.#ledger.begin(index, time, out.events);
    this.#sweepsLeft = SWEEPS_PER_ENTRY_MIN;
  }

  /** The next command of the entry that began. `out` is the one that it began with. */
  take(submission: Submission, out: Applied): void {
    out.replies.push(this.#answer(submission));
    this.#sweepsLeft = 0;
  }

  /** To be called after `begin` and after each command until it is false: makes the next step of what is due, if the entry may. */
  due(): boolean {
    const { timers, effort, time } = this.#ledger;
    if (this.#records.sources.goOn()) return true;
    if (effort.isSpent && this.#sweepsLeft === 0) return false;
    const timer = effort.isSpent ? timers.firstSweep(time) : timers.firstDue(time);
    if (timer === undefined) return false;
    effort.look();
    this.#carryOutDue(timer);
    if (isSweep(timer.kind) && this.#sweepsLeft > 0) this.#sweepsLeft -= 1;
    return true;
  }

  /** All commands of the entry were taken. */
  end(): void {
    this.#ledger.end();
  }

  /** The alert of this id, open or resolved, or the open one under this dedup key. */
  get(ref: AlertRef): Alert | undefined {
    return this.#ledger.table.find(ref);
  }

  /**
   * A page of the alerts that match, in numeric order of their ids; may be short of `limit` and
   * still have a `next`.
   * @throws TocsinError BAD_REQUEST when an option is out of range
   */
  list(filter: AlertFilter = {}, options: PageOptions = {}): AlertSlice {
    return listAlerts(this.#ledger.table, filter, options, this.#limits.listScanMax);
  }

  /**
   * The same as it was, as far as `history`, which is this machine's, reaches back.
   * @throws TocsinError CURSOR_EXPIRED, BAD_REQUEST
   */
  listAt(past: Past, history: History, filter: AlertFilter, options: PageOptions): AlertSlice {
    const { table } = this.#ledger;
    const { listScanMax } = this.#limits;
    return past.list(table, history, filter, options, listScanMax);
  }

  /** Why an alert does not annunciate as it would, now; undefined when nothing keeps it from that. */
  badgesOf(alert: Alert): Badges | undefined {
    return this.#records.suppressions.badgesOf(alert);
  }

  /** A page of the records of one kind, live ones first; it begins after `after`, which is 0 or the `next` of another. */
  records<K extends QueryKind>(kind: K, after = 0, countMax = 100): RecordPage<K> {
    return this.#queries[kind](after, countMax) as RecordPage<K>;
  }

  /** Changes whenever the rules do by which samples are judged. */
  get rulesVersion(): number {
    return this.#records.rules.version;
  }

  /** The rules in force. */
  get rules(): readonly KeptRule[] {
    return [...this.#records.rules.registry.liveOnes()];
  }

  /** The version that an open alert goes by. */
  policyOf(state: EscalationState): EscalationPolicy {
    return this.#ledger.policies.of(state);
  }

  /** The oldest notifications that have to be sent. */
  queuedNotifications(countMax: number): readonly Notification[] {
    return this.#notifications.queued(countMax);
  }

  /** The whole state as it is now, for a snapshot. Costs no more with a million alerts than with a few. */
  capture(): MachineCapture {
    const { position, table, policies } = this.#ledger;
    return new MachineCapture(position, {
      table: table.freeze(),
      policies: policies.capture(),
      policiesMade: policies.newest,
      notifications: this.#notifications.capture(),
      records: this.#records.capture(),
      replies: this.#replies.freeze(),
      sessionReplies: this.#records.sessions.freeze(),
    });
  }

  /** The alerts as they are now, for answers that are given in slices. */
  view(): AlertView {
    return new AlertView(this.#ledger.revision, this.#ledger.table.freeze());
  }

  #answer(submission: Submission): Reply {
    const keyHash = hashText(submission.key);
    this.#ledger.foldSubmission(keyHash, submission.fingerprint, submission.command?.observedAt);
    const reply = this.#replyTo(submission, keyHash);
    this.#ledger.foldReply(reply);
    return reply;
  }

  #replyTo(submission: Submission, keyHash: number): Reply {
    const { key, fingerprint, command, place } = submission;
    if (place !== undefined)
      return this.#records.sessions.once(place, fingerprint, () => this.#carryOut(command));
    const first = this.#replies.get(key, keyHash);
    if (first !== undefined) {
      if (first.fingerprint === fingerprint) return first.reply;
      return refuse('KEY_REUSED', `key ${key} was used before, for another command`);
    }
    const reply = this.#carryOut(command);
    this.#replies.add(key, keyHash, fingerprint, reply);
    return reply;
  }

  #carryOut(command: Command | undefined): Reply {
    return command === undefined
      ? refuse('BAD_REQUEST', 'the bytes are not a well-formed command')
      : this.#execute(command);
  }

  #execute(command: Command): Reply {
    switch (command.type) {
      case 'raise':
      case 'clear':
      case 'acknowledge':
        return this.#ledger.condition(command);
      case 'set-policy':
      case 'remove-policy':
        return changePolicy(command, this.#ledger, this.#limits);
      case 'transaction':
        return this.#transact(command);
      case 'report':
        return this.#escalations.report(command);
      default:
        return isBeside(command) ? this.#records.execute(command) : this.#care(command);
    }
  }

  #transact(command: TransactionCommand): Kept | Refusal {
    const refusal = findTransactionRefusal(command, this.#ledger, this.#records.ward);
    if (refusal !== undefined) return refusal;
    const carryOut = (): void => {
      for (const one of command.commands) {
        const reply = this.#part(one);
        assert(reply.ok, '% of a transaction was refused after all', one.type);
      }
    };
    this.#ledger.effort.whole(() => this.#ledger.together(carryOut));
    const { length } = command.commands;
    return { ok: true, effect: 'kept', id: `R${this.#ledger.revision}`, version: length };
  }

  /** What was checked together with others is not held against the quota, nor against who is in a bed still, again. */
  #part(command: PartCommand): Reply {
    if (command.type === 'raise') return this.#ledger.condition(command, 'transaction');
    return isWard(command) ? this.#records.ward.execute(command, true) : this.#execute(command);
  }

  #care(command: CareCommand): Done | Refusal {
    const ledger = this.#ledger;
    const alert = ledger.table.find(command.target);
    const move = careMoveOf(command, alert);
    const cell = TRANSITIONS[alert === undefined ? 'NONE' : displayState(alert)][move];
    const refusal = findRefusal(command, alert, cell);
    if (refusal !== undefined) return refusal;
    if (alert === undefined || cell.does !== 'change') {
      if (alert !== undefined && command.type === 'reject')
        this.#escalations.answered(alert, command.actor, 'rejected');
      return unchanged(alert);
    }
    const guard = findCareRefusal(command, alert, ledger.policies);
    if (guard !== undefined) return guard;
    if (command.type === 'escalate') return this.#escalations.advance(alert, command, true);
    const reply = ledger.care(
      alert,
      move,
      caredFor(alert, command, this.#context(alert, command)),
      command,
    );
    if (command.type === 'accept') this.#escalations.answered(alert, command.actor, 'accepted');
    if (command.type === 'reject') this.#escalations.answered(alert, command.actor, 'rejected');
    return reply;
  }

  #context({ escalation, resolution }: Alert, command?: CareCommand): CareContext {
    const { time, policies, isLost } = this.#ledger;
    const named = command?.type === 'transfer' ? command.policy : undefined;
    return {
      time,
      policy: escalation && resolution === undefined ? policies.of(escalation) : undefined,
      named: named === undefined ? undefined : policies.get(named),
      acknowledgementsMax: this.#limits.acknowledgementsMax,
      isLost,
    };
  }

  #carryOutDue({ kind, number }: Timer): void {
    const ledger = this.#ledger;
    switch (kind) {
      case 'notification':
        this.#escalations.expire(must(this.#notifications.get(number), 'N% is gone', number));
        return;
      case 'source':
        this.#records.sources.expire(number);
        return;
      case 'session':
        this.#records.sessions.expire(number);
        return;
      case 'sweep':
        this.#records.sweeps.expire(number);
        return;
      case 'patient':
        this.#records.ward.expire(number);
        return;
      case 'schedule':
        this.#records.schedules.expire(number);
        return;
      case 'silence':
      case 'window':
        this.#records.suppressions.expire(kind, number);
        return;
      case 'escalation':
        this.#escalations.advance(this.#open(number), ledger.system, false);
        return;
      case 'acknowledgement': {
        const alert = this.#open(number);
        ledger.care(alert, 'lapse', lapsed(alert, this.#context(alert)), ledger.system);
        return;
      }
      case 'pause':
        ledger.care(this.#open(number), 'resume', { pausedUntil: undefined }, ledger.system);
    }
  }

  #open(number: number): Alert {
    return must(this.#ledger.table.find({ id: `A${number}` }), 'A% is due and gone', number);
  }
}

function unchanged(alert: Alert | undefined): Done {
  return done('unchanged', must(alert, 'a command of no alert passed the table'));
}
