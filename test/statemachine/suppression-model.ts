import type {
  Inhibition,
  InhibitionCommand,
  KeptInhibition,
} from '../../src/statemachine/beside/inhibition.ts';
import type {
  Badges,
  MaintenanceWindow,
  Silence,
  SuppressionCommand,
} from '../../src/statemachine/beside/suppression.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import type { ModelReply } from './condition-model.ts';
import type { Due } from './escalation-model.ts';
import { WardModel } from './ward-model.ts';

const CAPS = { high: 900, medium: 3_600, low: 28_800, none: 86_400 };
type Instant = Alert['raisedAt'];

/** Which conditions explain which others of the same device, before anybody says otherwise. */
const DEFAULTS: [string, string, string][] = [
  ['ecg-off', 'ECG:LEADS_OFF ECG:INOP ECG:TEC HR:TEC', 'HR: ECG:'],
  ['spo2-off', 'SPO2:PROBE_OFF SPO2:INOP SPO2:TEC SpO2:TEC PROBE:OFF', 'SPO2: SpO2: PR: PULSE:'],
  ['resp-off', 'RESP:LEADS_OFF RESP:INOP RR:TEC RESP:TEC', 'RR: RESP:'],
  ['pressure-off', 'ART:DISCONNECTED ART:INOP ABP:TEC ART:TEC', 'ART: ABP:'],
  ['asystole', 'ECG:ASYSTOLE HR:ASYSTOLE', 'HR:LO'],
];

/** Silences, maintenance windows and inhibition (T18), as plainly as can be. */
export abstract class SuppressionModel extends WardModel {
  silences: Silence[] = [];
  windows: MaintenanceWindow[] = [];
  inhibitions: KeptInhibition[] = DEFAULTS.map(([id, sources, targets]) => ({
    id,
    version: 1,
    sources: sources.split(' '),
    targets: targets.split(' '),
    by: 'tocsin',
    changedAt: 0 as Instant,
  }));
  /** What alerts explained until now, and by which rule, in the transaction under way. */
  explained: { id: string; rule: string }[] = [];

  /** In the order of a registry: what is live stays in place, what ends goes to the end. */
  put<T extends { id: string; version: number }>(
    list: T[],
    record: T,
    isOver: (one: T) => boolean,
  ): T[] {
    const was = list.find((one) => one.id === record.id);
    const rest = list.filter((one) => one !== was);
    const stays = was && isOver(was) === isOver(record);
    const next = stays ? list.map((one) => (one === was ? record : one)) : [...rest, record];
    return [...next.filter((one) => !isOver(one)), ...next.filter(isOver)];
  }

  putSilence(one: Silence): ModelReply {
    this.silences = this.put(this.silences, one, ({ endedAt }) => endedAt !== undefined);
    return kept(one);
  }

  putWindow(one: MaintenanceWindow): ModelReply {
    this.windows = this.put(this.windows, one, ({ endedAt }) => endedAt !== undefined);
    return kept(one);
  }

  silence(command: Extract<SuppressionCommand, { type: 'silence' | 'unsilence' }>): ModelReply {
    if (command.type === 'unsilence') {
      const one = this.silences.find(({ id }) => id === command.id);
      if (!one) return { ok: false, code: 'RECORD_NOT_FOUND' };
      if (one.endedAt !== undefined) return kept(one, 'unchanged');
      const told = this.putSilence({ ...this.ended2(one, command.actor), dueAt: undefined });
      this.audible(this.silencedUntilNow(one), command);
      return told;
    }
    const { matchers, seconds, untilCleared = false, reason, actor } = command;
    const isNarrow = matchers.some(({ field }) =>
      ['alert', 'patient', 'bed', 'device'].includes(field),
    );
    if (!isNarrow) return { ok: false, code: 'TOO_BROAD' };
    this.recordsMade += 1;
    return this.putSilence({
      id: `S${this.recordsMade}`,
      version: 1,
      matchers,
      createdAt: this.now,
      revision: this.revision as Alert['revision'],
      until: this.later(seconds),
      dueAt: this.nextEnd(this.now, this.later(seconds), this.now),
      untilCleared,
      reason,
      by: actor,
      endedAt: undefined,
      endedBy: undefined,
    });
  }

  ended2<T extends Silence | MaintenanceWindow>(one: T, by: string): T {
    return { ...one, version: one.version + 1, endedAt: this.now, endedBy: by };
  }

  window(command: Extract<SuppressionCommand, { type: 'open-window' | 'end-window' }>): ModelReply {
    if (command.type === 'end-window') {
      const one = this.windows.find(({ id }) => id === command.id);
      if (!one) return { ok: false, code: 'RECORD_NOT_FOUND' };
      if (one.endedAt !== undefined) return kept(one, 'unchanged');
      const told = this.putWindow(this.ended2(one, command.actor));
      this.audible((alert) => this.isWithin(one, alert, this.lastBefore(one.endAt)), command);
      return told;
    }
    const { unit, bed, device, startAt, endAt, reason, actor } = command;
    if (!unit && !bed && !device) return { ok: false, code: 'TOO_BROAD' };
    if (endAt <= startAt || endAt <= this.time) return { ok: false, code: 'BAD_REQUEST' };
    this.recordsMade += 1;
    return this.putWindow({
      id: `M${this.recordsMade}`,
      version: 1,
      unit,
      bed,
      device,
      startAt,
      endAt,
      reason,
      by: actor,
      endedAt: undefined,
      endedBy: undefined,
    });
  }

  inhibition(command: InhibitionCommand): ModelReply {
    const place = ({ id }: KeptInhibition) => DEFAULTS.findIndex(([name]) => name === id);
    const before = this.inhibitions
      .toSorted((a, b) => place(a) - place(b))
      .map((rule) => {
        const by = this.open.filter((one) =>
          this.open.some((by) => this.explains(by, one, [rule])),
        );
        return { ...rule, ids: by.map(({ id }) => id) };
      });
    const answer = this.inhibited(command);
    const until = this.revision;
    for (const { id, sources, targets, ids } of before) {
      const now = this.inhibitions.find((one) => one.id === id);
      const isSame = `${now?.sources} ${now?.targets}` === `${sources} ${targets}`;
      if (!isSame) this.audible((one) => ids.includes(one.id) && one.revision <= until, command);
    }
    return answer;
  }

  private inhibited(command: InhibitionCommand): ModelReply {
    if (command.type === 'restore-inhibitions') return this.defaults(command.actor);
    const { id } = command;
    const before = this.inhibitions.find((one) => one.id === id);
    if (command.type === 'remove-inhibition') {
      if (!before) return { ok: false, code: 'RECORD_NOT_FOUND' };
      this.inhibitions = this.inhibitions.filter((one) => one !== before);
      return kept(before, 'removed');
    }
    const { sources, targets, expectedVersion } = command;
    if (expectedVersion !== undefined && expectedVersion !== (before?.version ?? 0))
      return { ok: false, code: 'REVISION_MISMATCH' };
    if (!targets.every((begins) => begins.indexOf(':') > 0))
      return { ok: false, code: 'TOO_BROAD' };
    return this.renewed(id, sources, targets, command.actor);
  }

  private renewed(
    id: string,
    sources: readonly string[],
    targets: readonly string[],
    by: string,
  ): ModelReply {
    const before = this.inhibitions.find((one) => one.id === id);
    const version = (before?.version ?? 0) + 1;
    const after = { id, version, sources, targets, by, changedAt: this.now };
    this.inhibitions = before
      ? this.inhibitions.map((one) => (one === before ? after : one))
      : [...this.inhibitions, after];
    return kept(after);
  }

  private defaults(by: string): ModelReply {
    const others = this.inhibitions.filter(({ id }) => !DEFAULTS.some(([name]) => name === id));
    this.inhibitions = this.inhibitions.filter((one) => !others.includes(one));
    const lacking = DEFAULTS.filter(([id, sources, targets]) => {
      const one = this.inhibitions.find((each) => each.id === id);
      return one?.sources.join(' ') !== sources || one.targets.join(' ') !== targets;
    });
    for (const [id, sources, targets] of lacking)
      this.renewed(id, sources.split(' '), targets.split(' '), by);
    const version = others.length + lacking.length;
    return { ok: true, effect: version ? 'kept' : 'unchanged', id: 'defaults', version };
  }

  override due(): Due[] {
    const found = super.due();
    const add = (at: Instant | undefined, number: number, kind: number, act: () => void) => {
      if (at !== undefined && at <= this.time) found.push({ at, number, kind, act });
    };
    for (const one of this.silences)
      if (one.endedAt === undefined)
        add(one.dueAt, Number(one.id.slice(1)), 5, () => {
          const due = one.dueAt ?? one.until;
          const later = this.nextEnd(one.createdAt, one.until, due);
          if (due === one.until)
            this.putSilence({ ...this.ended2(one, 'tocsin'), dueAt: undefined });
          else this.putSilence({ ...one, version: one.version + 1, dueAt: later });
          this.audible(this.silencedUntilNow(one), this.itself);
        });
    for (const one of this.windows)
      if (one.endedAt === undefined)
        add(one.endAt, Number(one.id.slice(1)), 6, () => {
          this.putWindow(this.ended2(one, 'tocsin'));
          this.audible(
            (alert) => this.isWithin(one, alert, this.lastBefore(one.endAt)),
            this.itself,
          );
        });
    return found;
  }

  override afterwards(before: Alert, after: Alert): void {
    for (const rule of this.inhibitions) {
      const explained = this.open.filter((one) => this.explains(before, one, [rule]));
      if (!explained.every((one) => this.explains(after, one, [rule])))
        this.explained.push(...explained.map(({ id }) => ({ id, rule: rule.id })));
    }
    if (this.together === undefined) this.unexplained();
    super.afterwards(before, after);
  }

  /** What follows from a transaction follows when all of it is done. */
  unexplained(): void {
    const until = this.revision;
    const explained = this.explained.splice(0);
    for (const { id: rule } of this.inhibitions) {
      const ids = explained.filter((one) => one.rule === rule).map(({ id }) => id);
      this.audible((one) => ids.includes(one.id) && one.revision <= until, this.itself);
    }
  }

  /** T18: of the alerts that could not be heard, those that now can. */
  audible(couldNot: (alert: Alert) => boolean, asked: Parameters<this['record']>[0]): void {
    const until = this.open
      .filter(couldNot)
      .toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
    for (const { id } of until) {
      const alert = this.find({ id });
      if (!alert || alert.acknowledged || alert.pausedUntil !== undefined) continue;
      const isMuted =
        this.silences.some((one) => this.silencedUntilNow(one)(alert)) ||
        this.windows.some((one) => this.isWithin(one, alert, this.lastBefore(one.endAt))) ||
        this.open.some((other) => this.explains(other, alert));
      if (!isMuted) this.record(asked, 'audible', { ...alert });
    }
  }

  /** When the silence next ends for alerts of some priority. */
  nextEnd(createdAt: number, until: number, after: number): Instant {
    const ends = Object.values(CAPS).map((seconds) => createdAt + seconds * 1_000);
    return Math.min(until, ...ends.filter((end) => end > after)) as Instant;
  }

  /** What is due and was not carried out still counts. */
  lastBefore(dueAt: number | undefined): number {
    return dueAt === undefined ? this.time : Math.min(this.time, dueAt - 1);
  }

  silencedUntilNow(one: Silence): (alert: Alert) => boolean {
    return (alert) => this.isSilenced(one, alert, this.lastBefore(one.dueAt));
  }

  isSilenced(one: Silence, alert: Alert, time: number): boolean {
    const values: Record<string, string | undefined> = {
      ...alert.subject,
      alert: alert.id,
      condition: alert.condition,
      kind: alert.kind,
      priority: alert.priority,
    };
    return (
      one.endedAt === undefined &&
      time < Math.min(one.until, one.createdAt + CAPS[alert.priority] * 1_000) &&
      one.revision >= alert.activatedAt &&
      (alert.presence === 'present' || !one.untilCleared) &&
      one.matchers.every((each) => each.values.some((value) => value === values[each.field]))
    );
  }

  isWithin(one: MaintenanceWindow, alert: Alert, time: number): boolean {
    return (
      one.endedAt === undefined &&
      one.startAt <= time &&
      time < one.endAt &&
      (['unit', 'bed', 'device'] as const).every(
        (field) => one[field] === undefined || one[field] === alert.subject[field],
      )
    );
  }

  explains(other: Alert, alert: Alert, rules: Inhibition[] = this.inhibitions): boolean {
    return (
      alert.kind === 'physiological' &&
      alert.subject.device !== undefined &&
      other.subject.device === alert.subject.device &&
      other.presence === 'present' &&
      !other.resolution &&
      other.staleSince === undefined &&
      other.id !== alert.id &&
      rules.some(
        ({ sources, targets }) =>
          sources.includes(other.condition) &&
          !sources.includes(alert.condition) &&
          targets.some((begins) => alert.condition.indexOf(begins) === 0),
      )
    );
  }

  /** What an alert should be marked with. */
  badges(alert: Alert): Badges | undefined {
    const silencedBy = this.silences.filter((one) => this.isSilenced(one, alert, this.time));
    const maintenanceBy = this.windows.filter((one) => this.isWithin(one, alert, this.time));
    const inhibitedBy = this.open.filter((other) => this.explains(other, alert));
    if (silencedBy.length + maintenanceBy.length + inhibitedBy.length === 0) return undefined;
    const ids = <T extends { id: string }>(list: T[]): T['id'][] => list.map(({ id }) => id);
    return {
      silencedBy: ids(silencedBy),
      inhibitedBy: ids(
        inhibitedBy.toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1))),
      ),
      maintenanceBy: ids(maintenanceBy),
    };
  }
}

export const kept = (
  { id, version }: { id: string; version: number },
  effect: 'kept' | 'unchanged' | 'removed' = 'kept',
): ModelReply => ({ ok: true, effect, id, version });
