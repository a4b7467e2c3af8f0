import { must } from '../../base/assert.ts';
import { idNumber } from '../alerts/alert-table.ts';
import type { AlertId } from '../types.ts';
import { KeyTable } from './key-table.ts';
import { numbersAfter, SortedMap } from './sorted-map.ts';

/** The numbers of the open alerts about one device, bed or patient: mostly one or two, but a gateway can have any number. */
interface Group {
  readonly about: string;
  readonly alerts: number | SortedMap<true>;
}

/** Open alerts by what they are about: a device, a bed or a patient. */
export class SubjectIndex {
  readonly #groups: KeyTable<string, Group>;

  /** `seed` as for KeyTable. */
  constructor(seed: number) {
    this.#groups = new KeyTable(({ about }) => about, seed);
  }

  /** The numbers in their ids, ascending: in the order in which they were opened. */
  of(about: string): number[] {
    const alerts = this.#groups.get(about)?.alerts;
    if (alerts === undefined) return [];
    if (typeof alerts === 'number') return [alerts];
    return numbersAfter(alerts, 0, alerts.size);
  }

  /** How many there are. */
  countOf(about: string): number {
    const alerts = this.#groups.get(about)?.alerts;
    if (alerts === undefined) return 0;
    return typeof alerts === 'number' ? 1 : alerts.size;
  }

  /** Those above `after`, at most `max`. */
  next(about: string, after: number, max: number): number[] {
    const alerts = this.#groups.get(about)?.alerts;
    if (alerts === undefined) return [];
    if (typeof alerts === 'number') return alerts > after ? [alerts] : [];
    return numbersAfter(alerts, after, max);
  }

  /** What an alert is about changes; undefined = nothing, or it is not open. */
  move(id: AlertId, was: string | undefined, is: string | undefined): void {
    if (was === is) return;
    const number = must(idNumber(id), () => `not an alert id: ${id}`);
    if (was !== undefined) this.#remove(was, number);
    if (is !== undefined) this.#add(is, number);
  }

  #add(about: string, number: number): void {
    const there = this.#groups.get(about)?.alerts;
    if (there === undefined) this.#groups.add({ about, alerts: number });
    else if (typeof there !== 'number') there.add(number, true);
    else {
      const alerts = new SortedMap<true>();
      alerts.add(there, true);
      alerts.add(number, true);
      this.#groups.replace({ about, alerts });
    }
  }

  #remove(about: string, number: number): void {
    const { alerts } = must(this.#groups.get(about), () => `nothing is about ${about}`);
    if (typeof alerts !== 'number') alerts.delete(number);
    if (typeof alerts === 'number' || alerts.size === 0) this.#groups.delete(about);
  }
}
