import { assert, must } from '../base/assert.ts';
import { RunningHash } from '../base/hash.ts';
import {
  type LogIndex,
  type Revision,
  revision,
  type UnixMillis,
  unixMillis,
} from '../base/ids.ts';
import { TRANSACTION_EVENTS_MAX, UNIX_MILLIS_MAX } from '../base/limits.ts';
import type { AlertLimits } from './alert-limits.ts';
import { idNumber } from './alerts/alert-id.ts';
import type { AlertTable } from './alerts/alert-table.ts';
import { type CareMove, careMoveOf } from './alerts/care-transitions.ts';
import { displayState } from './alerts/display.ts';
import { isGone } from './alerts/neighbours.ts';
import {
  about,
  type Course,
  caredRecord,
  firstRecord,
  nextRecord,
  type Stamp,
} from './alerts/records.ts';
import { Subjects } from './alerts/subjects.ts';
import { fromOf, moveOf, TRANSITIONS, type Transition } from './alerts/transitions.ts';
import { isSettled, started, turned } from './beside/escalation.ts';
import { Inhibitions } from './beside/inhibition.ts';
import type { Policies } from './beside/policies.ts';
import { Tallies } from './beside/tallies.ts';
import { type AlertCommand, isCare } from './care-commands.ts';
import { Effort } from './effort.ts';
import { type LedgerStart, NEW_LEDGER } from './ledger-start.ts';
import { findQuotaRefusal, QUOTA_KEY, quotaAlarm, quotaRaise } from './quota.ts';
import { findCareRefusal, findOwner, findRefusal } from './refusals.ts';
import { foldEvent, foldRecord, foldReply, foldSubmission, identityOf } from './snapshot/digest.ts';
import { Timers } from './timers.ts';
import type {
  Alert,
  AlertEvent,
  AppliedEvent,
  Asked,
  ConditionCommand,
  Done,
  EscalationState,
  Refusal,
  Reply,
  Subject,
} from './types.ts';

/** Who acts when the machine does something by itself. */
export const SYSTEM = 'tocsin';

/**
 * The one place where alerts change: each change is one event, one revision, one fold of the digest, and moves what is due.
 */
export class Ledger {
  readonly table: AlertTable;
  readonly subjects: Subjects;
  readonly policies: Policies;
  readonly inhibitions: Inhibitions = new Inhibitions();
  readonly tallies: Tallies = new Tallies((tally) => this.foldRecord(tally));
  readonly timers: Timers = new Timers();
  readonly effort: Effort = new Effort();
  readonly #limits: AlertLimits;
  /** Told when what was done to have an alert answered is over: somebody saw to it, it ended, or it begins anew. */
  onSettled: (alert: Alert) => void = () => undefined;
  /** Whether a source was missed and is not back. */
  isLost: (source: string) => boolean = () => false;
  /** With where its device is. */
  placed: (subject: Subject) => Subject = (subject) => subject;
  /** Told when the condition of an alert, as it was, is not known to be there any more; and of each change, once it is made. */
  onGone: (before: Alert) => void = () => undefined;
  onChanged: (event: AppliedEvent) => void = () => undefined;
  /** What follows from the transaction under way. */
  #later: (() => void)[] | undefined;
  #isQuotaAlarmOn = false;
  #events: AppliedEvent[] = [];
  /** The resolved alert that the change under way made room for. */
  #dropped: Alert | undefined;
  /** Where the transaction that is being carried out began, or the newest part of it. */
  #transaction: Revision | undefined;
  #records: number;
  #revision: Revision;
  #applied: LogIndex;
  /** The entry that is being applied. */
  #entry: LogIndex | undefined;
  #time: UnixMillis;
  readonly #digest: RunningHash;
  /** As it was after the newest whole entry. */
  #settledDigest: number;

  constructor(
    table: AlertTable,
    policies: Policies,
    limits: AlertLimits,
    start: LedgerStart = NEW_LEDGER,
  ) {
    this.table = table;
    this.subjects = new Subjects(table);
    table.onDropped = (alert) => {
      this.#dropped = alert;
    };
    this.policies = policies;
    this.#limits = limits;
    this.#revision = start.revision;
    this.#applied = start.index;
    this.#time = start.time;
    this.#digest = new RunningHash(start.digest);
    this.#settledDigest = start.digest;
    this.#records = start.recordsMade;
  }

  get revision(): Revision {
    return this.#revision;
  }
  /** The newest entry that is applied whole. */
  get applied(): LogIndex {
    return this.#applied;
  }
  /** An entry has begun and has not ended. */
  get isMidway(): boolean {
    return this.#entry !== undefined;
  }
  /** The log's time: the highest stamp so far. */
  get time(): UnixMillis {
    return this.#time;
  }
  /** After the newest whole entry. */
  get digest(): number {
    return this.#settledDigest;
  }

  /** Between two entries. */
  get position(): LedgerStart {
    assert(!this.isMidway, 'the state is of half an entry');
    return {
      index: this.#applied,
      time: this.#time,
      revision: this.#revision,
      digest: this.#settledDigest,
      recordsMade: this.#records,
    };
  }

  /** What the machine does by itself, at the log's time. */
  get system(): Asked {
    return { actor: SYSTEM, observedAt: this.#time };
  }

  /** For the id of a new record. */
  nextNumber(): number {
    this.#records += 1;
    return this.#records;
  }

  /** An entry begins, whose events go to `events`. A stamp below an earlier one does not turn time back. */
  begin(index: LogIndex, time: UnixMillis, events: AppliedEvent[]): void {
    assert(Number.isSafeInteger(index), 'log index is not a safe integer: %', index);
    assert(Number.isSafeInteger(time), 'time is not a safe integer: %', time);
    assert(index > this.#applied, 'entry % after entry %', index, this.#applied);
    assert(!this.isMidway, 'entry % begins within another', index);
    this.#entry = index;
    // The last instant that a Date can hold goes on for ever: a later one could not be written down.
    const now = unixMillis(Math.min(time, UNIX_MILLIS_MAX));
    if (now > this.#time) this.#time = now;
    this.#events = events;
    this.effort.renew(this.#limits.effortPerEntryMax);
  }

  /** All of the entry that began is done. */
  end(): void {
    this.#applied = must(this.#entry, 'no entry has begun');
    this.#entry = undefined;
    this.#settledDigest = this.#digest.value;
  }

  /** What `steps` does belongs together: watchers are told all of it at once. */
  together(steps: () => void): void {
    this.#transaction = revision(this.#revision + 1);
    const later: (() => void)[] = [];
    this.#later = later;
    steps();
    this.#later = undefined;
    for (const step of later) step();
    this.#transaction = undefined;
  }

  /** Carries out what follows from a change: now, or after the transaction under way, never between its commands. */
  after(step: () => void): void {
    if (this.#later === undefined) step();
    else this.#later.push(step);
  }

  foldSubmission(keyHash: number, fingerprint: number, observedAt: UnixMillis | undefined): void {
    foldSubmission(this.#digest, keyHash, fingerprint, observedAt);
  }

  foldReply(reply: Reply): void {
    foldReply(this.#digest, reply);
  }

  /** A record beside the alerts has changed, or gone. */
  foldRecord(record: object): void {
    this.effort.spend();
    foldRecord(this.#digest, record);
  }

  /**
   * One turn of a condition (T1 to T11). To an alert of the machine's own no policy and no quota applies; a command that was
   * checked together with others is not held against the quota again.
   */
  condition(
    command: ConditionCommand,
    by: 'caller' | 'machine' | 'transaction' = 'caller',
  ): Done | Refusal {
    const isOwn = by === 'machine';
    const ref = command.type === 'raise' ? command : command.target;
    const alert = this.table.find(ref);
    const last = command.type === 'raise' ? this.table.lastOf(command.dedupKey) : undefined;
    const cell = TRANSITIONS[fromOf(alert, last)][moveOf(command, alert)];

    const refusal =
      findRefusal(command, alert, cell) ?? (isOwn ? undefined : findOwner(command, alert));
    if (refusal !== undefined) return refusal;
    if (cell.does === 'change') {
      if (alert !== undefined) return this.#turn(alert, command, cell);
      const raise = command;
      assert(raise.type === 'raise', 'a % opens nothing', raise.type);
      const full = by === 'caller' ? findQuotaRefusal(raise, this.table, this.#limits) : undefined;
      if (full !== undefined) return full;
      const { policy, priority } = raise;
      const escalation = isOwn ? undefined : this.#firstStep(policy, priority);
      const placed = about(raise, this.placed(raise.subject));
      const opened = firstRecord(placed, this.#stamp(raise), last, escalation);
      const identity = identityOf(opened);
      this.table.open(opened, identity);
      if (escalation !== undefined) this.policies.pin(escalation);
      return this.#commit(undefined, opened, identity, cell.effect, command);
    }
    return done('unchanged', must(alert, 'a command of no alert left it unchanged'));
  }

  /** Why a command about an alert would be refused now, if `more` alerts were opened before it. */
  refusalOf(command: AlertCommand, more: number): Refusal | undefined {
    const ref = command.type === 'raise' ? command : command.target;
    const alert = this.table.find(ref);
    if (isCare(command)) {
      const cell = TRANSITIONS[fromOf(alert, undefined)][careMoveOf(command, alert)];
      const refusal = findRefusal(command, alert, cell);
      if (refusal !== undefined || alert === undefined) return refusal;
      return cell.does === 'change' ? findCareRefusal(command, alert, this.policies) : undefined;
    }
    const last = command.type === 'raise' ? this.table.lastOf(command.dedupKey) : undefined;
    const cell = TRANSITIONS[fromOf(alert, last)][moveOf(command, alert)];
    const refusal = findRefusal(command, alert, cell) ?? findOwner(command, alert);
    if (refusal !== undefined || alert !== undefined || command.type !== 'raise') return refusal;
    return findQuotaRefusal(command, this.table, this.#limits, more);
  }

  /** What is done about an alert (T12 to T27), as far as the table allows it; `unchanged` if it does not. */
  care(alert: Alert, move: CareMove, course: Partial<Course>, asked: Asked): Done {
    const cell = TRANSITIONS[displayState(alert)][move];
    if (cell.does !== 'change') return done('unchanged', alert);
    const next = caredRecord(alert, cell, this.#stamp(alert), course);
    if (next.escalation?.version !== alert.escalation?.version) this.#repin(alert, next);
    const identity =
      alert.resolution === undefined
        ? this.table.replace(alert, next)
        : this.table.correct(alert, next);
    return this.#commit(alert, next, identity, cell.effect, asked);
  }

  /** Takes in an alert of a snapshot: what is due for it will be. */
  restore(alert: Alert): void {
    if (alert.escalation !== undefined) this.policies.pin(alert.escalation);
    this.#arm(undefined, alert);
    this.#file(undefined, alert);
  }

  #turn(alert: Alert, command: ConditionCommand, cell: Transition): Done {
    const policy = alert.escalation && this.policies.of(alert.escalation);
    const escalation = policy && turned(alert, command, cell, policy, this.#time);
    const max = this.#limits.acknowledgementsMax;
    const next = nextRecord(alert, command, cell, this.#stamp(alert), max, escalation);
    return this.#commit(alert, next, this.table.replace(alert, next), cell.effect, command);
  }

  /** Where a new alert begins in the policy that applies to it. */
  #firstStep(chosen: string | undefined, priority: Alert['priority']): EscalationState | undefined {
    const policy = this.policies.size === 0 ? undefined : this.policies.chosen(chosen);
    return policy && started(policy, priority, this.#time);
  }

  #stamp({ kind, subject: { device } }: Pick<Alert, 'kind' | 'subject'>): Stamp {
    const isMeasured = kind === 'physiological' && device !== undefined;
    return {
      revision: revision(this.#revision + 1),
      time: this.#time,
      isSourceLost: isMeasured && this.isLost(device),
    };
  }

  #commit(
    before: Alert | undefined,
    alert: Alert,
    identity: number,
    effect: AlertEvent['effect'],
    { actor, observedAt }: Asked,
  ): Done {
    const began = this.#transaction;
    if (began !== undefined && alert.revision - began >= TRANSACTION_EVENTS_MAX)
      this.#transaction = alert.revision;
    const event: AppliedEvent = {
      revision: alert.revision,
      index: must(this.#entry, 'no entry has begun'),
      time: this.#time,
      observedAt,
      effect,
      actor,
      alert,
      before,
      transaction: this.#transaction,
      dropped: this.#dropped,
    };
    this.#dropped = undefined;
    this.effort.spend();
    this.#revision = alert.revision;
    foldEvent(this.#digest, event, identity);
    this.#events.push(event);
    this.tallies.add(event);
    this.#arm(before, alert);
    this.#file(before, alert);
    if (before?.resolution !== alert.resolution || before === undefined) this.#watchQuota();
    if (before !== undefined && isGone(before, alert)) this.onGone(before);
    if (before?.escalation !== undefined && isSettled(before, alert)) this.onSettled(alert);
    if (alert.resolution !== undefined && before?.resolution === undefined) this.#unpin(alert);
    this.onChanged(event);
    return done(effect, alert);
  }

  /** Says that the quota is nearly used up, and that it is no longer. */
  #watchQuota(): void {
    const change = quotaAlarm(this.table, this.#limits, this.#isQuotaAlarmOn);
    if (change === 'stay') return;
    if (change === 'clear') this.settleOwn(QUOTA_KEY);
    else this.condition(quotaRaise(this.table.openCount, this.system), 'machine');
  }

  /** What an alert of the machine's own said is over, if it is open. */
  settleOwn(dedupKey: string): void {
    const target = { dedupKey };
    if (this.table.find(target) === undefined) return;
    this.condition({ type: 'clear', target, ...this.system }, 'machine');
  }

  /** An open alert goes by another policy from now on. */
  #repin(before: Alert, { escalation }: Alert): void {
    if (escalation !== undefined) this.policies.pin(escalation);
    this.#unpin(before);
  }

  #unpin({ escalation }: Alert): void {
    if (escalation !== undefined) this.policies.unpin(escalation);
  }

  /** Keeps account of which open alert is about which device. */
  #file(before: Alert | undefined, alert: Alert): void {
    if (alert.dedupKey === QUOTA_KEY) this.#isQuotaAlarmOn = alert.resolution === undefined;
    this.subjects.file(before, alert);
  }

  /** Moves what is due for an alert to where its record says. */
  #arm(before: Alert | undefined, alert: Alert): void {
    const dueAt = alert.escalation?.dueAt;
    const wasDueAt = before?.escalation?.dueAt;
    if (
      before?.acknowledgedUntil === alert.acknowledgedUntil &&
      before?.pausedUntil === alert.pausedUntil &&
      wasDueAt === dueAt
    )
      return;
    const number = idNumber(alert.id) ?? 0;
    const { timers } = this;
    timers.change('acknowledgement', number, before?.acknowledgedUntil, alert.acknowledgedUntil);
    timers.change('escalation', number, wasDueAt, dueAt);
    timers.change('pause', number, before?.pausedUntil, alert.pausedUntil);
  }
}

export function done(effect: Done['effect'], alert: Alert): Done {
  return {
    ok: true,
    effect,
    alertId: alert.id,
    activation: alert.activation,
    revision: alert.revision,
    state: displayState(alert),
  };
}
