import type { Batch, Command, Submission } from '../../src/statemachine/commands.ts';
import type {
  AcknowledgeCommand,
  Acknowledgement,
  Alert,
  AlertEvent,
  AlertRef,
  AppliedEvent,
  ClearCommand,
  ConditionCommand,
  DisplayState,
  Effect,
  RaiseCommand,
  RefusalCode,
  Subject,
} from '../../src/statemachine/types.ts';

/**
 * The alerts once more, as plainly as can be: lists that are searched from end to end, and the rows
 * of the domain table (A.3) as `if`s. Shares types with the product, and no code.
 */

export interface ModelLimits {
  repliesMax: number;
  resolvedAlertsMax: number;
  dedupKeysRememberedMax: number;
  acknowledgementsMax: number;
  policiesMax: number;
  policyVersionsMax: number;
  notificationsLiveMax: number;
}

export type ModelReply =
  | { ok: false; code: RefusalCode }
  | {
      ok: true;
      effect: Effect;
      alertId: string;
      activation: number;
      revision: number;
      state: DisplayState;
    }
  | { ok: true; effect: 'kept' | 'removed' | 'unchanged'; id: string; version: number };

const PRIORITIES = ['none', 'low', 'medium', 'high'];

/** Who asks, and when it was seen. */
export interface ModelAsked {
  actor: string;
  observedAt: Alert['observedAt'];
}

export interface ModelEscalation {
  policy: string;
  version: number;
  loop: number;
  step: number;
  dueAt: Alert['raisedAt'] | undefined;
  exhausted: boolean;
}

/** T1 to T11. What else there is stands in reference-model.ts. */
export abstract class ConditionModel {
  open: Alert[] = [];
  /** In the order in which they were resolved. */
  resolved: Alert[] = [];
  /** Conditions that are not open, in the order in which they were resolved. */
  remembered: {
    dedupKey: string;
    id: string;
    occurrence: number;
    endedAt: number;
    flaps: number;
  }[] = [];
  replies: { key: string; fingerprint: number; reply: ModelReply }[] = [];
  events: AppliedEvent[] = [];
  /** Where the transaction under way began. */
  together: AppliedEvent['transaction'] = undefined;
  /** The resolved alert that the step under way takes the place of. */
  dropped: Alert | undefined = undefined;
  time = 0;
  index = 0;
  limits: ModelLimits;

  constructor(limits: ModelLimits) {
    this.limits = limits;
  }

  get revision(): number {
    return this.events.length;
  }

  begin(batch: Omit<Batch, 'submissions'>): void {
    this.time = Math.max(this.time, batch.time);
    this.index = batch.index;
  }

  /** Where a new activation begins in the policy that applies. */
  abstract firstStep(
    chosen: string | undefined,
    priority: Alert['priority'],
    before: Alert | undefined,
  ): ModelEscalation | undefined;

  /** Where escalation goes on when somebody is needed again. */
  abstract again(alert: Alert): ModelEscalation | undefined;

  /** A command of other kinds than these. */
  abstract other(command: Exclude<Command, ConditionCommand>): ModelReply;

  /** Whether what measures a condition is lost. */
  abstract isLost(about: Pick<Alert, 'kind' | 'subject'>): boolean;

  /** What follows from a change. */
  abstract afterwards(before: Alert, after: Alert): void;

  /** What an alert is about, with what is known of where its device is. */
  abstract placed(subject: Subject): Subject;

  /** A command that has a place in a session. */
  abstract inSession(submission: Submission): ModelReply;

  submit(submission: Submission): ModelReply {
    if (submission.place) return this.inSession(submission);
    const known = this.replies.find((one) => one.key === submission.key);
    if (known && known.fingerprint !== submission.fingerprint)
      return { ok: false, code: 'KEY_REUSED' };
    if (known) return known.reply;
    const reply = submission.command
      ? this.perform(submission.command)
      : ({ ok: false, code: 'BAD_REQUEST' } as const);
    this.replies.push({ key: submission.key, fingerprint: submission.fingerprint, reply });
    this.replies = this.replies.slice(-this.limits.repliesMax);
    return reply;
  }

  find(ref: AlertRef): Alert | undefined {
    if ('dedupKey' in ref) return this.open.find((one) => one.dedupKey === ref.dedupKey);
    return [...this.open, ...this.resolved].find((one) => one.id === ref.id);
  }

  all(): Alert[] {
    return [...this.open, ...this.resolved].sort(
      (a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)),
    );
  }

  perform(command: Command): ModelReply {
    if (command.type === 'raise') return this.raise(command);
    if (command.type === 'clear' || command.type === 'acknowledge') return this.target(command);
    return this.other(command);
  }

  raise(command: RaiseCommand, isOwn = false): ModelReply {
    const alert = this.find({ dedupKey: command.dedupKey });
    if (command.expectedRevision !== undefined)
      if (command.expectedRevision !== (alert ? alert.revision : 0))
        return { ok: false, code: 'REVISION_MISMATCH' };
    if (!alert) return this.start(command, isOwn);

    const now = this.time as Alert['raisedAt'];
    const seen = {
      ...alert,
      lastSeenAt: now,
      count: alert.count + 1,
      text: command.text,
      cause: command.cause,
      priority: command.priority,
      observedAt: command.observedAt,
      staleSince: this.staleSince(alert),
    };
    const realarm = {
      acknowledged: false,
      activation: alert.activation + 1,
      activatedAt: (this.revision + 1) as Alert['revision'],
      acknowledgedUntil: undefined,
      pausedUntil: undefined,
      responsibility: undefined,
      escalation: alert.escalation && this.firstStep(undefined, command.priority, alert),
    };
    if (alert.presence === 'cleared')
      return this.record(command, 'reactivated', {
        ...seen,
        ...realarm,
        presence: 'present',
        clearedAt: undefined,
      });
    const step = PRIORITIES.indexOf(command.priority) - PRIORITIES.indexOf(alert.priority);
    if (step > 0) return this.record(command, 'escalated', { ...seen, ...realarm });
    return this.record(command, step < 0 ? 'deescalated' : 'continued', seen);
  }

  private start(command: RaiseCommand, isOwn: boolean): ModelReply {
    const last = this.remembered.find((one) => one.dedupKey === command.dedupKey);
    this.remembered = this.remembered.filter((one) => one !== last);
    const now = this.time as Alert['raisedAt'];
    return this.record(command, 'raised', {
      id: `A${this.revision + 1}`,
      dedupKey: command.dedupKey,
      occurrence: (last?.occurrence ?? 0) + 1,
      previous: last?.id as Alert['previous'],
      activation: 1,
      activatedAt: (this.revision + 1) as Alert['revision'],
      flaps: last && now - last.endedAt < 60_000 ? last.flaps + 1 : 0,
      kind: command.kind,
      basePriority: command.priority,
      priority: command.priority,
      condition: command.condition,
      text: command.text,
      subject: this.placed(command.subject),
      cause: command.cause,
      labels: command.labels ?? {},
      presence: 'present',
      acknowledged: false,
      acknowledgements: [],
      acknowledgementSeconds: command.acknowledgementSeconds,
      acknowledgedUntil: undefined,
      escalation: isOwn ? undefined : this.firstStep(command.policy, command.priority, undefined),
      responsibility: undefined,
      pausedUntil: undefined,
      staleSince: this.isLost(command) ? now : undefined,
      latching: command.latching,
      resetAfterClear: command.resetAfterClear ?? false,
      acknowledgementRequired: command.acknowledgementRequired,
      resolution: undefined,
      count: 1,
      raisedAt: now,
      lastSeenAt: now,
      clearedAt: undefined,
      observedAt: command.observedAt,
      version: 0,
      revision: 0 as Alert['revision'],
    });
  }

  target(command: ClearCommand | AcknowledgeCommand, isOwn = false): ModelReply {
    const alert = this.find(command.target);
    if (!alert) return { ok: false, code: 'ALERT_NOT_FOUND' };
    if (alert.resolution) return { ok: false, code: 'ALREADY_RESOLVED' };
    if (command.expectedRevision !== undefined && command.expectedRevision !== alert.revision)
      return { ok: false, code: 'REVISION_MISMATCH' };
    if (command.type === 'clear' && !isOwn && alert.dedupKey.startsWith('tocsin:'))
      return { ok: false, code: 'NOT_OWNER' };
    if (command.type === 'clear') return this.clear(command, alert);
    if (command.activation !== undefined && command.activation !== alert.activation)
      return { ok: false, code: 'ACTIVATION_MISMATCH' };
    return this.acknowledge(command, alert);
  }

  private clear(command: ClearCommand, alert: Alert): ModelReply {
    if (alert.presence === 'cleared') return reply('unchanged', alert);
    const now = this.time as Alert['raisedAt'];
    const isHeld = alert.acknowledged && alert.latching && alert.resetAfterClear;
    const stays =
      isHeld || (!alert.acknowledged && (alert.latching || alert.acknowledgementRequired));
    return this.record(command, 'cleared', {
      ...alert,
      ...(isHeld
        ? { acknowledged: false, acknowledgedUntil: undefined, escalation: this.again(alert) }
        : {}),
      presence: 'cleared',
      clearedAt: now,
      observedAt: command.observedAt,
      staleSince: stays ? this.staleSince(alert) : undefined,
      ...(stays ? {} : this.ended(alert, { how: 'auto', by: command.actor, at: now })),
    });
  }

  private staleSince(alert: Alert): Alert['staleSince'] {
    if (!this.isLost(alert)) return undefined;
    return alert.staleSince ?? (this.time as Alert['raisedAt']);
  }

  private acknowledge(command: AcknowledgeCommand, alert: Alert): ModelReply {
    const now = this.time as Alert['raisedAt'];
    const current = (one: { activation: number }) => one.activation === alert.activation;
    const seconds = alert.acknowledgementSeconds;
    const until = seconds === undefined ? undefined : ((now + seconds * 1_000) as typeof now);
    if (alert.acknowledged)
      if (alert.acknowledgements.some((one) => current(one) && one.by === command.actor))
        return reply('unchanged', alert);
    const added = {
      by: command.actor,
      at: now,
      activation: alert.activation,
      ...(command.note === undefined ? {} : { note: command.note }),
    };
    return this.record(command, 'acknowledged', {
      ...alert,
      acknowledged: true,
      acknowledgements: this.joined(alert.acknowledgements, added, alert.activation),
      acknowledgedUntil: alert.acknowledged ? alert.acknowledgedUntil : until,
      escalation: this.halted(alert),
      ...(alert.presence === 'cleared'
        ? this.ended(alert, { how: 'acknowledged', by: command.actor, at: now })
        : {}),
    });
  }

  /** A full list gives up its oldest, but neither the first nor the first of the activation in force. */
  joined(
    before: readonly Acknowledgement[],
    added: Acknowledgement,
    inForce: number,
  ): Acknowledgement[] {
    const list = [...before, added];
    if (list.length <= this.limits.acknowledgementsMax) return list;
    const precious = [list[0], list.find((one) => one.activation === inForce)];
    const victim = list.find((one) => !precious.includes(one));
    return list.filter((one) => one !== victim);
  }

  /** What the end of an alert, whichever it is, does to it. */
  ended(alert: Alert, resolution: Alert['resolution']): Partial<Alert> {
    return {
      resolution,
      acknowledgedUntil: undefined,
      pausedUntil: undefined,
      escalation: this.halted(alert),
    };
  }

  halted(alert: Alert): Alert['escalation'] {
    return alert.escalation && { ...alert.escalation, dueAt: undefined };
  }

  record(asked: ModelAsked, effect: AlertEvent['effect'], after: Alert): ModelReply {
    const revision = (this.revision + 1) as Alert['revision'];
    const alert: Alert = { ...after, version: after.version + 1, revision };
    const before = [...this.open, ...this.resolved].find((one) => one.id === alert.id);
    if (before?.resolution) {
      this.resolved = this.resolved.map((one) => (one.id === alert.id ? alert : one));
      return this.noted(asked, effect, before, alert);
    }
    this.open = this.open.filter((one) => one.id !== alert.id);
    if (alert.resolution) {
      const { resolvedAlertsMax } = this.limits;
      this.dropped = this.resolved.at(-resolvedAlertsMax);
      this.resolved = [...this.resolved, alert].slice(-resolvedAlertsMax);
      const { dedupKey, id, occurrence, flaps } = alert;
      const endedAt = alert.resolution.at;
      this.remembered = [...this.remembered, { dedupKey, id, occurrence, endedAt, flaps }];
      this.remembered = this.remembered.slice(-this.limits.dedupKeysRememberedMax);
    } else this.open.push(alert);
    return this.noted(asked, effect, before, alert);
  }

  private noted(
    asked: ModelAsked,
    effect: AlertEvent['effect'],
    before: Alert | undefined,
    alert: Alert,
  ): ModelReply {
    this.events.push({
      revision: alert.revision,
      index: this.index as AlertEvent['index'],
      time: this.time as AlertEvent['time'],
      observedAt: asked.observedAt,
      effect,
      actor: asked.actor,
      alert,
      before,
      transaction: this.together,
      dropped: this.dropped,
    });
    this.dropped = undefined;
    if (before) this.afterwards(before, alert);
    return reply(effect, alert);
  }
}

/** Domain model A.2, "derived display state". */
export function modelState(alert: Alert): DisplayState {
  if (alert.resolution?.how === 'entered-in-error') return 'ENTERED_IN_ERROR';
  if (alert.resolution) return 'RESOLVED';
  if (alert.presence === 'present' && alert.acknowledged) return 'ACTIVE_ACK';
  if (alert.presence === 'present') return 'ACTIVE_UNACK';
  return alert.latching ? 'LATCHED' : 'RTN_UNACK';
}

export const reply = (effect: Effect, alert: Alert): ModelReply => ({
  ok: true,
  effect,
  alertId: alert.id,
  activation: alert.activation,
  revision: alert.revision,
  state: modelState(alert),
});
