import {
  ROTATION_UNITS_MAX,
  SCHEDULE_LAYERS_MAX,
  SCHEDULE_OVERRIDES_MAX,
  SCHEDULE_RESTRICTIONS_MAX,
  SCHEDULE_SHIFTS_MAX,
  SCHEDULE_USERS_MAX,
} from '../../base/limits.ts';
import type {
  Coverage,
  KeptSchedule,
  Layer,
  Override,
  Restriction,
  Rotation,
  Schedule,
  Shift,
} from '../../statemachine/beside/schedule.ts';
import {
  type Check,
  count,
  instant,
  listOf,
  must,
  name,
  ofShape,
  oneOf,
  orUndefined,
  type Shape,
  whole,
} from '../commands/shape.ts';

/** On-call schedules, by description. Whether local times and time zones make sense is seen by whoever works out the shifts. */

const LOCAL_TIME: Check<string> = name;
const UNITS: readonly Rotation['unit'][] = ['hour', 'day', 'week'];

const rotation: Check<Rotation> = ofShape<Rotation>({
  start: must(LOCAL_TIME),
  every: must(whole(1, ROTATION_UNITS_MAX)),
  unit: must(oneOf(UNITS)),
});

const restriction: Check<Restriction> = ofShape<Restriction>({
  days: must(listOf(whole(1, 7), 0, 7)),
  from: must(LOCAL_TIME),
  to: must(LOCAL_TIME),
});

const layer: Check<Layer> = ofShape<Layer>({
  name: must(name),
  users: must(listOf(name, 1, SCHEDULE_USERS_MAX)),
  rotation: must(rotation),
  restrictions: must(listOf(restriction, 0, SCHEDULE_RESTRICTIONS_MAX)),
});

const span = { user: must(name), from: must(instant), until: must(instant) };

export const scheduleShape: Shape<Schedule> = {
  timeZone: must(name),
  layers: must(listOf(layer, 0, SCHEDULE_LAYERS_MAX)),
  overrides: must(listOf(ofShape<Override>(span), 0, SCHEDULE_OVERRIDES_MAX)),
};

const scheduleOf: Check<Schedule> = ofShape<Schedule>(scheduleShape);

/** The rules of a schedule, as far as their form goes. @throws TocsinError BAD_REQUEST naming the field */
export const parseSchedule = (value: unknown): Schedule => scheduleOf('request', 'schedule', value);

export const coverageShape: Shape<Coverage> = {
  from: must(instant),
  until: must(instant),
  shifts: must(listOf(ofShape<Shift>(span), 0, SCHEDULE_SHIFTS_MAX)),
};

export const schedule: Check<KeptSchedule> = ofShape<KeptSchedule>({
  id: must(name),
  version: must(count),
  ...scheduleShape,
  ...coverageShape,
  by: must(name),
  changedAt: must(instant),
  lookAt: orUndefined(instant),
});
