import type { UnixMillis } from '../../base/ids.ts';
import type { Asked } from '../types.ts';
import type { RecordBase } from './registry.ts';

/** A place, by its unit and its name there. */
export interface Place {
  readonly unit: string;
  readonly bed: string;
}

/** A bed of the house; its id is `unit/bed`. */
export interface Bed extends RecordBase, Place {
  /** Who is in it; undefined = nobody. */
  readonly patient: string | undefined;
  readonly changedAt: UnixMillis;
}

/** What has still to be done to the open alerts of a patient: those up to `until` that are above `done`, by their numbers. */
export interface Sweep {
  readonly does: 'transfer' | 'discharge';
  readonly done: number;
  readonly until: number;
  readonly by: string;
  readonly reason?: string;
  readonly policy?: string;
  readonly dueAt: UnixMillis;
}

/** A patient by a pseudonym: no name, no date of birth, nothing else about a person is kept. */
export interface Patient extends RecordBase {
  readonly number: number;
  /** Where the patient is; undefined = discharged. */
  readonly place: Place | undefined;
  readonly admittedAt: UnixMillis;
  readonly movedAt: UnixMillis;
  readonly dischargedAt: UnixMillis | undefined;
  /** Undefined = all is done. */
  readonly sweep: Sweep | undefined;
}

/** Something that measures, by the name that its alerts have in `subject.device`. */
export interface Device extends RecordBase {
  readonly model: string | undefined;
  /** At which bed it is; undefined = at none. */
  readonly place: Place | undefined;
  readonly changedAt: UnixMillis;
}

export interface SetBedCommand extends Asked, Place {
  readonly type: 'set-bed';
}

/** Takes a bed away that nobody is in, and no device at. */
export interface RemoveBedCommand extends Asked, Place {
  readonly type: 'remove-bed';
}

/** A patient comes into a bed that is empty. */
export interface AdmitCommand extends Asked, Place {
  readonly type: 'admit-patient';
  readonly patient: string;
}

/** A patient is moved: open alerts go along, as the same occurrences (T24). Those of monitors that stay behind are stale. */
export interface MoveCommand extends Asked, Place {
  readonly type: 'move-patient';
  readonly patient: string;
  /** Devices that go along. */
  readonly devices: readonly string[];
  /** The escalation policy that open alerts go by there, from its first step on. Absent = as before. */
  readonly policy?: string;
}

/** A patient leaves: open alerts end with it (T25). High ones that nobody has acknowledged need a reason. */
export interface LeaveCommand extends Asked {
  readonly type: 'discharge-patient';
  readonly patient: string;
  readonly reason?: string;
}

/** A device is put at a bed. From then on its alerts are about that bed, and who is in it, where they do not say otherwise. */
export interface AttachCommand extends Asked, Place {
  readonly type: 'attach-device';
  readonly device: string;
  readonly model?: string;
}

/** A device is taken away from its bed; what it said last is not known to be so any more. */
export interface DetachCommand extends Asked {
  readonly type: 'detach-device';
  readonly device: string;
}

/** A device that is at no bed is forgotten. */
export interface RemoveDeviceCommand extends Asked {
  readonly type: 'remove-device';
  readonly device: string;
}

export type WardCommand =
  | SetBedCommand
  | RemoveBedCommand
  | AdmitCommand
  | MoveCommand
  | LeaveCommand
  | AttachCommand
  | DetachCommand
  | RemoveDeviceCommand;

const ABOUT_THE_WARD: Readonly<Record<WardCommand['type'], true>> = {
  'set-bed': true,
  'remove-bed': true,
  'admit-patient': true,
  'move-patient': true,
  'discharge-patient': true,
  'attach-device': true,
  'detach-device': true,
  'remove-device': true,
};

export const isWard = (command: { readonly type: string }): command is WardCommand =>
  command.type in ABOUT_THE_WARD;
