import { must } from '../../base/assert.ts';
import { explains } from '../beside/inhibition.ts';
import { SubjectIndex } from '../collections/subject-index.ts';
import type { Alert } from '../types.ts';
import { type AlertTable, idNumber } from './alert-table.ts';

/** The open alerts by what they are about. */
export class Subjects {
  readonly #table: AlertTable;
  readonly #about = {
    device: new SubjectIndex('device'),
    bed: new SubjectIndex('bed'),
    patient: new SubjectIndex('patient'),
  };
  /** Few, however many are open: looked at for each alert that is listed. */
  readonly #explainingOfDevice = new SubjectIndex('device', explains);

  constructor(table: AlertTable) {
    this.#table = table;
  }

  /** The open alerts that are about a device, a bed or a patient, in the order in which they were opened. */
  openOf(field: 'device' | 'bed' | 'patient', value: string): Alert[] {
    return this.#alertsUnder(this.#about[field].of(value));
  }

  /** Those of a device whose conditions can explain others. */
  explainingOf(device: string): Alert[] {
    return this.#alertsUnder(this.#explainingOfDevice.of(device));
  }

  /** A record takes the place of the one before, if there was one. */
  file(before: Alert | undefined, alert: Alert): void {
    for (const index of Object.values(this.#about)) index.file(before, alert);
    this.#explainingOfDevice.file(before, alert);
  }

  #alertsUnder(keys: Iterable<string>): Alert[] {
    return [...keys]
      .map((dedupKey) => must(this.#table.openUnder(dedupKey), `${dedupKey} is not open`))
      .sort((a, b) => (idNumber(a.id) ?? 0) - (idNumber(b.id) ?? 0));
  }
}
