import { must } from '../../base/assert.ts';
import type { UnixMillis } from '../../base/ids.ts';
import { SCHEDULES_MAX } from '../../base/limits.ts';
import type { Ledger } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import type { Kept, Priority, Refusal } from '../types.ts';
import { announcedFrom, firstGap, gapText } from './gaps.ts';
import { Registry } from './registry.ts';
import type { Coverage, KeptSchedule, Schedule, ScheduleCommand } from './schedule.ts';

/** The dedup key of the technical alert that says that nobody was on call. */
export const nobodyKey = (schedule: string): string => `tocsin:schedule:${schedule}`;

/** The dedup key of the one that says that nobody will be. */
export const gapKey = (schedule: string): string => `tocsin:schedule-gap:${schedule}`;

/** On-call schedules, and who is on call by them. */
export class Schedules {
  readonly #ledger: Ledger;
  /** Versions are counted over all of them, and so can be timers' numbers. */
  readonly #byVersion = new Map<number, string>();
  readonly registry: Registry<KeptSchedule>;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.registry = new Registry<KeptSchedule>(SCHEDULES_MAX, 1, () => true);
  }

  execute(command: ScheduleCommand): Kept | Refusal {
    const { id } = command;
    const before = this.registry.get(id);
    const refusal = this.#findRefusal(command, before);
    if (refusal !== undefined) return refusal;
    if (command.type === 'set-schedule') return this.#put(command, command);
    if (before === undefined) return refuse('RECORD_NOT_FOUND', `there is no schedule ${id}`);
    if (command.type === 'extend-schedule') return this.#put(before, command);
    this.#unlook(before);
    this.registry.remove(id);
    this.#ledger.foldRecord({ removed: before });
    this.#ledger.settleOwn(gapKey(id));
    return { ok: true, effect: 'removed', id, version: before.version };
  }

  /** It is time to look ahead. */
  expire(version: number): void {
    const schedule = this.registry.get(this.#byVersion.get(version) ?? '');
    this.#look(must(schedule, 'the schedule of version % is due and gone', version));
  }

  /** Takes in a schedule of a snapshot. */
  restore(schedule: KeptSchedule): void {
    this.registry.put(schedule);
    if (schedule.lookAt === undefined) return;
    this.#byVersion.set(schedule.version, schedule.id);
    this.#ledger.timers.set('schedule', schedule.version, schedule.lookAt);
  }

  /** Who is on call now. When it is nobody, or there is no such schedule, an alert says so, which is as grave as what was to be told. */
  onCall(id: string, priority: Priority): string | undefined {
    const user = userAt(this.registry.get(id), this.#ledger.time);
    const text = `Nobody is on call by the schedule ${id}`;
    if (user === undefined) this.#say(nobodyKey(id), priority, 'SCHEDULE:NOBODY', text);
    else this.#ledger.settleOwn(nobodyKey(id));
    return user;
  }

  /** Says in time that nobody will be on call; looks again when that is over, or when the next gap comes near. */
  #look(schedule: KeptSchedule): void {
    const { time } = this.#ledger;
    const { id } = schedule;
    const gap = firstGap(schedule, time);
    const isNear = announcedFrom(gap) <= time;
    this.#keep({ ...schedule, lookAt: isNear ? gap.until : announcedFrom(gap) });
    if (isNear) this.#say(gapKey(id), 'medium', 'SCHEDULE:GAP', gapText(id, gap, time));
    else this.#ledger.settleOwn(gapKey(id));
  }

  #keep(after: KeptSchedule): void {
    const { id, version, lookAt } = after;
    this.#ledger.timers.change('schedule', version, this.#lookOf(version), lookAt);
    if (lookAt === undefined) this.#byVersion.delete(version);
    else this.#byVersion.set(version, id);
    this.registry.put(after);
    this.#ledger.foldRecord(after);
  }

  #lookOf(version: number): UnixMillis | undefined {
    return this.registry.get(this.#byVersion.get(version) ?? '')?.lookAt;
  }

  /** What was worked out is worth nothing any more. */
  #unlook({ version, lookAt }: KeptSchedule): void {
    this.#ledger.timers.change('schedule', version, lookAt, undefined);
    this.#byVersion.delete(version);
  }

  #findRefusal(command: ScheduleCommand, before: KeptSchedule | undefined): Refusal | undefined {
    const { id } = command;
    if (command.type === 'remove-schedule') return undefined;
    const at = before?.version ?? 0;
    const { expectedVersion: expected } = command;
    if (expected !== undefined && expected !== at)
      return refuse('REVISION_MISMATCH', `schedule ${id} is at version ${at}, not ${expected}`);
    if (!isInOrder(command))
      return refuse('BAD_REQUEST', `the shifts of ${id} are not in order, or not between its ends`);
    if (before !== undefined || !this.registry.isFull) return undefined;
    return refuse('OVER_LIMIT', `there are ${this.registry.liveCount} schedules already`);
  }

  #put(schedule: Schedule, command: Said): Kept {
    const { timeZone, layers, overrides } = schedule;
    const { id, from, until, shifts } = command;
    const after: KeptSchedule = {
      id,
      // Counted over all of them: one that comes back after it was removed is another.
      version: this.#ledger.nextNumber(),
      timeZone,
      layers,
      overrides,
      from,
      until,
      shifts,
      by: command.actor,
      changedAt: this.#ledger.time,
      lookAt: undefined,
    };
    const before = this.registry.get(id);
    if (before !== undefined) this.#unlook(before);
    if (userAt(after, this.#ledger.time) !== undefined) this.#ledger.settleOwn(nobodyKey(id));
    this.#look(after);
    return { ok: true, effect: 'kept', id, version: after.version };
  }

  #say(dedupKey: string, priority: Priority, condition: string, text: string): void {
    this.#ledger.condition(
      {
        type: 'raise',
        ...this.#ledger.system,
        dedupKey,
        kind: 'technical',
        priority,
        condition,
        text,
        subject: {},
        latching: false,
        acknowledgementRequired: false,
      },
      'machine',
    );
  }
}

function userAt(schedule: Coverage | undefined, time: UnixMillis): string | undefined {
  const shifts = schedule?.shifts ?? [];
  return shifts.find(({ from, until }) => from <= time && time < until)?.user;
}

type Said = Coverage & { readonly id: string; readonly actor: string };

/** Shifts that do not overlap, one after another, within the time they are worked out for. */
function isInOrder({ from, until, shifts }: Coverage): boolean {
  let end: number = from;
  for (const shift of shifts) {
    if (shift.from < end || shift.until <= shift.from) return false;
    end = shift.until;
  }
  return end <= until && from < until;
}
