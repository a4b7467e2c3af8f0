import { BEDS_MAX, DEVICES_MAX, PATIENTS_MAX } from '../../base/limits.ts';
import { findNoPolicy, refuse } from '../refusals.ts';
import type { Refusal } from '../types.ts';
import type { Policies } from './policies.ts';
import type {
  AdmitCommand,
  AttachCommand,
  Bed,
  Device,
  LeaveCommand,
  MoveCommand,
  Patient,
  Place,
  WardCommand,
} from './ward.ts';

/** Records of one kind, as a guard looks at them. */
export interface Shelf<T> {
  get(id: string): T | undefined;
  /** How many more fit in. */
  readonly room: number;
}

/** Who is where: now, or as it would be when some commands were done. */
export interface WardView {
  readonly beds: Shelf<Bed>;
  readonly patients: Shelf<Patient>;
  readonly devices: Shelf<Device>;
  /** How many devices are at a bed. */
  devicesAt(place: Place): number;
}

/** What else decides. */
export interface WardContext {
  readonly policies: Pick<Policies, 'get'>;
  /** Why a patient may not be discharged without a reason. */
  readonly findLoud: (patient: string) => Refusal | undefined;
  /** Patients who leave their beds together with what is asked: their beds count as empty. */
  readonly leaving: ReadonlySet<string>;
}

export const idOf = ({ unit, bed }: Place): string => `${unit}/${bed}`;
export const isSame = (a: Place | undefined, b: Place): boolean =>
  a?.unit === b.unit && a.bed === b.bed;

/** Why a command about beds, patients and devices is not done. Once this finds nothing, it is. */
export function findWardRefusal(
  command: WardCommand,
  view: WardView,
  context: WardContext,
): Refusal | undefined {
  switch (command.type) {
    case 'set-bed': {
      const isNew = view.beds.get(idOf(command)) === undefined;
      return isNew && view.beds.room <= 0 ? full('beds', BEDS_MAX) : undefined;
    }
    case 'remove-bed':
      return findUse(command, view);
    case 'admit-patient':
      return findNotAdmitted(command, view, context);
    case 'move-patient':
      return findNotMoved(command, view, context);
    case 'discharge-patient':
      return findNotDischarged(command, view, context);
    case 'attach-device':
      return findNotAttached(command, view);
    case 'detach-device':
      return view.devices.get(command.device) === undefined ? noDevice(command.device) : undefined;
    case 'remove-device': {
      const device = view.devices.get(command.device);
      return device === undefined ? noDevice(command.device) : findPlace(device);
    }
  }
}

function findUse(place: Place, view: WardView): Refusal | undefined {
  const bed = view.beds.get(idOf(place));
  if (bed === undefined) return noBed(place);
  if (bed.patient !== undefined) return refuse('CONFLICT', `${bed.patient} is in ${bed.id}`);
  const devices = view.devicesAt(place);
  return devices === 0 ? undefined : refuse('CONFLICT', `devices at ${bed.id}: ${devices}`);
}

function findNotAdmitted(
  { patient: id, unit, bed }: AdmitCommand,
  view: WardView,
  { leaving }: WardContext,
): Refusal | undefined {
  const before = view.patients.get(id);
  if (before?.place !== undefined)
    return refuse('CONFLICT', `${id} is in ${idOf(before.place)} already`);
  if (before?.sweep !== undefined)
    return refuse('CONFLICT', `alerts of ${id} are still being discharged`);
  const refusal = findNoRoom({ unit, bed }, view, leaving);
  if (refusal !== undefined) return refusal;
  return view.patients.room <= 0 ? full('patients', PATIENTS_MAX) : undefined;
}

function findNotMoved(
  { patient: id, unit, bed, devices, policy }: MoveCommand,
  view: WardView,
  { policies, leaving }: WardContext,
): Refusal | undefined {
  const refusal = findAbsence(id, view);
  if (refusal !== undefined) return refusal;
  if (isSame(view.patients.get(id)?.place, { unit, bed })) return undefined;
  const unknown = devices.find((device) => view.devices.get(device) === undefined);
  if (unknown !== undefined) return noDevice(unknown);
  return findNoPolicy(policy, policies) ?? findNoRoom({ unit, bed }, view, leaving);
}

function findNotDischarged(
  { patient, reason }: LeaveCommand,
  view: WardView,
  { findLoud }: WardContext,
): Refusal | undefined {
  return findAbsence(patient, view) ?? (reason === undefined ? findLoud(patient) : undefined);
}

function findNotAttached(
  { device: id, unit, bed }: AttachCommand,
  { beds, devices }: WardView,
): Refusal | undefined {
  const place = { unit, bed };
  if (beds.get(idOf(place)) === undefined) return noBed(place);
  const before = devices.get(id);
  if (before === undefined) return devices.room <= 0 ? full('devices', DEVICES_MAX) : undefined;
  return isSame(before.place, place) ? undefined : findPlace(before);
}

function findAbsence(id: string, { patients }: WardView): Refusal | undefined {
  const patient = patients.get(id);
  if (patient === undefined) return refuse('RECORD_NOT_FOUND', `there is no patient ${id}`);
  if (patient.place === undefined) return refuse('ALREADY_RESOLVED', `${id} was discharged`);
  if (patient.sweep === undefined) return undefined;
  return refuse('CONFLICT', `alerts of ${id} are still being moved`);
}

function findNoRoom(
  place: Place,
  { beds }: WardView,
  leaving: ReadonlySet<string>,
): Refusal | undefined {
  const bed = beds.get(idOf(place));
  if (bed === undefined) return noBed(place);
  if (bed.patient === undefined || leaving.has(bed.patient)) return undefined;
  return refuse('CONFLICT', `${bed.patient} is in ${bed.id}`);
}

function findPlace({ id, place }: Device): Refusal | undefined {
  if (place === undefined) return undefined;
  return refuse('CONFLICT', `${id} is at ${idOf(place)}: it has to be detached first`);
}

const full = (what: string, max: number): Refusal =>
  refuse('OVER_LIMIT', `there are ${max} ${what} already`);

const noBed = (place: Place): Refusal =>
  refuse('RECORD_NOT_FOUND', `there is no bed ${idOf(place)}`);

const noDevice = (id: string): Refusal => refuse('RECORD_NOT_FOUND', `there is no device ${id}`);
