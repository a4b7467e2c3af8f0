import { must } from '../../base/assert.ts';
import { NEIGHBOURS_LOOKED_THROUGH_MAX } from '../../base/limits.ts';
import type { SubjectIndex } from '../collections/subject-index.ts';
import type { Alert, Glance } from '../types.ts';
import type { AlertTable } from './alert-table.ts';

/** Whether the condition of an open alert is known to be there: only then does it say anything about others. */
export const isKnown = ({ presence, staleSince, resolution }: Glance): boolean =>
  presence === 'present' && staleSince === undefined && resolution === undefined;

/** Whether it was, and with this change is not known to be at that device any more. */
export const isGone = (before: Alert, after: Alert): boolean =>
  isKnown(before) && !(isKnown(after) && before.subject.device === after.subject.device);

/**
 * Which conditions are known to be there at a device. Its open alerts are looked through, which are mostly one or two; those
 * of a device that has many, as a gateway can, are kept by their conditions. An index and no state.
 */
export class Neighbours {
  readonly #table: AlertTable;
  readonly #ofDevice: SubjectIndex;
  /** Of crowded devices, by device and condition. */
  readonly #known: SubjectIndex;
  readonly #crowded = new Set<string>();

  constructor(table: AlertTable, ofDevice: SubjectIndex, known: SubjectIndex) {
    this.#table = table;
    this.#ofDevice = ofDevice;
    this.#known = known;
  }

  /** The alerts of a device with one of these conditions, in the order in which they were opened; not more than `max`. */
  of(device: string, conditions: readonly string[], max: number): Glance[] {
    if (conditions.length === 0) return [];
    const found: Glance[] = [];
    for (const number of this.#numbersOf(device, conditions, max)) {
      const one = must(this.#table.glanceAt(number), 'A% is not open', number);
      if (isKnown(one) && conditions.includes(one.condition)) found.push(one);
      if (found.length === max) break;
    }
    return found;
  }

  /** A record takes the place of the one before, if there was one; the index of devices has it already. */
  file(before: Alert | undefined, alert: Alert): void {
    const left = deviceOf(before);
    const came = deviceOf(alert);
    this.#move(
      alert,
      before && isKnown(before) ? left : undefined,
      isKnown(alert) ? came : undefined,
    );
    if (left === came) return;
    if (left !== undefined) this.#thin(left);
    if (came !== undefined) this.#crowd(came);
  }

  #numbersOf(device: string, conditions: readonly string[], max: number): number[] {
    if (!this.#crowded.has(device)) return this.#ofDevice.of(device);
    const known = [...new Set(conditions)].map((one) =>
      this.#known.next(keyOf(device, one), 0, max),
    );
    return known.flat().sort((a, b) => a - b);
  }

  #move({ id, condition }: Alert, was: string | undefined, is: string | undefined): void {
    if (was === is || this.#crowded.size === 0) return;
    const [from, to] = [was, is].map((device) =>
      device !== undefined && this.#crowded.has(device) ? keyOf(device, condition) : undefined,
    );
    this.#known.move(id, from, to);
  }

  #crowd(device: string): void {
    if (this.#crowded.has(device)) return;
    if (this.#ofDevice.countOf(device) <= NEIGHBOURS_LOOKED_THROUGH_MAX) return;
    this.#crowded.add(device);
    for (const one of this.#knownOf(device)) this.#move(one, undefined, device);
  }

  /** Not as soon as it is no longer crowded, or one alert that comes and goes would have all of them filed each time. */
  #thin(device: string): void {
    if (!this.#crowded.has(device)) return;
    if (this.#ofDevice.countOf(device) > NEIGHBOURS_LOOKED_THROUGH_MAX / 2) return;
    for (const one of this.#knownOf(device)) this.#move(one, device, undefined);
    this.#crowded.delete(device);
  }

  #knownOf(device: string): Alert[] {
    const open = this.#ofDevice.of(device).map((number) => this.#table.opened(number));
    return open.filter(isKnown);
  }
}

/** What an alert is filed under when its device is crowded. */
export const knownAs = ({ subject: { device }, condition }: Glance): string | undefined =>
  device === undefined ? undefined : keyOf(device, condition);

const keyOf = (device: string, condition: string): string => `${device}\n${condition}`;

const deviceOf = (alert: Alert | undefined): string | undefined =>
  alert === undefined || alert.resolution !== undefined ? undefined : alert.subject.device;
