import type {
  AcknowledgeCommand,
  Alert,
  AlertEvent,
  AlertRef,
  Batch,
  ClearCommand,
  Command,
  DisplayState,
  Effect,
  RaiseCommand,
  RefusalCode,
  Submission,
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
    };

const PRIORITIES = ['none', 'low', 'medium', 'high'];

export class ReferenceModel {
  open: Alert[] = [];
  /** In the order in which they were resolved. */
  resolved: Alert[] = [];
  /** Conditions that are not open, in the order in which they were resolved. */
  remembered: { dedupKey: string; id: string; occurrence: number }[] = [];
  replies: { key: string; fingerprint: number; reply: ModelReply }[] = [];
  events: AlertEvent[] = [];
  time = 0;
  limits: ModelLimits;

  constructor(limits: ModelLimits) {
    this.limits = limits;
  }

  get revision(): number {
    return this.events.length;
  }

  begin(batch: Omit<Batch, 'submissions'>): void {
    this.time = Math.max(this.time, batch.time);
  }

  submit(submission: Submission, index: number): ModelReply {
    const known = this.replies.find((one) => one.key === submission.key);
    if (known && known.fingerprint !== submission.fingerprint)
      return { ok: false, code: 'KEY_REUSED' };
    if (known) return known.reply;
    const reply = submission.command
      ? this.perform(submission.command, index)
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

  private perform(command: Command, index: number): ModelReply {
    if (command.type === 'raise') return this.raise(command, index);
    return this.target(command, index);
  }

  private raise(command: RaiseCommand, index: number): ModelReply {
    const alert = this.find({ dedupKey: command.dedupKey });
    if (command.expectedRevision !== undefined)
      if (command.expectedRevision !== (alert ? alert.revision : 0))
        return { ok: false, code: 'REVISION_MISMATCH' };
    if (!alert) return this.start(command, index);

    const now = this.time as Alert['raisedAt'];
    const seen = {
      ...alert,
      lastSeenAt: now,
      count: alert.count + 1,
      text: command.text,
      cause: command.cause,
      priority: command.priority,
      observedAt: command.observedAt,
    };
    const realarm = { acknowledged: false, activation: alert.activation + 1 };
    if (alert.presence === 'cleared')
      return this.record(command, index, 'reactivated', {
        ...seen,
        ...realarm,
        presence: 'present',
        clearedAt: undefined,
      });
    const step = PRIORITIES.indexOf(command.priority) - PRIORITIES.indexOf(alert.priority);
    if (step > 0) return this.record(command, index, 'escalated', { ...seen, ...realarm });
    return this.record(command, index, step < 0 ? 'deescalated' : 'continued', seen);
  }

  private start(command: RaiseCommand, index: number): ModelReply {
    const last = this.remembered.find((one) => one.dedupKey === command.dedupKey);
    this.remembered = this.remembered.filter((one) => one !== last);
    const now = this.time as Alert['raisedAt'];
    return this.record(command, index, 'raised', {
      id: `A${this.revision + 1}`,
      dedupKey: command.dedupKey,
      occurrence: (last?.occurrence ?? 0) + 1,
      previous: last?.id as Alert['previous'],
      activation: 1,
      kind: command.kind,
      basePriority: command.priority,
      priority: command.priority,
      condition: command.condition,
      text: command.text,
      subject: command.subject,
      cause: command.cause,
      labels: command.labels ?? {},
      presence: 'present',
      acknowledged: false,
      acknowledgements: [],
      latching: command.latching,
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

  private target(command: ClearCommand | AcknowledgeCommand, index: number): ModelReply {
    const alert = this.find(command.target);
    if (!alert) return { ok: false, code: 'ALERT_NOT_FOUND' };
    if (alert.resolution) return { ok: false, code: 'ALREADY_RESOLVED' };
    if (command.expectedRevision !== undefined && command.expectedRevision !== alert.revision)
      return { ok: false, code: 'REVISION_MISMATCH' };
    if (command.type === 'clear') return this.clear(command, alert, index);
    if (command.activation !== undefined && command.activation !== alert.activation)
      return { ok: false, code: 'ACTIVATION_MISMATCH' };
    return this.acknowledge(command, alert, index);
  }

  private clear(command: ClearCommand, alert: Alert, index: number): ModelReply {
    if (alert.presence === 'cleared') return reply('unchanged', alert);
    const now = this.time as Alert['raisedAt'];
    const stays = !alert.acknowledged && (alert.latching || alert.acknowledgementRequired);
    return this.record(command, index, 'cleared', {
      ...alert,
      presence: 'cleared',
      clearedAt: now,
      observedAt: command.observedAt,
      resolution: stays ? undefined : { how: 'auto', by: command.actor, at: now },
    });
  }

  private acknowledge(command: AcknowledgeCommand, alert: Alert, index: number): ModelReply {
    const now = this.time as Alert['raisedAt'];
    const current = (one: { activation: number }) => one.activation === alert.activation;
    if (alert.acknowledged)
      if (alert.acknowledgements.some((one) => current(one) && one.by === command.actor))
        return reply('unchanged', alert);
    let list = [...alert.acknowledgements];
    list.push({
      by: command.actor,
      at: now,
      activation: alert.activation,
      ...(command.note === undefined ? {} : { note: command.note }),
    });
    if (list.length > this.limits.acknowledgementsMax) {
      const precious = [list[0], list.find(current)];
      const victim = list.find((one) => !precious.includes(one));
      list = list.filter((one) => one !== victim);
    }
    return this.record(command, index, 'acknowledged', {
      ...alert,
      acknowledged: true,
      acknowledgements: list,
      resolution:
        alert.presence === 'cleared'
          ? { how: 'acknowledged', by: command.actor, at: now }
          : undefined,
    });
  }

  private record(
    command: Command,
    index: number,
    effect: AlertEvent['effect'],
    after: Alert,
  ): ModelReply {
    const revision = (this.revision + 1) as Alert['revision'];
    const alert: Alert = { ...after, version: after.version + 1, revision };
    this.open = this.open.filter((one) => one.id !== alert.id);
    if (alert.resolution) {
      this.resolved = [...this.resolved, alert].slice(-this.limits.resolvedAlertsMax);
      const { dedupKey, id, occurrence } = alert;
      this.remembered = [...this.remembered, { dedupKey, id, occurrence }];
      this.remembered = this.remembered.slice(-this.limits.dedupKeysRememberedMax);
    } else this.open.push(alert);
    this.events.push({
      revision,
      index: index as AlertEvent['index'],
      time: this.time as AlertEvent['time'],
      observedAt: command.observedAt,
      effect,
      actor: command.actor,
      alert,
    });
    return reply(effect, alert);
  }
}

/** Domain model A.2, "derived display state". */
export function modelState(alert: Alert): DisplayState {
  if (alert.resolution) return 'RESOLVED';
  if (alert.presence === 'present' && alert.acknowledged) return 'ACTIVE_ACK';
  if (alert.presence === 'present') return 'ACTIVE_UNACK';
  return alert.latching ? 'LATCHED' : 'RTN_UNACK';
}

const reply = (effect: Effect, alert: Alert): ModelReply => ({
  ok: true,
  effect,
  alertId: alert.id,
  activation: alert.activation,
  revision: alert.revision,
  state: modelState(alert),
});
