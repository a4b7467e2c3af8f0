import { TocsinError } from '../base/errors.ts';
import {
  ROTATION_UNITS_MAX,
  SCHEDULE_LAYERS_MAX,
  SCHEDULE_OVERRIDES_MAX,
  SCHEDULE_RESTRICTIONS_MAX,
  SCHEDULE_USERS_MAX,
} from '../base/limits.ts';
import type { Layer, Override, Restriction, Schedule } from '../statemachine/beside/schedule.ts';
import { dayOf, isTimeZone, localTime, timeOfDay } from './local-time.ts';

/** Takes a schedule of the right shape for one that makes sense, or says what is wrong. @throws TocsinError BAD_REQUEST */
export function mustBeSensible(schedule: Schedule): void {
  const { timeZone, layers, overrides } = schedule;
  if (!isTimeZone(timeZone)) fail('timeZone', `${timeZone} is not a time zone of IANA's list`);
  if (layers.length > SCHEDULE_LAYERS_MAX) fail('layers', `at most ${SCHEDULE_LAYERS_MAX}`);
  if (overrides.length > SCHEDULE_OVERRIDES_MAX)
    fail('overrides', `at most ${SCHEDULE_OVERRIDES_MAX}`);
  for (const [at, layer] of layers.entries()) checkLayer(`layers[${at}]`, layer, timeZone);
  for (const [at, override] of overrides.entries()) checkOverride(`overrides[${at}]`, override);
}

function checkLayer(where: string, layer: Layer, timeZone: string): void {
  const { users, rotation, restrictions } = layer;
  if (users.length === 0 || users.length > SCHEDULE_USERS_MAX)
    fail(`${where}.users`, `needs 1 to ${SCHEDULE_USERS_MAX} users`);
  const { every } = rotation;
  if (!Number.isInteger(every) || every < 1 || every > ROTATION_UNITS_MAX)
    fail(`${where}.rotation.every`, `${every} is not a number from 1 to ${ROTATION_UNITS_MAX}`);
  inField(`${where}.rotation.start`, () => localTime(rotation.start, timeZone));
  if (restrictions.length > SCHEDULE_RESTRICTIONS_MAX)
    fail(`${where}.restrictions`, `at most ${SCHEDULE_RESTRICTIONS_MAX}`);
  for (const [at, restriction] of restrictions.entries())
    checkRestriction(`${where}.restrictions[${at}]`, restriction, timeZone);
}

function checkRestriction(where: string, { days, from, to }: Restriction, timeZone: string): void {
  if (days.some((day) => !Number.isInteger(day) || day < 1 || day > 7))
    fail(`${where}.days`, 'days are 1 (Monday) to 7 (Sunday)');
  const anyDay = dayOf(0, timeZone);
  inField(`${where}.from`, () => timeOfDay(anyDay, from));
  inField(`${where}.to`, () => timeOfDay(anyDay, to));
}

function checkOverride(where: string, { from, until }: Override): void {
  if (from >= until) fail(where, 'must end after it begins');
}

/** Whoever reads a time says what is wrong with it, but not where it stands. */
function inField(where: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    throw new TocsinError(error.code, `${where}: ${error.message}`, { cause: error });
  }
}

function fail(where: string, what: string): never {
  throw new TocsinError('BAD_REQUEST', `${where}: ${what}`);
}
