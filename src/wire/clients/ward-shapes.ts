import { PLACE_CHARS_MAX } from '../../base/limits.ts';
import type { Bed, Device, Patient, Place, Sweep } from '../../statemachine/beside/ward.ts';
import { refuse } from '../check.ts';
import {
  type Check,
  count,
  instant,
  may,
  must,
  name,
  ofShape,
  oneOf,
  orUndefined,
  prose,
  type Shape,
} from '../commands/shape.ts';

/** Beds, patients and devices, by description. */

/** A unit or a bed: what stands before and after the slash in the id of a bed. */
const part: Check<string> = (origin, field, value) => {
  const text = name(origin, field, value);
  if (text.length > PLACE_CHARS_MAX)
    refuse(origin, field, `is above ${PLACE_CHARS_MAX} characters`);
  if (text.includes('/')) refuse(origin, field, 'must not hold a slash');
  return text;
};

export const placeShape: Shape<Place> = { unit: must(part), bed: must(part) };

const place: Check<Place> = ofShape<Place>(placeShape);

export const bed: Check<Bed> = ofShape<Bed>({
  id: must(name),
  version: must(count),
  ...placeShape,
  patient: orUndefined(name),
  changedAt: must(instant),
});

const SWEEPS: readonly Sweep['does'][] = ['transfer', 'discharge'];

const sweep: Check<Sweep> = ofShape<Sweep>({
  does: must(oneOf(SWEEPS)),
  done: must(count),
  until: must(count),
  by: must(name),
  reason: may(prose),
  policy: may(name),
  dueAt: must(instant),
});

export const patient: Check<Patient> = ofShape<Patient>({
  id: must(name),
  version: must(count),
  number: must(count),
  place: orUndefined(place),
  admittedAt: must(instant),
  movedAt: must(instant),
  dischargedAt: orUndefined(instant),
  sweep: orUndefined(sweep),
});

export const device: Check<Device> = ofShape<Device>({
  id: must(name),
  version: must(count),
  model: orUndefined(name),
  place: orUndefined(place),
  changedAt: must(instant),
});
