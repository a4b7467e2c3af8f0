import type { UnixMillis } from '../../base/ids.ts';
import { NOTIFICATIONS_PER_ALERT_MAX } from '../../base/limits.ts';
import { done, type Ledger, SYSTEM } from '../ledger.ts';
import { NOTIFICATIONS_KEY, noRoomRaise } from '../quota.ts';
import { refuse } from '../refusals.ts';
import { secondsAfter } from '../timers.ts';
import type {
  Alert,
  AlertId,
  Asked,
  Done,
  Kept,
  Priority,
  RaiseCommand,
  Refusal,
} from '../types.ts';
import { nextOf } from './escalation.ts';
import {
  addressOf,
  isLive,
  NEXT_STATES,
  type Notification,
  type NotificationState,
  type Notifications,
  numberOf,
  type ReportCommand,
  scheduleOf,
} from './notifications.ts';
import type { Schedules } from './schedules.ts';

/** The dedup key of the technical alert that says that nobody answered another one. */
export const unansweredKey = (id: AlertId): string => `tocsin:unanswered:${id}`;

/** Whom a notification is for. */
type Told = Pick<Notification, 'target' | 'to'>;

/** Carries out the steps of policies, and keeps account of who was told. */
export class Escalations {
  readonly #ledger: Ledger;
  readonly #notifications: Notifications;
  readonly #schedules: Schedules;
  readonly #liveMax: number;

  constructor(ledger: Ledger, notifications: Notifications, schedules: Schedules, liveMax: number) {
    this.#ledger = ledger;
    this.#liveMax = liveMax;
    this.#notifications = notifications;
    this.#schedules = schedules;
    ledger.onSettled = (alert) => this.#settle(alert);
  }

  /** The next step of an open alert's policy, because it is due or because somebody asks for it (T16, T19, T20). */
  advance(alert: Alert, asked: Asked, isAsked: boolean): Done {
    const ledger = this.#ledger;
    if (alert.escalation === undefined) return done('unchanged', alert);
    const policy = ledger.policies.of(alert.escalation);
    let current = alert;
    if (!isAsked && alert.responsibility?.state === 'offered') {
      ledger.care(alert, 'unanswered', { responsibility: undefined }, asked);
      current = ledger.table.find({ id: alert.id }) ?? alert;
    }
    const next = nextOf(alert.escalation, policy, ledger.time, isAsked);
    if (next.does === 'exhaust') {
      const reply = ledger.care(current, 'exhaust', { escalation: next.after }, asked);
      ledger.condition(ownRaise(alert, ledger.time, 'UNANSWERED'), 'machine');
      return reply;
    }
    const told = this.#toldBy(next.targets, alert.priority);
    // A step that reaches nobody is not waited for, but the loop is: there may be somebody the next time round.
    const isInVain = next.targets.length > 0 && told.length === 0;
    const isLast = next.after.step >= policy.steps.length;
    const after = isInVain && !isLast ? { ...next.after, dueAt: ledger.time } : next.after;
    // Whom somebody escalates that has acknowledged is told, and nothing more becomes due.
    const escalation = alert.acknowledged ? { ...after, dueAt: undefined } : after;
    const offer = { state: 'offered', to: told.map(addressOf), at: ledger.time } as const;
    const course = told.length === 0 ? { escalation } : { escalation, responsibility: offer };
    const reply = ledger.care(current, isAsked ? 'escalate' : 'notify', course, asked);
    const dueAt = secondsAfter(ledger.time, policy.confirmSeconds);
    for (const one of told) this.#queue(alert, after.loop, after.step - 1, one, dueAt);
    return reply;
  }

  /** What became of a notification, by whoever sent it. */
  report(command: ReportCommand): Kept | Refusal {
    const { notification: id, outcome } = command;
    const before = this.#notifications.get(numberOf(id));
    if (before === undefined) return refuse('RECORD_NOT_FOUND', `there is no notification ${id}`);
    if (!NEXT_STATES[before.state].includes(outcome)) return kept('unchanged', before);
    const { to = before.to, detail = before.detail } = command;
    const after = this.#change(before, outcome, { to, detail });
    this.#redirectIfUnreached(after);
    return kept('kept', after);
  }

  /** A person answered: their notifications of this alert are answered too. */
  answered(alert: Alert, actor: string, state: 'accepted' | 'rejected'): void {
    for (const one of this.#notifications.liveOf(alert.id))
      if (one.target === `user:${actor}` || one.to === actor) this.#change(one, state, {});
  }

  /** The time to confirm is over. */
  expire(notification: Notification): void {
    this.#redirectIfUnreached(this.#change(notification, 'expired', {}));
  }

  /** What is under way is called off, and so is the alert that nobody answered. */
  #settle(alert: Alert): void {
    for (const one of this.#notifications.liveOf(alert.id)) this.#change(one, 'cancelled', {});
    this.#ledger.settleOwn(unansweredKey(alert.id));
  }

  /**
   * Where none of a step's notifications can reach anybody, the next step need not wait; unless somebody has accepted. Where no
   * step follows by itself, because the alert was acknowledged and somebody asked for more, nobody would ever know.
   */
  #redirectIfUnreached({ state, alert: id, activation, loop, step }: Notification): void {
    if (state !== 'failed' && state !== 'expired') return;
    const alert = this.#ledger.table.find({ id });
    const { escalation } = alert ?? {};
    if (alert === undefined || escalation === undefined || escalation.exhausted) return;
    if (alert.responsibility?.state === 'accepted') return;
    if (activation !== alert.activation) return;
    if (loop !== escalation.loop || step !== escalation.step - 1) return;
    const live = this.#notifications.liveOf(id);
    if (live.some((one) => one.loop === loop && one.step === step)) return;
    if (escalation.dueAt !== undefined) this.advance(alert, this.#ledger.system, false);
    else this.#ledger.condition(ownRaise(alert, this.#ledger.time, 'UNREACHED'), 'machine');
  }

  /** Whom a step tells: by schedule whoever is on call now, and nobody twice. */
  #toldBy(targets: readonly string[], priority: Priority): Told[] {
    const told = new Map<string, Told>();
    for (const target of targets) {
      const schedule = scheduleOf(target);
      const to = schedule === undefined ? undefined : this.#schedules.onCall(schedule, priority);
      if (schedule !== undefined && to === undefined) continue;
      const address = addressOf({ target, to });
      if (!told.has(address)) told.set(address, { target, to });
    }
    return [...told.values()];
  }

  #queue(alert: Alert, loop: number, step: number, told: Told, dueAt: UnixMillis): void {
    const { time } = this.#ledger;
    const { target, to } = told;
    const [oldest, ...others] = this.#notifications.liveOf(alert.id);
    if (oldest !== undefined && others.length + 1 >= NOTIFICATIONS_PER_ALERT_MAX)
      this.#change(oldest, 'cancelled', {});
    const isFull = this.#notifications.liveCount >= this.#liveMax;
    const notification: Notification = {
      id: this.#notifications.nextId(),
      version: 1,
      alert: alert.id,
      activation: alert.activation,
      loop,
      step,
      target,
      state: isFull ? 'failed' : 'queued',
      createdAt: time,
      changedAt: time,
      dueAt: isFull ? undefined : dueAt,
      to,
      detail: isFull ? `there are ${this.#liveMax} notifications already` : undefined,
    };
    this.#put(undefined, notification);
    if (isFull) this.#ledger.condition(noRoomRaise(this.#liveMax, this.#ledger.system), 'machine');
  }

  #change(
    before: Notification,
    state: NotificationState,
    told: Partial<Pick<Notification, 'to' | 'detail'>>,
  ): Notification {
    const waits = state === 'queued' || state === 'sent';
    const after: Notification = {
      ...before,
      ...told,
      state,
      version: before.version + 1,
      changedAt: this.#ledger.time,
      dueAt: waits ? before.dueAt : undefined,
    };
    this.#put(before, after);
    return after;
  }

  #put(before: Notification | undefined, after: Notification): void {
    this.#notifications.put(after);
    const dueAt = isLive(after) ? after.dueAt : undefined;
    this.#ledger.timers.change('notification', numberOf(after.id), before?.dueAt, dueAt);
    this.#ledger.foldRecord(after);
    if (!isLive(after) && before !== undefined) this.#lookForRoom();
  }

  #lookForRoom(): void {
    if (this.#notifications.liveCount > this.#liveMax / 2) return;
    this.#ledger.settleOwn(NOTIFICATIONS_KEY);
  }
}

const kept = (effect: Kept['effect'], { id, version }: Notification): Kept => ({
  ok: true,
  effect,
  id,
  version,
});

/**
 * The machine's own alert when all steps are over, or when those who had to be told could not be. No policy applies to it:
 * it would only say the same again.
 */
const ownRaise = (
  alert: Alert,
  time: UnixMillis,
  what: 'UNANSWERED' | 'UNREACHED',
): RaiseCommand => ({
  type: 'raise',
  actor: SYSTEM,
  observedAt: time,
  dedupKey: unansweredKey(alert.id),
  kind: 'technical',
  priority: alert.priority,
  condition: `ALERT:${what}`,
  text: `Nobody ${what === 'UNANSWERED' ? 'answered' : 'could be told of'} ${alert.id}, ${alert.condition}`,
  subject: alert.subject,
  latching: false,
  acknowledgementRequired: false,
});
