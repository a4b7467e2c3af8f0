import { assert, must } from '../../base/assert.ts';
import { SUBJECT_LIST_MAX } from '../../base/limits.ts';
import { idNumber } from '../alerts/alert-id.ts';
import type { AlertId } from '../types.ts';
import { KeyTable } from './key-table.ts';
import { countUpTo, numbersAfter, SortedMap } from './sorted-map.ts';

/** The numbers of the open alerts about one device, bed or patient: mostly a few, but a gateway can have any number. */
interface Group {
  readonly about: string;
  /** Ascending; a list of up to SUBJECT_LIST_MAX. */
  readonly alerts: number[] | SortedMap<true>;
}

/**
 * Open alerts by what they are about: a device, a bed or a patient. What one alert alone is about has no group: its number
 * stands in the table, and its record says what that is.
 */
export class SubjectIndex {
  readonly #groups: KeyTable<string, number | Group>;
  readonly #aboutOf: (number: number) => string | undefined;
  /** The alert that is being moved, and where it is filed: its record says already where it will be. */
  #moving = 0;
  #filedUnder: string | undefined;

  /** `seed` as for KeyTable. `aboutOf` says what the alert of a number is about. */
  constructor(seed: number, aboutOf: (number: number) => string | undefined) {
    this.#aboutOf = aboutOf;
    this.#groups = new KeyTable((one) => this.#keyOf(one), seed);
  }

  /** The numbers in their ids, ascending: in the order in which they were opened. */
  of(about: string): number[] {
    const alerts = this.#alertsOf(about);
    return isList(alerts) ? alerts.slice() : numbersAfter(alerts, 0, alerts.size);
  }

  /** How many there are. */
  countOf(about: string): number {
    const alerts = this.#alertsOf(about);
    return isList(alerts) ? alerts.length : alerts.size;
  }

  /** Those above `after`, at most `max`. */
  next(about: string, after: number, max: number): number[] {
    const alerts = this.#alertsOf(about);
    if (!isList(alerts)) return numbersAfter(alerts, after, max);
    const from = countUpTo(alerts, after);
    return alerts.slice(from, from + max);
  }

  /** What an alert is about changes; undefined = nothing, or it is not open. */
  move(id: AlertId, was: string | undefined, is: string | undefined): void {
    if (was === is) return;
    const number = must(idNumber(id), 'not an alert id: %', id);
    this.#moving = number;
    this.#filedUnder = was;
    if (was !== undefined) this.#remove(was, number);
    this.#filedUnder = is;
    if (is !== undefined) this.#add(is, number);
    this.#moving = 0;
  }

  #keyOf(one: number | Group): string {
    if (typeof one !== 'number') return one.about;
    const about = one === this.#moving ? this.#filedUnder : this.#aboutOf(one);
    return must(about, 'A% is about nothing', one);
  }

  #alertsOf(about: string): Group['alerts'] {
    const there = this.#groups.get(about);
    if (there === undefined) return NOBODY;
    return typeof there === 'number' ? [there] : there.alerts;
  }

  #add(about: string, number: number): void {
    const there = this.#groups.get(about);
    if (there === undefined) this.#groups.add(number);
    else if (typeof there === 'number')
      this.#groups.replace({ about, alerts: withNumber([there], number) });
    else if (!isList(there.alerts)) there.alerts.add(number, true);
    else if (there.alerts.length < SUBJECT_LIST_MAX) withNumber(there.alerts, number);
    else this.#groups.replace({ about, alerts: mapOf(withNumber(there.alerts, number)) });
  }

  #remove(about: string, number: number): void {
    const there = must(this.#groups.get(about), 'nothing is about %', about);
    if (typeof there === 'number') {
      assert(there === number, 'A% is not about %', number, about);
      this.#groups.delete(about);
      return;
    }
    const { alerts } = there;
    if (!isList(alerts)) alerts.delete(number);
    else {
      const place = countUpTo(alerts, number) - 1;
      assert(alerts[place] === number, 'A% is not about %', number, about);
      alerts.splice(place, 1);
    }
    if ((isList(alerts) ? alerts.length : alerts.size) === 0) this.#groups.delete(about);
  }
}

const NOBODY: number[] = [];

const isList = (alerts: Group['alerts']): alerts is number[] => Array.isArray(alerts);

function withNumber(list: number[], number: number): number[] {
  list.splice(countUpTo(list, number), 0, number);
  return list;
}

function mapOf(numbers: readonly number[]): SortedMap<true> {
  const map = new SortedMap<true>();
  for (const number of numbers) map.add(number, true);
  return map;
}
