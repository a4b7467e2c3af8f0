import { SCHEDULES_MAX } from '../../base/limits.ts';
import { type Ledger, SYSTEM } from '../ledger.ts';
import { refuse } from '../refusals.ts';
import type { Kept, Priority, Refusal } from '../types.ts';
import { Registry } from './registry.ts';
import type { Coverage, KeptSchedule, Schedule, ScheduleCommand } from './schedule.ts';

/** The dedup key of the technical alert that says that nobody was on call. */
export const nobodyKey = (schedule: string): string => `tocsin:schedule:${schedule}`;

/** On-call schedules, and who is on call by them. */
export class Schedules {
  readonly #ledger: Ledger;
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
    this.registry.remove(id);
    this.#ledger.foldRecord({ removed: before });
    return { ok: true, effect: 'removed', id, version: before.version };
  }

  /** Who is on call now. When it is nobody, or there is no such schedule, an alert says so, which is as grave as what was to be told. */
  onCall(id: string, priority: Priority): string | undefined {
    const user = this.#userOf(id);
    if (user === undefined) this.#sayNobody(id, priority);
    else this.#saySomebody(id);
    return user;
  }

  #userOf(id: string): string | undefined {
    const { time } = this.#ledger;
    const shifts = this.registry.get(id)?.shifts ?? [];
    return shifts.find(({ from, until }) => from <= time && time < until)?.user;
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
    };
    this.registry.put(after);
    this.#ledger.foldRecord(after);
    if (this.#userOf(id) !== undefined) this.#saySomebody(id);
    return { ok: true, effect: 'kept', id, version: after.version };
  }

  #sayNobody(id: string, priority: Priority): void {
    const { time } = this.#ledger;
    this.#ledger.condition(
      {
        type: 'raise',
        actor: SYSTEM,
        observedAt: time,
        dedupKey: nobodyKey(id),
        kind: 'technical',
        priority,
        condition: 'SCHEDULE:NOBODY',
        text: `Nobody is on call by the schedule ${id}`,
        subject: {},
        latching: false,
        acknowledgementRequired: false,
      },
      'machine',
    );
  }

  #saySomebody(id: string): void {
    const target = { dedupKey: nobodyKey(id) };
    if (this.#ledger.table.find(target) === undefined) return;
    this.#ledger.condition({ type: 'clear', target, ...this.#ledger.system }, 'machine');
  }
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
