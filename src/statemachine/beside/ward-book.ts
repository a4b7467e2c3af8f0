import { must } from '../../base/assert.ts';
import {
  BEDS_MAX,
  DEVICES_MAX,
  FOLLOWERS_MAX,
  PATIENTS_MAX,
  PATIENTS_OVER_MAX,
  SWEEP_LOOKS_AT_ONCE,
} from '../../base/limits.ts';
import { ended, moved } from '../alerts/care-records.ts';
import type { Ledger } from '../ledger.ts';
import { isOwnKey, refuse } from '../refusals.ts';
import { millisAfter } from '../timers.ts';
import type { Alert, Asked, Kept, Refusal, Resolution, Subject } from '../types.ts';
import { Registry, unchanged } from './registry.ts';
import { isFresh } from './sweep.ts';
import type { Sweeps } from './sweeps.ts';
import type {
  AdmitCommand,
  Bed,
  Device,
  LeaveCommand,
  MoveCommand,
  Patient,
  Place,
  Sweep,
  WardCommand,
} from './ward.ts';
import { findWardRefusal, idOf, isSame, type WardContext, type WardView } from './ward-guards.ts';
import { WardPlan } from './ward-plan.ts';

/** Beds, patients and devices, and what becomes of open alerts when people and things are moved (T24, T25). */
export class WardBook implements WardView {
  readonly #ledger: Ledger;
  readonly #sweeps: Sweeps;
  readonly beds: Registry<Bed>;
  readonly patients: Registry<Patient>;
  readonly devices: Registry<Device>;
  readonly #byNumber = new Map<number, string>();
  /** By bed; an index and no state. */
  readonly #devicesAt = new Map<string, number>();

  constructor(ledger: Ledger, sweeps: Sweeps) {
    this.#ledger = ledger;
    this.#sweeps = sweeps;
    this.beds = new Registry<Bed>(BEDS_MAX, 1, () => true);
    this.patients = new Registry<Patient>(
      PATIENTS_MAX,
      PATIENTS_OVER_MAX,
      ({ place, sweep }) => place !== undefined || sweep !== undefined,
    );
    this.devices = new Registry<Device>(DEVICES_MAX, 1, () => true);
    ledger.placed = (subject) => this.#placed(subject);
  }

  /** `isPlanned`: a plan, with what is done together with it, found nothing against it. */
  execute(command: WardCommand, isPlanned = false): Kept | Refusal {
    const refusal = isPlanned
      ? undefined
      : findWardRefusal(command, this, { ...this.#context, leaving: new Set() });
    return refusal ?? this.#carryOut(command);
  }

  /** What several commands that are done together would lead to. */
  plan(commands: readonly WardCommand[]): WardPlan {
    return new WardPlan(this, this.#context, commands);
  }

  /** The open alerts that a command takes along, ends or marks: more than FOLLOWERS_MAX when there may be more. */
  followers(command: WardCommand): readonly Alert[] {
    switch (command.type) {
      case 'move-patient':
      case 'discharge-patient':
        return this.#followersOf('patient', command.patient);
      case 'detach-device': {
        const open = this.#followersOf('device', command.device);
        // Of more than are looked at, nobody knows which would be marked.
        return open.length > FOLLOWERS_MAX ? open : open.filter(isFresh);
      }
      default:
        return [];
    }
  }

  get #context(): Omit<WardContext, 'leaving'> {
    return { policies: this.#ledger.policies, findLoud: (patient) => this.#findLoud(patient) };
  }

  #carryOut(command: WardCommand): Kept {
    switch (command.type) {
      case 'set-bed':
        return this.#setBed(command);
      case 'remove-bed':
        return this.#removed(this.beds, idOf(command));
      case 'admit-patient':
        return this.#admit(command);
      case 'move-patient':
        return this.#move(command);
      case 'discharge-patient':
        return this.#discharge(command);
      case 'attach-device': {
        const { device, unit, bed, model } = command;
        return this.#putDevice(device, { unit, bed }, model);
      }
      case 'detach-device':
        return this.#detach(command.device, command);
      case 'remove-device':
        return this.#removed(this.devices, command.device);
    }
  }

  devicesAt(place: Place): number {
    return this.#devicesAt.get(idOf(place)) ?? 0;
  }

  /** There are alerts left that have to follow their patient. */
  expire(number: number): void {
    const patient = this.patients.get(this.#byNumber.get(number) ?? '');
    this.#sweep(must(patient, 'the patient % is due and gone', number), 1);
  }

  /** Takes in a patient of a snapshot. */
  restorePatient(patient: Patient): void {
    this.patients.put(patient);
    if (patient.sweep === undefined) return;
    this.#byNumber.set(patient.number, patient.id);
    this.#ledger.timers.set('patient', patient.number, patient.sweep.dueAt);
  }

  restoreDevice(device: Device): void {
    this.devices.put(device);
    this.#count(device.place, 1);
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

  #setBed({ unit, bed }: Place): Kept {
    const before = this.beds.get(idOf({ unit, bed }));
    return before === undefined ? this.#putBed({ unit, bed }, undefined) : unchanged(before);
  }

  #admit({ patient: id, unit, bed }: AdmitCommand): Kept {
    const place = { unit, bed };
    const before = this.patients.get(id);
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

  #move(command: MoveCommand): Kept {
    const { patient: id, unit, bed, devices } = command;
    const place = { unit, bed };
    const patient = this.#known(id);
    if (isSame(patient.place, place)) return unchanged(patient);
    for (const device of devices) this.#putDevice(device, place, undefined);
    this.#leave(patient);
    this.#putBed(place, id);
    const { time: movedAt } = this.#ledger;
    const sweep = this.#newSweep('transfer', command);
    return this.#sweep({ ...patient, version: patient.version + 1, place, movedAt, sweep });
  }

  #discharge(command: LeaveCommand): Kept {
    const patient = this.#known(command.patient);
    this.#leave(patient);
    const { time: dischargedAt } = this.#ledger;
    const sweep = this.#newSweep('discharge', command);
    const version = patient.version + 1;
    return this.#sweep({ ...patient, version, place: undefined, dischargedAt, sweep });
  }

  #detach(id: string, asked: Asked): Kept {
    const device = must(this.devices.get(id), 'there is no device %', id);
    if (device.place === undefined) return unchanged(device);
    const kept = this.#putDevice(id, undefined, undefined);
    this.#sweeps.begin({ over: 'measuring', device: id }, this.#ledger.time, asked);
    return kept;
  }

  #known(id: string): Patient {
    return must(this.patients.get(id), 'there is no patient %', id);
  }

  /** A bed becomes empty, unless somebody else who came at the same time is in it already. */
  #leave({ id, place }: Patient): void {
    if (place !== undefined && this.beds.get(idOf(place))?.patient === id)
      this.#putBed(place, undefined);
  }

  /** The first open alerts of a patient or device, those of the machine itself among them. */
  #followersOf(field: 'patient' | 'device', value: string): Alert[] {
    const { subjects, table } = this.#ledger;
    const numbers = subjects.next(field, [value], 0, FOLLOWERS_MAX + 1);
    return numbers.map((number) => table.opened(number));
  }

  #newSweep(
    does: Sweep['does'],
    { actor: by, reason, policy }: Asked & Pick<Sweep, 'reason' | 'policy'>,
  ): Sweep {
    const { revision: until, time } = this.#ledger;
    const why = reason === undefined ? {} : { reason };
    const how = policy === undefined ? {} : { policy };
    return { does, done: 0, until, by, ...why, ...how, dueAt: millisAfter(time, 1) };
  }

  /** Takes some of a patient's open alerts along; whatever is left is due in this entry still if it may do more, or at the next one. */
  #sweep(patient: Patient, looksMin?: number): Kept {
    const { sweep } = patient;
    if (sweep === undefined) return this.#putPatient(patient);
    const { effort, table, subjects, time } = this.#ledger;
    const next = (after: number): readonly number[] =>
      subjects
        .next('patient', [patient.id], after, SWEEP_LOOKS_AT_ONCE)
        .filter((number) => number <= sweep.until);
    const visit = (number: number): void => {
      const alert = table.openAt(number);
      if (alert !== undefined && !isOwnKey(alert.dedupKey)) this.#follow(alert, patient, sweep);
    };
    const done = effort.walk(sweep.done, next, visit, looksMin);
    if (done === undefined) return this.#putPatient({ ...patient, sweep: undefined });
    const dueAt = effort.againAt(time);
    return this.#putPatient({ ...patient, sweep: { ...sweep, done, dueAt } });
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
    const open = this.#followersOf('patient', patient);
    const loud = open.find((one) => isLoud(one) && !isOwnKey(one.dedupKey));
    if (loud === undefined && open.length <= FOLLOWERS_MAX) return undefined;
    const why =
      loud === undefined
        ? `${patient} has more than ${FOLLOWERS_MAX} open alerts`
        : `${loud.id} is high and not acknowledged`;
    return refuse('CONFIRMATION_REQUIRED', `${why}: discharging ${patient} needs a reason`);
  }

  #putBed({ unit, bed }: Place, patient: string | undefined): Kept {
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
    this.#count(before?.place, -1);
    this.#count(place, 1);
    return this.#noted(this.devices, {
      id,
      version,
      model: model ?? before?.model,
      place,
      changedAt,
    });
  }

  #count(place: Place | undefined, more: number): void {
    if (place === undefined) return;
    const devices = this.devicesAt(place) + more;
    if (devices === 0) this.#devicesAt.delete(idOf(place));
    else this.#devicesAt.set(idOf(place), devices);
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

  #removed<T extends Bed | Device>(registry: Registry<T>, id: string): Kept {
    const record = must(registry.get(id), 'there is no %', id);
    registry.remove(id);
    this.#ledger.foldRecord({ removed: record });
    return { ok: true, effect: 'removed', id, version: record.version };
  }
}

const isLoud = ({ priority, acknowledged }: Alert): boolean => priority === 'high' && !acknowledged;
