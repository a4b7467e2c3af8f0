import type {
  Notification,
  NotificationState,
  ReportCommand,
} from '../../src/statemachine/beside/notifications.ts';
import type { EscalationPolicy, PolicyCommand } from '../../src/statemachine/beside/policies.ts';
import type { Batch, Submission } from '../../src/statemachine/commands.ts';
import type { Alert, RaiseCommand } from '../../src/statemachine/types.ts';
import {
  ConditionModel,
  type ModelAsked,
  type ModelEscalation,
  type ModelReply,
} from './condition-model.ts';

const RANKS = ['none', 'low', 'medium', 'high'];
const _PAUSES = { high: 120, medium: 600, low: 3_600, none: 86_400 };
const LIVE = ['queued', 'sent', 'confirmed'];
type Instant = Alert['raisedAt'];

/** Something that is due: when, of what, and of which kind. */
export interface Due {
  at: number;
  number: number;
  kind: number;
  act: () => void;
}

/** Policies, their steps and who was told (T16, T19), and what is due when. */
export abstract class EscalationModel extends ConditionModel {
  /** Who is on call by a schedule; when it is nobody, that is said. */
  abstract onCall(schedule: string, priority: Alert['priority']): string | undefined;
  /** T13. */
  abstract lapse(alert: Alert): void;

  /** Every version that was ever made. */
  made: EscalationPolicy[] = [];
  /** Those in force. */
  policies: EscalationPolicy[] = [];
  notifications: Notification[] = [];

  override begin(batch: Omit<Batch, 'submissions'>): void {
    super.begin(batch);
    this.fire();
  }

  override submit(submission: Submission): ModelReply {
    const answer = super.submit(submission);
    this.fire();
    return answer;
  }

  later(seconds: number): Instant {
    return (this.time + seconds * 1_000) as Instant;
  }

  get now(): Instant {
    return this.time as Instant;
  }

  get itself(): ModelAsked {
    return { actor: 'tocsin', observedAt: this.now };
  }

  policyOf(alert: Alert | undefined): EscalationPolicy | undefined {
    return this.made.find((one) => one.version === alert?.escalation?.version);
  }

  override firstStep(
    chosen: string | undefined,
    priority: Alert['priority'],
    before: Alert | undefined,
  ): ModelEscalation | undefined {
    const policy = before
      ? this.policyOf(before)
      : (this.policyNamed(chosen ?? 'default') ?? this.policyNamed('default'));
    if (!policy) return undefined;
    const matters = RANKS.indexOf(priority) >= RANKS.indexOf(policy.minPriority);
    return {
      policy: policy.id,
      version: policy.version,
      loop: 0,
      step: 0,
      dueAt: matters ? this.now : undefined,
      exhausted: false,
    };
  }

  policyNamed(id: string): EscalationPolicy | undefined {
    return this.policies.find((one) => one.id === id);
  }

  /** T24: what another policy makes of an alert. Rounds of the one before count. */
  rerouted(alert: Alert, id: string | undefined): Partial<Alert> {
    const policy = id === undefined ? undefined : this.policyNamed(id);
    const was = alert.escalation;
    if (!policy || was?.version === policy.version) return {};
    const first = this.firstStep(id, alert.priority, undefined) as ModelEscalation;
    const loop = was ? was.loop + (was.step > 0 ? 1 : 0) : 0;
    const dueAt = alert.acknowledged ? undefined : first.dueAt;
    const isTaken = alert.responsibility?.state === 'accepted';
    return {
      escalation: { ...first, loop, dueAt },
      responsibility: isTaken ? alert.responsibility : undefined,
    };
  }

  override afterwards(before: Alert, after: Alert): void {
    if (!before.escalation) return;
    const waits = (one: Alert) => !one.acknowledged && !one.resolution;
    const over =
      before.escalation.version !== after.escalation?.version ||
      (waits(before) && !waits(after)) ||
      before.activation !== after.activation ||
      (!before.resolution && after.resolution) ||
      (before.escalation.exhausted && !after.escalation?.exhausted);
    if (!over) return;
    for (const one of this.liveOf(after)) this.notified(one, 'cancelled');
    const target = { dedupKey: `tocsin:unanswered:${after.id}` };
    if (this.find(target)) this.target({ type: 'clear', target, ...this.itself }, true);
  }

  policy(command: PolicyCommand): ModelReply {
    const { id } = command;
    const before = this.policies.find((one) => one.id === id);
    if (command.type === 'remove-policy') {
      if (!before) return { ok: false, code: 'RECORD_NOT_FOUND' };
      this.policies = this.policies.filter((one) => one !== before);
      return { ok: true, effect: 'removed', id, version: before.version };
    }
    if (!before && this.policies.length === this.limits.policiesMax)
      return { ok: false, code: 'OVER_LIMIT' };
    const followed = new Set(this.open.map(({ escalation }) => escalation?.version));
    followed.delete(undefined);
    if (followed.size === this.limits.policyVersionsMax) return { ok: false, code: 'OVER_LIMIT' };
    const { steps, repeat, minPriority, confirmSeconds } = command;
    const version = this.made.length + 1;
    const policy = { id, version, steps, repeat, minPriority, confirmSeconds };
    this.made.push(policy);
    this.policies = [...this.policies.filter((one) => one !== before), policy];
    return { ok: true, effect: 'kept', id, version };
  }

  /** Seconds the newest step of an alert waits. */
  waitOf(alert: Alert): number {
    const step = this.policyOf(alert)?.steps[(alert.escalation?.step ?? 0) - 1];
    return step ? step.delaySeconds : 1;
  }

  advance(alert: Alert, asked: ModelAsked, isAsked: boolean): ModelReply {
    const policy = this.policyOf(alert) as EscalationPolicy;
    const was = alert.escalation as ModelEscalation;
    let current = alert;
    if (!isAsked && alert.responsibility?.state === 'offered') {
      this.record(asked, 'unanswered', { ...alert, responsibility: undefined });
      current = this.find({ id: alert.id }) as Alert;
    }
    const isOver = was.step === policy.steps.length;
    if (isOver && !isAsked && was.loop >= policy.repeat) {
      const escalation = { ...was, dueAt: undefined, exhausted: true };
      const told = this.record(asked, 'exhausted', { ...current, escalation });
      this.sayUnanswered(alert);
      return told;
    }
    const step = isOver ? 0 : was.step;
    const loop = isOver ? was.loop + 1 : was.loop;
    const { targets = [], delaySeconds = 0 } = policy.steps[step] ?? {};
    const people = this.toldBy(targets, alert.priority);
    const isInVain = targets.length > 0 && people.length === 0;
    const waits = isInVain && step + 1 < policy.steps.length ? 0 : delaySeconds;
    const told = this.record(asked, 'notified', {
      ...current,
      escalation: {
        ...was,
        loop,
        step: step + 1,
        dueAt: alert.acknowledged ? undefined : this.later(waits),
        exhausted: false,
      },
      responsibility:
        people.length > 0
          ? { state: 'offered', to: people.map(({ address }) => address), at: this.now }
          : current.responsibility,
    });
    for (const { target, to } of people) {
      const max = this.limits.notificationsLiveMax;
      const live = this.notifications.filter(({ state }) => LIVE.includes(state)).length;
      const isFull = live >= max;
      this.notifications.push({
        id: `N${this.notifications.length + 1}`,
        version: 1,
        alert: alert.id,
        activation: alert.activation,
        loop,
        step,
        target,
        state: isFull ? 'failed' : 'queued',
        createdAt: this.now,
        changedAt: this.now,
        dueAt: isFull ? undefined : this.later(policy.confirmSeconds),
        to,
        detail: isFull ? `there are ${max} notifications already` : undefined,
      });
      if (isFull) this.sayFull(max);
    }
    return told;
  }

  /** Whom the targets of a step lead to, each person once. */
  toldBy(
    targets: readonly string[],
    priority: Alert['priority'],
  ): { target: string; to: string | undefined; address: string }[] {
    const all = targets.map((target) => {
      if (!target.startsWith('schedule:')) return { target, to: undefined, address: target };
      const to = this.onCall(target.slice('schedule:'.length), priority);
      return { target, to, address: to === undefined ? '' : `user:${to}` };
    });
    return all.filter(
      ({ address }, at) =>
        address !== '' && all.findIndex((other) => other.address === address) === at,
    );
  }

  sayFull(max: number): void {
    this.say({
      dedupKey: 'tocsin:quota:notifications',
      priority: 'high',
      condition: 'STORE:NOTIFICATIONS',
      text: `${max} notifications are under way: nobody is told of what is new`,
      subject: {},
    });
  }

  say(what: Pick<RaiseCommand, 'dedupKey' | 'priority' | 'condition' | 'text' | 'subject'>): void {
    const how = { kind: 'technical', latching: false, acknowledgementRequired: false } as const;
    this.raise({ type: 'raise', ...this.itself, ...what, ...how }, true);
  }

  sayUnanswered(alert: Alert, isTold = true): void {
    this.say({
      dedupKey: `tocsin:unanswered:${alert.id}`,
      priority: alert.priority,
      condition: isTold ? 'ALERT:UNANSWERED' : 'ALERT:UNREACHED',
      text: `Nobody ${isTold ? 'answered' : 'could be told of'} ${alert.id}, ${alert.condition}`,
      subject: alert.subject,
    });
  }

  liveOf(alert: Alert): Notification[] {
    return this.notifications.filter((one) => one.alert === alert.id && LIVE.includes(one.state));
  }

  notified(
    before: Notification,
    state: NotificationState,
    told: { to?: string; detail?: string } = {},
  ): Notification {
    const after: Notification = {
      ...before,
      ...told,
      state,
      version: before.version + 1,
      changedAt: this.now,
      dueAt: state === 'sent' ? before.dueAt : undefined,
    };
    this.notifications = this.notifications.map((one) => (one === before ? after : one));
    const live = this.notifications.filter((one) => LIVE.includes(one.state));
    const target = { dedupKey: 'tocsin:quota:notifications' };
    const isRoomy = live.length * 2 <= this.limits.notificationsLiveMax;
    if (!LIVE.includes(state) && isRoomy && this.find(target))
      this.target({ type: 'clear', target, ...this.itself }, true);
    return after;
  }

  answered(alert: Alert, actor: string, state: 'accepted' | 'rejected'): void {
    for (const one of this.liveOf(alert))
      if (one.target === `user:${actor}` || one.to === actor) this.notified(one, state);
  }

  report({ notification: id, outcome, to, detail }: ReportCommand): ModelReply {
    const before = this.notifications.find((one) => one.id === id);
    if (!before) return { ok: false, code: 'RECORD_NOT_FOUND' };
    const isNews = before.state === 'queued' || (before.state === 'sent' && outcome !== 'sent');
    if (!isNews) return { ok: true, effect: 'unchanged', id, version: before.version };
    const told = {
      ...(to === undefined ? {} : { to }),
      ...(detail === undefined ? {} : { detail }),
    };
    const after = this.notified(before, outcome, told);
    if (outcome === 'failed') this.redirect(after);
    return { ok: true, effect: 'kept', id, version: after.version };
  }

  /** Nobody of the step in force can be reached any more: the next one need not wait. */
  redirect(one: Notification): void {
    const alert = this.open.find(({ id }) => id === one.alert);
    const escalation = alert?.escalation;
    if (!alert || !escalation || escalation.exhausted) return;
    if (alert.activation !== one.activation) return;
    if (alert.responsibility?.state === 'accepted') return;
    if (escalation.loop !== one.loop || escalation.step !== one.step + 1) return;
    const others = this.liveOf(alert).filter(
      ({ loop, step }) => loop === one.loop && step === one.step,
    );
    if (others.length > 0) return;
    if (escalation.dueAt !== undefined) this.advance(alert, this.itself, false);
    else this.sayUnanswered(alert, false);
  }

  /** Carries out what is due, the earliest first; what is due at once by number, then by kind. */
  fire(): void {
    for (;;) {
      const due = this.due().sort(
        (a, b) => a.at - b.at || a.number - b.number || a.kind - b.kind,
      )[0];
      if (!due) return;
      due.act();
    }
  }

  due(): Due[] {
    const found: Due[] = [];
    const add = (at: number | undefined, number: number, kind: number, act: () => void) => {
      if (at !== undefined && at <= this.time) found.push({ at, number, kind, act });
    };
    for (const alert of this.open) {
      const number = Number(alert.id.slice(1));
      add(alert.acknowledgedUntil, number, 0, () => this.lapse(alert));
      add(alert.escalation?.dueAt, number, 1, () => this.advance(alert, this.itself, false));
      add(alert.pausedUntil, number, 2, () =>
        this.record(this.itself, 'resumed', { ...alert, pausedUntil: undefined }),
      );
    }
    for (const one of this.notifications)
      add(one.dueAt, Number(one.id.slice(1)), 3, () =>
        this.redirect(this.notified(one, 'expired')),
      );
    return found;
  }
}
