import { unixMillis } from '../../base/ids.ts';
import {
  BEDS_MAX,
  DEVICES_MAX,
  PATIENTS_MAX,
  PATIENTS_OVER_MAX,
  STALE_PER_ENTRY_MAX,
} from '../../base/limits.ts';
import { idNumber } from '../alerts/alert-table.ts';
import { ended, moved } from '../alerts/care-records.ts';
import type { Ledger } from '../ledger.ts';
import { findNoPolicy, isOwnKey, refuse } from '../refusals.ts';
import type { Alert, Asked, Kept, Refusal, Resolution, Subject } from '../types.ts';
import { Registry } from './registry.ts';
import type {
  AdmitCommand,
  AttachCommand,
  Bed,
  Device,
  LeaveCommand,
  MoveCommand,
  Patient,
  Place,
  Sweep,
  WardCommand,
} from './ward.ts';

const idOf = ({ unit, bed }: Place): string => `${unit}/${bed}`;
const isSame = (a: Place | undefined, b: Place): boolean => a?.unit === b.unit && a.bed === b.bed;

/** Beds, patients and devices, and what becomes of open alerts when people and things are moved (T24, T25). */
export class WardBook {
  readonly #ledger: Ledger;
  readonly beds: Registry<Bed>;
  readonly patients: Registry<Patient>;
  readonly devices: Registry<Device>;
  readonly #byNumber = new Map<number, string>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.beds = new Registry<Bed>(BEDS_MAX, 1, () => true);
    this.patients = new Registry<Patient>(
      PATIENTS_MAX,
      PATIENTS_OVER_MAX,
      ({ place, sweep }) => place !== undefined || sweep !== undefined,
    );
    this.devices = new Registry<Device>(DEVICES_MAX, 1, () => true);
    ledger.placed = (subject) => this.#placed(subject);
  }

  execute(command: WardCommand): Kept | Refusal {
    switch (command.type) {
      case 'set-bed':
        return this.#setBed(command);
      case 'remove-bed':
        return this.#removeBed(command);
      case 'admit-patient':
        return this.#admit(command);
      case 'move-patient':
        return this.#move(command);
      case 'discharge-patient':
        return this.#discharge(command);
      case 'attach-device':
        return this.#attach(command);
      case 'detach-device':
        return this.#detach(command.device, command);
      case 'remove-device':
        return this.#removeDevice(command.device);
    }
  }

  /** There are alerts left that have to follow their patient. */
  expire(number: number): void {
    const patient = this.patients.get(this.#byNumber.get(number) ?? '');
    if (patient !== undefined) this.#sweep(patient);
  }

  /** Takes in a patient of a snapshot. */
  restorePatient(patient: Patient): void {
    this.patients.put(patient);
    if (patient.sweep === undefined) return;
    this.#byNumber.set(patient.number, patient.id);
    this.#ledger.timers.set('patient', patient.number, patient.sweep.dueAt);
  }

  /** What an alert is about that names a device and not where it is: the bed that the device is at, and who is in it. */
  #placed(subject: Subject): Subject {
    const { device, unit, bed, patient } = subject;
    if (device === undefined || unit !== undefined || bed !== undefined || patient !== undefined)
      return subject;
    const place = this.devices.get(device)?.place;
    if (place === undefined) return subject;
    const inIt = this.beds.get(idOf(place))?.patient;
    return { ...place, ...(inIt === undefined ? {} : { patient: inIt }), device };
  }

  #setBed({ unit, bed }: Place): Kept | Refusal {
    const id = idOf({ unit, bed });
    const before = this.beds.get(id);
    if (before !== undefined) return { ok: true, effect: 'unchanged', id, version: before.version };
    if (this.beds.isFull) return refuse('OVER_LIMIT', `there are ${BEDS_MAX} beds already`);
    return this.#putBed({ unit, bed }, undefined);
  }

  #removeBed(place: Place): Kept | Refusal {
    const bed = this.beds.get(idOf(place));
    if (bed === undefined) return noBed(place);
    if (bed.patient !== undefined) return refuse('CONFLICT', `${bed.patient} is in ${bed.id}`);
    for (const { id, place: at } of this.devices.liveOnes())
      if (isSame(at, place)) return refuse('CONFLICT', `${id} is at ${bed.id}`);
    this.beds.remove(bed.id);
    return this.#removed(bed);
  }

  #admit({ patient: id, unit, bed }: AdmitCommand): Kept | Refusal {
    const place = { unit, bed };
    const before = this.patients.get(id);
    if (before?.place !== undefined)
      return refuse('CONFLICT', `${id} is in ${idOf(before.place)} already`);
    if (before?.sweep !== undefined)
      return refuse('CONFLICT', `alerts of ${id} are still being discharged`);
    const refusal = this.#findNoRoom(place);
    if (refusal !== undefined) return refusal;
    if (this.patients.isFull)
      return refuse('OVER_LIMIT', `there are ${PATIENTS_MAX} patients already`);
    const { time } = this.#ledger;
    this.#putBed(place, id);
    return this.#putPatient({
      id,
      version: (before?.version ?? 0) + 1,
      number: before?.number ?? this.#ledger.nextNumber(),
      place,
      admittedAt: time,
      movedAt: time,
      dischargedAt: undefined,
      sweep: undefined,
    });
  }

  #move(command: MoveCommand): Kept | Refusal {
    const { patient: id, unit, bed, devices, policy } = command;
    const place = { unit, bed };
    const patient = this.#present(id);
    if ('code' in patient) return patient;
    if (isSame(patient.place, place))
      return { ok: true, effect: 'unchanged', id, version: patient.version };
    const unknown = devices.find((device) => this.devices.get(device) === undefined);
    if (unknown !== undefined) return noDevice(unknown);
    const refusal = findNoPolicy(policy, this.#ledger.policies) ?? this.#findNoRoom(place);
    if (refusal !== undefined) return refusal;
    for (const device of devices) this.#putDevice(device, place, undefined);
    this.#putBed(patient.place, undefined);
    this.#putBed(place, id);
    const { time: movedAt } = this.#ledger;
    const sweep = this.#newSweep('transfer', command);
    return this.#sweep({ ...patient, version: patient.version + 1, place, movedAt, sweep });
  }

  #discharge(command: LeaveCommand): Kept | Refusal {
    const { patient: id, reason } = command;
    const patient = this.#present(id);
    if ('code' in patient) return patient;
    const loud = reason === undefined ? this.#findLoud(id) : undefined;
    if (loud !== undefined) return loud;
    this.#putBed(patient.place, undefined);
    const { time: dischargedAt } = this.#ledger;
    const sweep = this.#newSweep('discharge', command);
    const version = patient.version + 1;
    return this.#sweep({ ...patient, version, place: undefined, dischargedAt, sweep });
  }

  #attach({ device: id, unit, bed, model }: AttachCommand): Kept | Refusal {
    const place = { unit, bed };
    if (this.beds.get(idOf(place)) === undefined) return noBed(place);
    const before = this.devices.get(id);
    if (before?.place !== undefined && !isSame(before.place, place))
      return refuse('CONFLICT', `${id} is at ${idOf(before.place)}: it has to be detached first`);
    if (before === undefined && this.devices.isFull)
      return refuse('OVER_LIMIT', `there are ${DEVICES_MAX} devices already`);
    return this.#putDevice(id, place, model);
  }

  #detach(id: string, asked: Asked): Kept | Refusal {
    const device = this.devices.get(id);
    if (device === undefined) return noDevice(id);
    if (device.place === undefined)
      return { ok: true, effect: 'unchanged', id, version: device.version };
    const kept = this.#putDevice(id, undefined, undefined);
    const measured = this.#ledger.subjects
      .openOf('device', id)
      .filter(isFresh)
      .slice(0, STALE_PER_ENTRY_MAX);
    for (const alert of measured) this.#lose(alert, asked);
    return kept;
  }

  #removeDevice(id: string): Kept | Refusal {
    const device = this.devices.get(id);
    if (device === undefined) return noDevice(id);
    if (device.place !== undefined)
      return refuse('CONFLICT', `${id} is at ${idOf(device.place)}: it has to be detached first`);
    this.devices.remove(id);
    return this.#removed(device);
  }

  #newSweep(
    does: Sweep['does'],
    { actor: by, reason, policy }: Asked & Pick<Sweep, 'reason' | 'policy'>,
  ): Sweep {
    const { revision: until, time } = this.#ledger;
    const why = reason === undefined ? {} : { reason };
    const how = policy === undefined ? {} : { policy };
    return { does, done: 0, until, by, ...why, ...how, dueAt: unixMillis(time + 1) };
  }

  /** Takes a patient's open alerts along, a bounded number at a time; whatever is left is due at the next entry. */
  #sweep(patient: Patient): Kept {
    const { sweep } = patient;
    if (sweep === undefined) return this.#putPatient(patient);
    const all = this.#openOf(patient.id).filter((alert) => isWithin(alert, sweep));
    const found = all.slice(0, STALE_PER_ENTRY_MAX);
    for (const alert of found) this.#follow(alert, patient, sweep);
    if (found.length === all.length) return this.#putPatient({ ...patient, sweep: undefined });
    const last = found.at(-1);
    const done = last === undefined ? sweep.until : numberOf(last);
    const left = { ...sweep, done, dueAt: unixMillis(this.#ledger.time + 1) };
    return this.#putPatient({ ...patient, sweep: left });
  }

  /** A patient's open alerts, those of the machine itself aside. */
  #openOf(patient: string): Alert[] {
    const open = this.#ledger.subjects.openOf('patient', patient);
    return open.filter(({ dedupKey }) => !isOwnKey(dedupKey));
  }

  #follow(alert: Alert, { place }: Patient, { does, by, reason, policy }: Sweep): void {
    const ledger = this.#ledger;
    const asked = { actor: by, observedAt: ledger.time };
    if (does === 'transfer') {
      if (place === undefined) return;
      const named = policy === undefined ? undefined : ledger.policies.get(policy);
      ledger.care(alert, 'transfer', moved(alert, place, named, ledger.time), asked);
      const device = this.devices.get(alert.subject.device ?? '');
      const isLeft = device !== undefined && !isSame(device.place, place);
      const now = ledger.table.find({ id: alert.id });
      if (isLeft && now !== undefined && isFresh(now)) this.#lose(now, asked);
      return;
    }
    // One that grew loud meanwhile, or that the first look did not come to, is not ended without a reason.
    if (reason === undefined && isLoud(alert)) return;
    const resolution: Resolution = { how: 'discharged', by, at: ledger.time };
    const why = reason === undefined ? resolution : { ...resolution, reason };
    ledger.care(alert, 'discharge', ended(alert, why), asked);
  }

  #lose(alert: Alert, asked: Asked): void {
    this.#ledger.care(alert, 'lose', { staleSince: this.#ledger.time }, asked);
  }

  #findLoud(patient: string): Refusal | undefined {
    const loud = this.#openOf(patient).find(isLoud);
    if (loud === undefined) return undefined;
    return refuse(
      'CONFIRMATION_REQUIRED',
      `${loud.id} is high and not acknowledged: discharging ${patient} needs a reason`,
    );
  }

  #present(id: string): Patient | Refusal {
    const patient = this.patients.get(id);
    if (patient === undefined) return refuse('RECORD_NOT_FOUND', `there is no patient ${id}`);
    if (patient.place === undefined) return refuse('ALREADY_RESOLVED', `${id} was discharged`);
    if (patient.sweep === undefined) return patient;
    return refuse('CONFLICT', `alerts of ${id} are still being moved`);
  }

  #findNoRoom(place: Place): Refusal | undefined {
    const bed = this.beds.get(idOf(place));
    if (bed === undefined) return noBed(place);
    if (bed.patient === undefined) return undefined;
    return refuse('CONFLICT', `${bed.patient} is in ${bed.id}`);
  }

  #putBed(place: Place | undefined, patient: string | undefined): Kept {
    const { unit = '', bed = '' } = place ?? {};
    const id = idOf({ unit, bed });
    const version = (this.beds.get(id)?.version ?? 0) + 1;
    return this.#noted(this.beds, {
      id,
      version,
      unit,
      bed,
      patient,
      changedAt: this.#ledger.time,
    });
  }

  #putDevice(id: string, place: Place | undefined, model: string | undefined): Kept {
    const before = this.devices.get(id);
    const version = (before?.version ?? 0) + 1;
    const changedAt = this.#ledger.time;
    return this.#noted(this.devices, {
      id,
      version,
      model: model ?? before?.model,
      place,
      changedAt,
    });
  }

  #putPatient(after: Patient): Kept {
    const { id, number, sweep } = after;
    const dueAt = this.patients.get(id)?.sweep?.dueAt;
    this.#ledger.timers.change('patient', number, dueAt, sweep?.dueAt);
    if (sweep === undefined) this.#byNumber.delete(number);
    else this.#byNumber.set(number, id);
    return this.#noted(this.patients, after);
  }

  #noted<T extends Bed | Patient | Device>(registry: Registry<T>, after: T): Kept {
    registry.put(after);
    this.#ledger.foldRecord(after);
    return { ok: true, effect: 'kept', id: after.id, version: after.version };
  }

  #removed(record: Bed | Device): Kept {
    this.#ledger.foldRecord({ removed: record });
    return { ok: true, effect: 'removed', id: record.id, version: record.version };
  }
}

const numberOf = ({ id }: Alert): number => idNumber(id) ?? 0;

const isWithin = (alert: Alert, { done, until }: Sweep): boolean =>
  numberOf(alert) > done && numberOf(alert) <= until;

const isFresh = ({ kind, staleSince }: Alert): boolean =>
  kind === 'physiological' && staleSince === undefined;

const isLoud = ({ priority, acknowledged }: Alert): boolean => priority === 'high' && !acknowledged;

const noBed = (place: Place): Refusal =>
  refuse('RECORD_NOT_FOUND', `there is no bed ${idOf(place)}`);

const noDevice = (id: string): Refusal => refuse('RECORD_NOT_FOUND', `there is no device ${id}`);
