import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { millis } from '../base/ids.ts';
import { SCHEDULE_LOOK_MS, SCHEDULES_MAX } from '../base/limits.ts';
import { extensionOf } from '../oncall/coverage.ts';
import type { ExtendScheduleCommand, KeptSchedule } from '../statemachine/beside/schedule.ts';
import { takesRoom, urgencyOf } from '../wire/commands/admission.ts';
import { encodeCommand, keyFromText } from '../wire/commands/commands.ts';
import type { NotifiedReplica } from './notifier.ts';

export interface RotaParts {
  readonly clock: Clock;
  readonly replica: NotifiedReplica;
  readonly log: (line: string) => void;
}

const ACTOR = 'tocsin';

/** Works out the shifts of on-call schedules further ahead while its replica leads, long before those in the log end. */
export class Rota {
  readonly #parts: RotaParts;
  /** By schedule and version: what was told of it, once. */
  readonly #complaints = new Map<string, string>();
  #timer: Timer | undefined;

  constructor(parts: RotaParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = this.#parts.clock.every(millis(SCHEDULE_LOOK_MS), () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { standing, problem, machine } = this.#parts.replica;
    if (standing.role !== 'leader' || problem !== undefined) return;
    for (const schedule of machine.records('schedule', 0, SCHEDULES_MAX).records)
      this.#extend(schedule);
  }

  #extend(schedule: KeptSchedule): void {
    const { clock, replica } = this.#parts;
    const { id, version } = schedule;
    try {
      const more = extensionOf(schedule, replica.machine.time);
      if (more === undefined) return;
      const command: ExtendScheduleCommand = {
        type: 'extend-schedule',
        actor: ACTOR,
        observedAt: clock.wall(),
        id,
        expectedVersion: version,
        ...more,
      };
      replica.propose({
        commands: encodeCommand(command, keyFromText(`${ACTOR} extend ${id} ${version}`)),
        count: 1,
        urgency: urgencyOf(command),
        takesRoom: takesRoom(command),
        deadline: millis(clock.monotonic() + SCHEDULE_LOOK_MS),
        settle: (result) => {
          if (result instanceof TocsinError) this.#complain(schedule, result);
        },
      });
    } catch (error) {
      // Time zone data that are older than the schedule, for example: another leader may know better.
      if (!TocsinError.is(error)) throw error;
      this.#complain(schedule, error);
    }
  }

  #complain({ id, version }: KeptSchedule, { code, message }: TocsinError): void {
    const complaint = `${version} ${code}`;
    if (this.#complaints.get(id) === complaint) return;
    this.#complaints.set(id, complaint);
    this.#parts.log(`the shifts of schedule ${id} could not be extended: ${code}: ${message}`);
  }
}
