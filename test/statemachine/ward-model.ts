import type {
  Bed,
  Device,
  Patient,
  Place,
  WardCommand,
} from '../../src/statemachine/beside/ward.ts';
import type { Alert, RefusalCode, Subject } from '../../src/statemachine/types.ts';
import type { ModelReply } from './condition-model.ts';
import { SessionModel } from './session-model.ts';

const no = (code: RefusalCode): ModelReply => ({ ok: false, code });

const isAt = (at: Place | undefined, { unit, bed }: Place): boolean =>
  at !== undefined && at.unit === unit && at.bed === bed;

/** Beds, patients and devices (T24, T25), as plainly as can be: all of a patient's alerts follow at once. */
export abstract class WardModel extends SessionModel {
  beds: Bed[] = [];
  patients: Patient[] = [];
  devices: Device[] = [];
  /** Patients who leave their beds together with what is asked, and have not yet. */
  leaving: string[] = [];
  /** A transaction ends no loud alert without a reason, and is not refused for one that it raised itself. */
  isLoudAllowed = false;

  /** Whether a command takes a patient away from a bed. */
  leaves(command: WardCommand): command is WardCommand & { patient: string } {
    if (command.type === 'discharge-patient') return true;
    const at = this.patients.find(({ id }) => 'patient' in command && id === command.patient);
    return command.type === 'move-patient' && !isAt(at?.place, command);
  }

  /** Keys of the open alerts that a command takes along, ends or marks. */
  follow(command: WardCommand): string[] {
    if (command.type === 'move-patient' || command.type === 'discharge-patient')
      return this.openAbout('patient', command.patient).map(({ dedupKey }) => dedupKey);
    if (command.type !== 'detach-device') return [];
    return this.openAbout('device', command.device)
      .filter(({ kind, staleSince }) => kind === 'physiological' && staleSince === undefined)
      .map(({ dedupKey }) => dedupKey);
  }

  /** The bed of a patient is empty, unless somebody who came at the same time is in it. */
  vacate({ id, place }: Patient): void {
    this.leaving = this.leaving.filter((one) => one !== id);
    if (place && this.bedAt(place)?.patient === id) this.putBed(place, undefined);
  }

  bedAt({ unit, bed }: Place): Bed | undefined {
    return this.beds.find((one) => one.unit === unit && one.bed === bed);
  }

  override placed(subject: Subject): Subject {
    const { device, unit, bed, patient } = subject;
    const place = this.devices.find(({ id }) => id === device)?.place;
    if (!place || unit || bed || patient) return subject;
    const inIt = this.bedAt(place)?.patient;
    return { ...place, ...(inIt ? { patient: inIt } : {}), device: device as string };
  }

  putBed({ unit, bed }: Place, patient: string | undefined): ModelReply {
    const before = this.bedAt({ unit, bed });
    const after: Bed = {
      id: `${unit}/${bed}`,
      version: (before?.version ?? 0) + 1,
      unit,
      bed,
      patient,
      changedAt: this.now,
    };
    this.beds = before
      ? this.beds.map((one) => (one === before ? after : one))
      : [...this.beds, after];
    return { ok: true, effect: 'kept', id: after.id, version: after.version };
  }

  putDevice(id: string, place: Place | undefined, model?: string): ModelReply {
    const before = this.devices.find((one) => one.id === id);
    const after: Device = {
      id,
      version: (before?.version ?? 0) + 1,
      model: model ?? before?.model,
      place: place && { unit: place.unit, bed: place.bed },
      changedAt: this.now,
    };
    this.devices = before
      ? this.devices.map((one) => (one === before ? after : one))
      : [...this.devices, after];
    return { ok: true, effect: 'kept', id, version: after.version };
  }

  /** Those who are there stay in place, those who left are at the end. */
  putPatient(after: Patient): ModelReply {
    const before = this.patients.find(({ id }) => id === after.id);
    const stays = before && (before.place === undefined) === (after.place === undefined);
    const all = stays
      ? this.patients.map((one) => (one === before ? after : one))
      : [...this.patients.filter((one) => one !== before), after];
    this.patients = [...all.filter(({ place }) => place), ...all.filter(({ place }) => !place)];
    return { ok: true, effect: 'kept', id: after.id, version: after.version };
  }

  openAbout(field: 'patient' | 'device', value: string): Alert[] {
    return this.open
      .filter(({ subject }) => subject[field] === value)
      .filter(({ dedupKey }) => field === 'device' || !dedupKey.startsWith('tocsin:'))
      .sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  }

  ward(command: WardCommand): ModelReply {
    switch (command.type) {
      case 'set-bed': {
        const { unit, bed } = command;
        const { id, version } = this.bedAt(command) ?? {};
        if (id) return { ok: true, effect: 'unchanged', id, version: version ?? 0 };
        return this.putBed({ unit, bed }, undefined);
      }
      case 'remove-bed': {
        const bed = this.bedAt(command);
        if (!bed) return no('RECORD_NOT_FOUND');
        if (bed.patient || this.devices.some(({ place }) => isAt(place, bed)))
          return no('CONFLICT');
        this.beds = this.beds.filter((one) => one !== bed);
        return { ok: true, effect: 'removed', id: bed.id, version: bed.version };
      }
      case 'admit-patient':
      case 'move-patient':
      case 'discharge-patient':
        return this.patient(command);
      default:
        return this.device(command);
    }
  }

  patient(
    command: Extract<WardCommand, { type: 'admit-patient' | 'move-patient' | 'discharge-patient' }>,
  ): ModelReply {
    const { patient: id } = command;
    const before = this.patients.find((one) => one.id === id);
    if (command.type === 'discharge-patient') {
      if (!before) return no('RECORD_NOT_FOUND');
      if (!before.place) return no('ALREADY_RESOLVED');
      return this.leave(before, command.actor, command.reason);
    }
    const place = { unit: command.unit, bed: command.bed };
    const bed = this.bedAt(place);
    if (command.type === 'admit-patient') {
      if (before?.place) return no('CONFLICT');
      if (!bed) return no('RECORD_NOT_FOUND');
      if (bed.patient && !this.leaving.includes(bed.patient)) return no('CONFLICT');
      // Who comes leaves no more, whatever comes after it: nobody can follow into that bed.
      this.leaving = this.leaving.filter((one) => one !== id);
      this.putBed(place, id);
      if (!before) this.recordsMade += 1;
      return this.putPatient({
        id,
        version: (before?.version ?? 0) + 1,
        number: before?.number ?? this.recordsMade,
        place,
        admittedAt: this.now,
        movedAt: this.now,
        dischargedAt: undefined,
        sweep: undefined,
      });
    }
    if (!before) return no('RECORD_NOT_FOUND');
    if (!before.place) return no('ALREADY_RESOLVED');
    if (isAt(before.place, place))
      return { ok: true, effect: 'unchanged', id, version: before.version };
    if (command.devices.some((device) => !this.devices.some((one) => one.id === device)))
      return no('RECORD_NOT_FOUND');
    if (command.policy !== undefined && !this.policyNamed(command.policy))
      return no('RECORD_NOT_FOUND');
    if (!bed) return no('RECORD_NOT_FOUND');
    if (bed.patient && !this.leaving.includes(bed.patient)) return no('CONFLICT');
    for (const device of command.devices) this.putDevice(device, place);
    this.vacate(before);
    this.putBed(place, id);
    const asked = { actor: command.actor, observedAt: this.now };
    for (const alert of this.openAbout('patient', id)) {
      const { unit: _u, bed: _b, ...rest } = alert.subject;
      this.record(asked, 'transferred', {
        ...alert,
        subject: { ...place, ...rest },
        ...this.rerouted(alert, command.policy),
      });
      const device = this.devices.find((one) => one.id === alert.subject.device);
      const moved = this.find({ id: alert.id }) as Alert;
      if (device && !isAt(device.place, place)) this.lose(moved, asked);
    }
    return this.putPatient({ ...before, version: before.version + 1, place, movedAt: this.now });
  }

  lose(alert: Alert, asked: { actor: string; observedAt: Alert['observedAt'] }): void {
    if (alert.kind === 'physiological' && alert.staleSince === undefined)
      this.record(asked, 'stale', { ...alert, staleSince: this.now });
  }

  leave(before: Patient, by: string, reason: string | undefined): ModelReply {
    const about = this.openAbout('patient', before.id);
    const isLoud = (one: Alert) => one.priority === 'high' && !one.acknowledged;
    if (!reason && !this.isLoudAllowed && about.some(isLoud)) return no('CONFIRMATION_REQUIRED');
    this.vacate(before);
    const why = reason === undefined ? {} : { reason };
    for (const alert of about.filter((one) => reason || !isLoud(one)))
      this.record({ actor: by, observedAt: this.now }, 'discharged', {
        ...alert,
        resolution: { how: 'discharged', by, at: this.now, ...why },
        acknowledgedUntil: undefined,
        pausedUntil: undefined,
        escalation: alert.escalation && { ...alert.escalation, dueAt: undefined },
      });
    return this.putPatient({
      ...before,
      version: before.version + 1,
      place: undefined,
      dischargedAt: this.now,
    });
  }

  device(
    command: Extract<WardCommand, { type: 'attach-device' | 'detach-device' | 'remove-device' }>,
  ): ModelReply {
    const { device: id } = command;
    const before = this.devices.find((one) => one.id === id);
    if (command.type === 'attach-device') {
      if (!this.bedAt(command)) return no('RECORD_NOT_FOUND');
      if (before?.place && !isAt(before.place, command)) return no('CONFLICT');
      return this.putDevice(id, command, command.model);
    }
    if (!before) return no('RECORD_NOT_FOUND');
    if (command.type === 'remove-device') {
      if (before.place) return no('CONFLICT');
      this.devices = this.devices.filter((one) => one !== before);
      return { ok: true, effect: 'removed', id, version: before.version };
    }
    if (!before.place) return { ok: true, effect: 'unchanged', id, version: before.version };
    const told = this.putDevice(id, undefined);
    for (const alert of this.openAbout('device', id)) this.lose(alert, command);
    return told;
  }
}
