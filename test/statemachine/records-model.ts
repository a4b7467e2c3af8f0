import type { KeptRule, ListedRule } from '../../src/base/rules/listed-rules.ts';
import type { Incident, IncidentCommand } from '../../src/statemachine/beside/incidents.ts';
import type { InhibitionCommand } from '../../src/statemachine/beside/inhibition.ts';
import type { RuleCommand } from '../../src/statemachine/beside/rule-book.ts';
import type { ScheduleCommand } from '../../src/statemachine/beside/schedule.ts';
import type { SessionCommand } from '../../src/statemachine/beside/sessions.ts';
import type { Source, SourceCommand } from '../../src/statemachine/beside/sources.ts';
import type { SuppressionCommand } from '../../src/statemachine/beside/suppression.ts';
import type { WardCommand } from '../../src/statemachine/beside/ward.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import type { ModelReply } from './condition-model.ts';
import type { Due } from './escalation-model.ts';
import { kept, SuppressionModel } from './suppression-model.ts';

type Instant = Alert['raisedAt'];
type BesideCommand =
  | SuppressionCommand
  | InhibitionCommand
  | SourceCommand
  | IncidentCommand
  | RuleCommand
  | ScheduleCommand
  | SessionCommand
  | WardCommand;

const nameOf = (rule: ListedRule): string => (rule.list === 'profiles' ? rule.name : rule.id);

/** Of the rules that stories draw: heart rates beyond one limit on each side, and profiles with other limits. */
function goTogether(rules: readonly KeptRule[]): boolean {
  const all = rules.map(({ rule }) => rule);
  const limits = all.filter((rule) => rule.list === 'rules');
  const profiles = all.filter((rule) => rule.list === 'profiles');
  const high = limits.filter(({ side }) => side === 'HI');
  const low = limits.filter(({ side }) => side === 'LO');
  const patients = profiles.flatMap((profile) => profile.patients);
  return (
    high.length <= 1 &&
    low.length <= 1 &&
    !(high[0] && low[0] && high[0].limit <= low[0].limit) &&
    new Set(patients).size === patients.length &&
    profiles.every((profile) =>
      Object.keys(profile.limits).every((id) => limits.some((rule) => rule.id === id)),
    )
  );
}

/** Sources and incidents (T22, T23), as plainly as can be. */
export abstract class RecordsModel extends SuppressionModel {
  sources: Source[] = [];
  incidents: Incident[] = [];
  rules: KeptRule[] = [];

  beside(command: BesideCommand): ModelReply {
    switch (command.type) {
      case 'silence':
      case 'unsilence':
        return this.silence(command);
      case 'open-window':
      case 'end-window':
        return this.window(command);
      case 'set-inhibition':
      case 'remove-inhibition':
      case 'restore-inhibitions':
        return this.inhibition(command);
      case 'heartbeat':
      case 'retire-source':
        return this.source(command);
      case 'set-rule':
      case 'remove-rule':
        return this.rule(command);
      case 'set-bed':
      case 'remove-bed':
      case 'admit-patient':
      case 'move-patient':
      case 'discharge-patient':
      case 'attach-device':
      case 'detach-device':
      case 'remove-device':
        return this.ward(command);
      case 'open-session':
      case 'keep-session':
      case 'end-session':
        return this.session(command);
      case 'set-schedule':
      case 'extend-schedule':
      case 'remove-schedule':
        return this.schedule(command);
      default:
        return this.incident(command);
    }
  }

  rule(command: RuleCommand): ModelReply {
    const id = command.type === 'remove-rule' ? command.id : nameOf(command.rule);
    const before = this.rules.find((one) => one.id === id);
    const others = this.rules.filter((one) => one !== before);
    if (command.type === 'remove-rule') {
      if (!before) return { ok: false, code: 'RECORD_NOT_FOUND' };
      if (!goTogether(others)) return { ok: false, code: 'BAD_REQUEST' };
      this.recordsMade += 1;
      this.rules = others;
      return kept(before, 'removed');
    }
    const { rule } = command;
    const after = { id, version: this.recordsMade + 1, rule };
    const isOff = rule.list === 'rules' && rule.limit > 300;
    if (isOff || !goTogether([...others, after])) return { ok: false, code: 'BAD_REQUEST' };
    this.recordsMade += 1;
    this.rules = before
      ? this.rules.map((one) => (one === before ? after : one))
      : [...this.rules, after];
    return kept(after);
  }

  putSource(one: Source): ModelReply {
    this.sources = this.put(this.sources, one, ({ state }) => state === 'retired');
    return kept(one);
  }

  measured(device: string): Alert[] {
    return this.open
      .filter(({ subject, kind }) => subject.device === device && kind === 'physiological')
      .sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  }

  override isLost({ kind, subject }: Pick<Alert, 'kind' | 'subject'>): boolean {
    const source = this.sources.find(({ id }) => id === subject.device);
    return kind === 'physiological' && source?.state === 'lost';
  }

  found(source: string): void {
    const target = { dedupKey: `tocsin:source:${source}` };
    if (this.find(target)) this.target({ type: 'clear', target, ...this.itself }, true);
  }

  source(command: SourceCommand): ModelReply {
    const before = this.sources.find(({ id }) => id === command.source);
    if (command.type === 'retire-source') {
      if (!before || before.state === 'retired') return { ok: false, code: 'RECORD_NOT_FOUND' };
      const retired = { ...before, version: before.version + 1, state: 'retired' as const };
      this.putSource({ ...retired, dueAt: undefined });
      if (before.state === 'lost') this.found(before.id);
      return { ok: true, effect: 'removed', id: before.id, version: retired.version };
    }
    if (!before) this.recordsMade += 1;
    const told = this.putSource({
      id: command.source,
      number: before?.number ?? this.recordsMade,
      version: (before?.version ?? 0) + 1,
      state: 'live',
      leaseSeconds: command.leaseSeconds,
      priority: command.priority ?? before?.priority ?? 'medium',
      seenAt: this.now,
      dueAt: this.later(command.leaseSeconds),
      comparedTo: undefined,
    });
    if (before?.state === 'lost') this.found(before.id);
    const { actor, observedAt } = command;
    for (const { id } of command.present ? this.measured(command.source) : []) {
      const alert = this.find({ id });
      if (!alert) continue;
      if (command.present?.includes(alert.dedupKey) && alert.presence === 'cleared') {
        const { dedupKey, kind, priority, condition, text, subject } = alert;
        const { latching, acknowledgementRequired } = alert;
        const seen = { dedupKey, kind, priority, condition, text, subject };
        this.raise({
          type: 'raise',
          ...seen,
          latching,
          acknowledgementRequired,
          actor,
          observedAt,
        });
      } else if (!command.present?.includes(alert.dedupKey) && alert.presence === 'present')
        this.target({ type: 'clear', target: { id: alert.id }, actor, observedAt });
      else if (alert.staleSince !== undefined)
        this.record(command, 'live', { ...alert, staleSince: undefined });
    }
    return told;
  }

  lost(source: Source): void {
    for (const { id } of this.measured(source.id)) {
      const alert = this.find({ id });
      if (alert && alert.staleSince === undefined)
        this.record(this.itself, 'stale', { ...alert, staleSince: this.now });
    }
    this.putSource({ ...source, version: source.version + 1, state: 'lost', dueAt: undefined });
    this.raise(
      {
        type: 'raise',
        ...this.itself,
        dedupKey: `tocsin:source:${source.id}`,
        kind: 'technical',
        priority: source.priority,
        condition: 'SOURCE:LOST',
        text: `${source.id} has not been heard from for ${source.leaseSeconds} s`,
        subject: { device: source.id },
        latching: false,
        acknowledgementRequired: false,
      },
      true,
    );
  }

  incident(command: IncidentCommand): ModelReply {
    const missing = (ids: readonly Alert['id'][] = []) => ids.some((id) => !this.find({ id }));
    if (command.type === 'open-incident') {
      if (missing(command.alerts)) return { ok: false, code: 'ALERT_NOT_FOUND' };
      this.recordsMade += 1;
      const { title, severity, commander, alerts, actor } = command;
      const one: Incident = {
        id: `C${this.recordsMade}`,
        version: 1,
        title,
        severity,
        commander,
        alerts: [...new Set(alerts)],
        timeline: [{ at: this.now, by: actor, text: 'opened' }],
        review: undefined,
        openedAt: this.now,
        closedAt: undefined,
      };
      this.incidents = this.put(this.incidents, one, isClosed);
      return kept(one);
    }
    const before = this.incidents.find(({ id }) => id === command.id);
    if (!before) return { ok: false, code: 'RECORD_NOT_FOUND' };
    if (command.expectedVersion !== undefined && command.expectedVersion !== before.version)
      return { ok: false, code: 'REVISION_MISMATCH' };
    if (isClosed(before) && !command.review) return { ok: false, code: 'ALREADY_RESOLVED' };
    if (missing(command.add)) return { ok: false, code: 'ALERT_NOT_FOUND' };
    const said = [
      command.severity && `severity ${command.severity}`,
      command.commander && `commander ${command.commander}`,
      command.add && `added ${command.add.join(' ')}`,
      command.remove && `removed ${command.remove.join(' ')}`,
      command.note,
      command.review && 'reviewed',
      command.close && 'closed',
    ].filter((line) => typeof line === 'string');
    const one: Incident = {
      ...before,
      version: before.version + 1,
      severity: command.severity ?? before.severity,
      commander: command.commander ?? before.commander,
      alerts: [...new Set([...before.alerts, ...(command.add ?? [])])].filter(
        (id) => !command.remove?.includes(id),
      ),
      timeline: [
        ...before.timeline,
        ...said.map((line) => ({ at: this.now, by: command.actor, text: line })),
      ],
      review: command.review ?? before.review,
      closedAt: before.closedAt ?? (command.close ? this.now : undefined),
    };
    this.incidents = this.put(this.incidents, one, isClosed);
    return kept(one);
  }

  override due(): Due[] {
    const found = super.due();
    const add = (at: Instant | undefined, number: number, kind: number, act: () => void) => {
      if (at !== undefined && at <= this.time) found.push({ at, number, kind, act });
    };
    for (const one of this.sources) add(one.dueAt, one.number, 4, () => this.lost(one));
    return found;
  }
}

const isClosed = ({ closedAt }: Incident): boolean => closedAt !== undefined;
