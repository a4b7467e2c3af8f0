import { must } from '../../base/assert.ts';
import { idNumber } from '../alerts/alert-table.ts';
import type { Alert, Subject } from '../types.ts';
import { KeyTable } from './key-table.ts';
import { SortedMap } from './sorted-map.ts';

/** The numbers of the open alerts about one device, bed or patient: mostly one or two, but a gateway can have any number. */
interface Group {
  readonly about: string;
  readonly alerts: number | SortedMap<true>;
}

/** Open alerts by the device, bed or patient that they are about: all of them, or those of some conditions. */
export class SubjectIndex {
  readonly #groups: KeyTable<string, Group>;
  readonly #field: keyof Subject;
  readonly #isWanted: (condition: string) => boolean;

  /** `seed` as for KeyTable. */
  constructor(
    field: keyof Subject,
    seed: number,
    isWanted: (condition: string) => boolean = () => true,
  ) {
    this.#groups = new KeyTable(({ about }) => about, seed);
    this.#field = field;
    this.#isWanted = isWanted;
  }

  /** The numbers in their ids, ascending: in the order in which they were opened. */
  of(about: string): number[] {
    const alerts = this.#groups.get(about)?.alerts;
    if (alerts === undefined) return [];
    if (typeof alerts === 'number') return [alerts];
    const numbers: number[] = [];
    for (const cursor = alerts.after(0); cursor.next(); ) numbers.push(cursor.id);
    return numbers;
  }

  /** A record takes the place of the one before, if there was one. */
  file(before: Alert | undefined, alert: Alert): void {
    if (!this.#isWanted(alert.condition)) return;
    const was = before?.resolution === undefined ? before?.subject[this.#field] : undefined;
    const is = alert.resolution === undefined ? alert.subject[this.#field] : undefined;
    if (was === is) return;
    const number = must(idNumber(alert.id), () => `not an alert id: ${alert.id}`);
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
