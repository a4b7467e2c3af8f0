import { revision } from '../../src/base/ids.ts';
import type { WardCommand } from '../../src/statemachine/beside/ward.ts';
import type { CareCommand, MergeCommand } from '../../src/statemachine/care-commands.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { Guard, PartCommand, TransactionCommand } from '../../src/statemachine/transaction.ts';
import type { Acknowledgement, Alert, ConditionCommand } from '../../src/statemachine/types.ts';
import { type ModelReply, modelState, reply } from './condition-model.ts';
import { RecordsModel } from './records-model.ts';

export { modelState };

const PAUSES = { high: 120, medium: 600, low: 3_600, none: 86_400 };
type Instant = Alert['raisedAt'];

/** All of the domain table (A.3), as plainly as can be: here T12 to T15, T17, T18, T20, T21, T24 to T27. */
export class ReferenceModel extends RecordsModel {
  override other(command: Exclude<Command, ConditionCommand>): ModelReply {
    if (command.type === 'report') return this.report(command);
    if (command.type === 'set-policy' || command.type === 'remove-policy')
      return this.policy(command);
    if (command.type === 'transaction') return this.transaction(command);
    return isCare(command) ? this.care(command) : this.beside(command);
  }

  /** Each command is tried on the state as it is, those about the ward one after another, and only if all may be done are they. */
  private transaction({ guards, commands }: TransactionCommand): ModelReply {
    if (!guards.every((guard) => this.holds(guard))) return { ok: false, code: 'GUARD_FAILED' };
    const ward = commands.filter(isWard);
    this.leaving = ward.filter((one) => this.leaves(one)).map(({ patient }) => patient);
    const touched: string[] = [];
    const followed: string[] = [];
    for (const command of commands) {
      if (isWard(command)) {
        const answer = this.tried(() => this.inOrder(ward.slice(0, ward.indexOf(command) + 1)));
        const keys = this.follow(command);
        if (!answer.ok) return this.undone(answer);
        if (keys.some((key) => touched.includes(key)))
          return this.undone({ ok: false, code: 'BAD_REQUEST' });
        followed.push(...keys);
        continue;
      }
      const answer = this.tried(() => this.perform(command));
      if (!answer.ok) return this.undone(answer);
      const alert = this.find(command.type === 'raise' ? command : command.target);
      const dedupKey = command.type === 'raise' ? command.dedupKey : (alert?.dedupKey ?? '');
      if (alert?.resolution) return this.undone({ ok: false, code: 'ALREADY_RESOLVED' });
      if (dedupKey.startsWith('tocsin:')) return this.undone({ ok: false, code: 'NOT_OWNER' });
      if (touched.includes(dedupKey) || followed.includes(dedupKey))
        return this.undone({ ok: false, code: 'BAD_REQUEST' });
      touched.push(dedupKey);
    }
    this.together = revision(this.revision + 1);
    this.isLoudAllowed = true;
    for (const command of commands) this.perform(command);
    this.isLoudAllowed = false;
    this.unexplained();
    this.together = undefined;
    this.leaving = [];
    return { ok: true, effect: 'kept', id: `R${this.revision}`, version: commands.length };
  }

  private undone(answer: ModelReply): ModelReply {
    this.leaving = [];
    return answer;
  }

  private holds(guard: Guard): boolean {
    if ('record' in guard) {
      const all = { bed: this.beds, patient: this.patients, device: this.devices }[guard.record];
      const kept = [...all].find(({ id }) => id === guard.id);
      return (kept?.version ?? 0) === guard.version;
    }
    const alert = this.find(guard.target);
    if (guard.revision !== undefined && guard.revision !== (alert?.revision ?? 0)) return false;
    return guard.state === undefined || (alert && modelState(alert)) === guard.state;
  }

  /** The commands about the ward, one after another; each patient once. */
  private inOrder(commands: readonly WardCommand[]): ModelReply {
    const patients: string[] = [];
    let answer: ModelReply = { ok: false, code: 'BAD_REQUEST' };
    for (const command of commands) {
      if ('patient' in command && patients.includes(command.patient))
        return { ok: false, code: 'BAD_REQUEST' };
      if ('patient' in command) patients.push(command.patient);
      answer = this.ward(command);
    }
    return answer;
  }

  /** What a command would be told; nothing stays of it. */
  private tried(perform: () => ModelReply): ModelReply {
    const { events, open, notifications, replies } = this;
    const before = {
      ...this,
      events: [...events],
      open: [...open],
      notifications: [...notifications],
      replies: [...replies],
      leaving: [...this.leaving],
    };
    const answer = perform();
    Object.assign(this, before);
    return answer;
  }

  private care(command: CareCommand): ModelReply {
    const alert = this.find(command.target);
    if (!alert) return { ok: false, code: 'ALERT_NOT_FOUND' };
    const isOver = modelState(alert) === 'ENTERED_IN_ERROR';
    if (alert.resolution && (command.type !== 'void' || isOver))
      return { ok: false, code: 'ALREADY_RESOLVED' };
    if (command.expectedRevision !== undefined && command.expectedRevision !== alert.revision)
      return { ok: false, code: 'REVISION_MISMATCH' };
    return this.cared(command, alert);
  }

  private cared(command: CareCommand, alert: Alert): ModelReply {
    const at = this.now;
    const by = command.actor;
    const isDue = alert.escalation?.dueAt !== undefined;
    const become = (effect: 'paused' | 'resumed' | 'transferred', changes: Partial<Alert>) =>
      this.record(command, effect, { ...alert, ...changes });
    switch (command.type) {
      case 'unacknowledge':
        if (modelState(alert) !== 'ACTIVE_ACK') return reply('unchanged', alert);
        return this.record(command, 'unacknowledged', {
          ...alert,
          acknowledged: false,
          acknowledgedUntil: undefined,
          escalation: this.again(alert),
        });
      case 'accept': {
        const answer = alert.responsibility;
        if (answer?.state === 'accepted' && answer.by === by) return reply('unchanged', alert);
        const escalation = alert.escalation && { ...alert.escalation };
        if (escalation && isDue) escalation.dueAt = this.later(this.waitOf(alert));
        const told = this.record(command, 'accepted', {
          ...alert,
          responsibility: { state: 'accepted', by, at },
          escalation,
        });
        this.answered(alert, by, 'accepted');
        return told;
      }
      case 'reject': {
        const taken = alert.responsibility;
        if (taken?.state === 'accepted' && taken.by !== by) {
          this.answered(alert, by, 'rejected');
          return reply('unchanged', alert);
        }
        const escalation = alert.escalation && { ...alert.escalation };
        if (escalation && isDue) escalation.dueAt = at;
        const told = this.record(command, 'rejected', {
          ...alert,
          responsibility: { state: 'rejected', by, at },
          escalation,
        });
        this.answered(alert, by, 'rejected');
        return told;
      }
      case 'pause':
        if (command.seconds > PAUSES[alert.priority]) return { ok: false, code: 'OVER_LIMIT' };
        return become('paused', { pausedUntil: this.later(command.seconds) });
      case 'resume':
        if (alert.pausedUntil === undefined) return reply('unchanged', alert);
        return become('resumed', { pausedUntil: undefined });
      case 'transfer':
        if (command.policy !== undefined && alert.dedupKey.startsWith('tocsin:'))
          return { ok: false, code: 'NOT_OWNER' };
        if (command.policy !== undefined && !this.policyNamed(command.policy))
          return { ok: false, code: 'RECORD_NOT_FOUND' };
        return become('transferred', {
          subject: { ...alert.subject, ...command.subject },
          staleSince: this.transferredStale(alert, command.subject.device),
          ...this.rerouted(alert, command.policy),
        });
      case 'escalate':
        if (!alert.escalation) return { ok: false, code: 'RECORD_NOT_FOUND' };
        return this.advance(alert, command, true);
      default:
        return this.ending(command, alert);
    }
  }

  /** Where nobody can say how it is now, it is stale; where somebody can, it is until they do. */
  private transferredStale(alert: Alert, device: string | undefined): Alert['staleSince'] {
    if (alert.staleSince !== undefined || device === undefined) return alert.staleSince;
    return this.isLost({ kind: alert.kind, subject: { device } }) ? this.now : undefined;
  }

  private ending(
    command: Extract<CareCommand, { type: 'resolve' | 'discharge' | 'void' | 'merge' }>,
    alert: Alert,
  ): ModelReply {
    const at = this.now;
    const by = command.actor;
    switch (command.type) {
      case 'resolve': {
        const present = alert.presence === 'present';
        if ((present && !command.force) || (command.force && this.needsSecond(command, alert)))
          return { ok: false, code: 'CONFIRMATION_REQUIRED' };
        const { reason } = command;
        const ended = this.ended(alert, { how: 'manual', by, at, reason, ...second(command) });
        return this.record(command, 'resolved', { ...alert, ...ended });
      }
      case 'discharge': {
        const { reason } = command;
        if (alert.priority === 'high' && !alert.acknowledged && reason === undefined)
          return { ok: false, code: 'CONFIRMATION_REQUIRED' };
        const why = reason === undefined ? {} : { reason };
        const ended = this.ended(alert, { how: 'discharged', by, at, ...why });
        return this.record(command, 'discharged', { ...alert, ...ended });
      }
      case 'void': {
        const { reason } = command;
        if (this.needsSecond(command, alert)) return { ok: false, code: 'CONFIRMATION_REQUIRED' };
        const how = 'entered-in-error';
        const ended = this.ended(alert, { how, by, at, reason, ...second(command) });
        return this.record(command, 'voided', { ...alert, ...ended });
      }
      case 'merge':
        return this.merge(command, alert);
    }
  }

  /** Whether an open alert is so grave that one person alone does not end it. */
  private needsSecond({ actor, confirmedBy }: Confirmed, alert: Alert): boolean {
    const { kind, priority, presence, resolution } = alert;
    const isGrave = kind === 'physiological' && priority === 'high' && presence === 'present';
    return isGrave && !resolution && (confirmedBy === undefined || confirmedBy === actor);
  }

  private merge(command: MergeCommand, alert: Alert): ModelReply {
    const key = ({ by, at, activation }: Acknowledgement) => `${by} ${at} ${activation}`;
    const known = alert.acknowledgements.map(key);
    let acknowledgements = [...alert.acknowledgements];
    for (const one of command.acknowledgements)
      if (one.activation <= alert.activation && !acknowledgements.map(key).includes(key(one)))
        acknowledgements = this.joined(acknowledgements, one, alert.activation);
    const raisedAt = Math.min(alert.raisedAt, command.raisedAt) as Instant;
    const united = { ...alert, raisedAt, acknowledgements };
    const own = command.acknowledgements.find(
      (one) => one.activation === alert.activation && !known.includes(key(one)),
    );
    if (!own) return this.record(command, 'merged', united);
    const seconds = alert.acknowledgementSeconds;
    const until = seconds === undefined ? undefined : this.later(seconds);
    return this.record(command, 'merged', {
      ...united,
      acknowledged: true,
      acknowledgedUntil: alert.acknowledged ? alert.acknowledgedUntil : until,
      escalation: this.halted(alert),
      ...(alert.presence === 'cleared'
        ? this.ended(alert, { how: 'acknowledged', by: own.by, at: this.now })
        : {}),
    });
  }

  override again(alert: Alert): Alert['escalation'] {
    const { escalation } = alert;
    if (!escalation) return undefined;
    const first = this.firstStep(undefined, alert.priority, alert);
    if (escalation.exhausted) return first && { ...first, loop: escalation.loop + 1 };
    if (escalation.step === 0) return first && { ...first, loop: escalation.loop };
    return { ...escalation, dueAt: this.later(this.waitOf(alert)) };
  }

  override lapse(alert: Alert): void {
    this.record(this.itself, 'lapsed', {
      ...alert,
      acknowledged: false,
      activation: alert.activation + 1,
      activatedAt: (this.revision + 1) as Alert['revision'],
      acknowledgedUntil: undefined,
      pausedUntil: undefined,
      responsibility: undefined,
      escalation: alert.escalation && this.firstStep(undefined, alert.priority, alert),
    });
  }
}

type Confirmed = Extract<CareCommand, { type: 'resolve' | 'void' }>;
const second = ({ confirmedBy }: Confirmed) => (confirmedBy === undefined ? {} : { confirmedBy });

const isWard = (command: PartCommand): command is WardCommand =>
  /-(bed|patient|device)$/.test(command.type);

const isCare = (command: Command): command is CareCommand => 'target' in command;
