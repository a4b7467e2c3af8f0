import type { KeptSchedule, ScheduleCommand } from '../../src/statemachine/beside/schedule.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import type { ModelReply } from './condition-model.ts';
import { type Due, EscalationModel } from './escalation-model.ts';

/** On-call schedules, as plainly as can be. */
export abstract class ScheduleModel extends EscalationModel {
  recordsMade = 0;
  schedules: KeptSchedule[] = [];

  userNow(id: string): string | undefined {
    const one = this.schedules.find((each) => each.id === id);
    return one?.shifts.find(({ from, until }) => this.time >= from && this.time < until)?.user;
  }

  /** Somebody is on call again: nobody has to be told any more that nobody was. */
  settleSchedule(id: string): void {
    const target = { dedupKey: `tocsin:schedule:${id}` };
    if (this.userNow(id) !== undefined && this.find(target))
      this.target({ type: 'clear', target, ...this.itself }, true);
  }

  override onCall(id: string, priority: Alert['priority']): string | undefined {
    this.settleSchedule(id);
    const user = this.userNow(id);
    if (user !== undefined) return user;
    this.raise(
      {
        type: 'raise',
        ...this.itself,
        dedupKey: `tocsin:schedule:${id}`,
        kind: 'technical',
        priority,
        condition: 'SCHEDULE:NOBODY',
        text: `Nobody is on call by the schedule ${id}`,
        subject: {},
        latching: false,
        acknowledgementRequired: false,
      },
      true,
    );
    return undefined;
  }

  schedule(command: ScheduleCommand): ModelReply {
    const { id } = command;
    const before = this.schedules.find((each) => each.id === id);
    if (command.type === 'remove-schedule') {
      if (!before) return { ok: false, code: 'RECORD_NOT_FOUND' };
      this.schedules = this.schedules.filter((each) => each !== before);
      this.quiet(`tocsin:schedule-gap:${id}`);
      return { ok: true, effect: 'removed', id, version: before.version };
    }
    const { expectedVersion, from, until, shifts } = command;
    if (expectedVersion !== undefined && expectedVersion !== (before?.version ?? 0))
      return { ok: false, code: 'REVISION_MISMATCH' };
    const instants = [from, ...shifts.flatMap((one) => [one.from, one.until]), until];
    const isRising = instants.every((at, place) => place === 0 || at >= (instants[place - 1] ?? 0));
    if (!isRising || from === until || shifts.some((one) => one.from === one.until))
      return { ok: false, code: 'BAD_REQUEST' };
    const rules = command.type === 'set-schedule' ? command : before;
    if (!rules) return { ok: false, code: 'RECORD_NOT_FOUND' };
    this.recordsMade += 1;
    const { timeZone, layers, overrides } = rules;
    const after: KeptSchedule = {
      id,
      version: this.recordsMade,
      timeZone,
      layers,
      overrides,
      from,
      until,
      shifts,
      by: command.actor,
      changedAt: this.now,
      lookAt: undefined,
    };
    this.schedules = before
      ? this.schedules.map((each) => (each === before ? after : each))
      : [...this.schedules, after];
    this.settleSchedule(id);
    this.look(after);
    return { ok: true, effect: 'kept', id, version: after.version };
  }

  private quiet(dedupKey: string): void {
    const target = { dedupKey };
    if (this.find(target)) this.target({ type: 'clear', target, ...this.itself }, true);
  }

  /** The first instant from now on at which nobody is on call, and the one at which somebody is again. */
  private gap({ from, until, shifts }: KeptSchedule): [number, number | undefined] {
    const isCovered = (at: number) => shifts.some((one) => one.from <= at && at < one.until);
    const ends = shifts.map((one) => one.until).filter((end) => end > this.time);
    const start = Math.max(from, this.time);
    const begins = [start, ...ends].filter((at) => at >= start && !isCovered(at));
    const first = Math.min(...begins, Math.max(until, this.time));
    const next = shifts.map((one) => one.from).filter((at) => at > first);
    return [first, next.length === 0 ? undefined : Math.min(...next)];
  }

  private look(schedule: KeptSchedule): void {
    const [from, until] = this.gap(schedule);
    const announced = Math.max(0, from - 86_400_000);
    const isNear = announced <= this.time;
    const lookAt = (isNear ? until : announced) as KeptSchedule['lookAt'];
    const { id, version } = schedule;
    this.schedules = this.schedules.map((one) =>
      one.version === version ? { ...one, lookAt } : one,
    );
    if (!isNear) {
      this.quiet(`tocsin:schedule-gap:${id}`);
      return;
    }
    const when = from <= this.time ? 'now' : `in ${minutes(from - this.time)}`;
    const howLong =
      until === undefined ? '' : `, for ${minutes(until - Math.max(from, this.time))}`;
    this.say({
      dedupKey: `tocsin:schedule-gap:${id}`,
      priority: 'medium',
      condition: 'SCHEDULE:GAP',
      text: `Nobody is on call by the schedule ${id} ${when}${howLong}`,
      subject: {},
    });
  }

  override due(): Due[] {
    const found = super.due();
    for (const one of this.schedules)
      if (one.lookAt !== undefined && one.lookAt <= this.time)
        found.push({ at: one.lookAt, number: one.version, kind: 9, act: () => this.look(one) });
    return found;
  }
}

function minutes(ms: number): string {
  const all = Math.ceil(ms / 60_000);
  const parts = [all >= 60 ? `${Math.floor(all / 60)} h` : '', all % 60 ? `${all % 60} min` : ''];
  return parts.filter((part) => part !== '').join(' ') || '0 min';
}
