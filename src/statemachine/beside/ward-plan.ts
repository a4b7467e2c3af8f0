import { must } from '../../base/assert.ts';
import { unixMillis } from '../../base/ids.ts';
import { refuse } from '../refusals.ts';
import type { Refusal } from '../types.ts';
import type { RecordBase } from './registry.ts';
import type { Bed, Device, Patient, Place, WardCommand } from './ward.ts';
import {
  findWardRefusal,
  idOf,
  isSame,
  type Shelf,
  type WardContext,
  type WardView,
} from './ward-guards.ts';

/** When is not what a plan is about. */
const NEVER = unixMillis(0);

/**
 * What several commands about beds, patients and devices would lead to, one after another, before any is done. Patients who
 * leave their beds by one of them make room for the others, so two can change places.
 */
export class WardPlan implements WardView {
  readonly beds: Overlay<Bed>;
  readonly patients: Overlay<Patient>;
  readonly devices: Overlay<Device>;
  readonly #view: WardView;
  /** By bed: how many devices come, less those that go. */
  readonly #devicesMore = new Map<string, number>();
  readonly #context: WardContext;
  readonly #leaving: Set<string>;
  readonly #seen = new Set<string>();

  constructor(
    view: WardView,
    context: Omit<WardContext, 'leaving'>,
    commands: readonly WardCommand[],
  ) {
    this.#view = view;
    this.beds = new Overlay(view.beds);
    this.patients = new Overlay(view.patients);
    this.devices = new Overlay(view.devices);
    this.#leaving = new Set(
      commands
        .filter(isLeaving)
        .filter((one) => !isThere(one, view))
        .map(({ patient }) => patient),
    );
    this.#context = { ...context, leaving: this.#leaving };
  }

  devicesAt(place: Place): number {
    return this.#view.devicesAt(place) + (this.#devicesMore.get(idOf(place)) ?? 0);
  }

  /** Why the next command would be refused; one that would not counts as done. */
  add(command: WardCommand): Refusal | undefined {
    const refusal = this.#findTwice(command) ?? findWardRefusal(command, this, this.#context);
    if (refusal === undefined) this.#take(command);
    return refusal;
  }

  /** Whose alerts are taken along has to wait for that before they can leave again. */
  #findTwice(command: WardCommand): Refusal | undefined {
    if (!('patient' in command)) return undefined;
    const { patient } = command;
    if (this.#seen.has(patient))
      return refuse('BAD_REQUEST', `${patient} is in the transaction already`);
    this.#seen.add(patient);
    return undefined;
  }

  #take(command: WardCommand): void {
    switch (command.type) {
      case 'set-bed':
        if (this.beds.get(idOf(command)) !== undefined) return;
        this.beds.room -= 1;
        this.#fill(command, undefined);
        return;
      case 'remove-bed':
        this.beds.remove(idOf(command));
        return;
      case 'admit-patient':
        this.patients.room -= 1;
        this.#settle(command.patient, command);
        return;
      case 'move-patient':
        if (isThere(command, this)) return;
        for (const device of command.devices) this.#place(device, command);
        this.#settle(command.patient, command);
        return;
      case 'discharge-patient':
        this.#settle(command.patient, undefined);
        return;
      case 'attach-device':
        this.#place(command.device, command);
        return;
      case 'detach-device':
        this.#place(command.device, undefined);
        return;
      case 'remove-device':
        this.devices.remove(command.device);
    }
  }

  /** A patient leaves where they are, and is elsewhere or nowhere. */
  #settle(id: string, place: Place | undefined): void {
    const before = this.patients.get(id);
    const from = before?.place;
    const isInIt = from !== undefined && this.beds.get(idOf(from))?.patient === id;
    if (isInIt) this.#fill(from, undefined);
    if (place !== undefined) this.#fill(place, id);
    this.#leaving.delete(id);
    const stay = { admittedAt: NEVER, movedAt: NEVER, dischargedAt: undefined, sweep: undefined };
    this.patients.put(
      before === undefined ? { id, version: 1, number: 0, place, ...stay } : { ...before, place },
    );
  }

  #fill({ unit, bed }: Place, patient: string | undefined): void {
    this.beds.put({ id: idOf({ unit, bed }), version: 0, unit, bed, patient, changedAt: NEVER });
  }

  #place(id: string, place: Place | undefined): void {
    const before = this.devices.get(id);
    if (before === undefined) this.devices.room -= 1;
    if (before?.place !== undefined) this.#count(before.place, -1);
    if (place !== undefined) this.#count(place, 1);
    this.devices.put({ id, version: 0, model: undefined, place, changedAt: NEVER });
  }

  #count(place: Place, more: number): void {
    this.#devicesMore.set(idOf(place), (this.#devicesMore.get(idOf(place)) ?? 0) + more);
  }
}

/** Whether it asks for what is so already. */
const isThere = (command: Leaving, { patients }: WardView): boolean =>
  command.type === 'move-patient' && isSame(patients.get(command.patient)?.place, command);

type Leaving = WardCommand & { readonly type: 'move-patient' | 'discharge-patient' };

const isLeaving = (command: WardCommand): command is Leaving =>
  command.type === 'move-patient' || command.type === 'discharge-patient';

/** Records with some changes that nobody else sees. */
class Overlay<T extends RecordBase> implements Shelf<T> {
  readonly #below: Shelf<T>;
  readonly #changed = new Map<string, T | undefined>();
  room: number;

  constructor(below: Shelf<T>) {
    this.#below = below;
    this.room = below.room;
  }

  get(id: string): T | undefined {
    return this.#changed.has(id) ? this.#changed.get(id) : this.#below.get(id);
  }

  put(record: T): void {
    this.#changed.set(record.id, record);
  }

  remove(id: string): void {
    must(this.get(id), '% is not there', id);
    this.#changed.set(id, undefined);
    this.room += 1;
  }
}
