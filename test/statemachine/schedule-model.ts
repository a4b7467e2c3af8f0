import type { KeptSchedule, ScheduleCommand } from '../../src/statemachine/beside/schedule.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import type { ModelReply } from './condition-model.ts';
import { EscalationModel } from './escalation-model.ts';

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
    };
    this.schedules = before
      ? this.schedules.map((each) => (each === before ? after : each))
      : [...this.schedules, after];
    this.settleSchedule(id);
    return { ok: true, effect: 'kept', id, version: after.version };
  }
}
