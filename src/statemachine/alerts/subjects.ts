import { explains } from '../beside/inhibition.ts';
import { SubjectIndex } from '../collections/subject-index.ts';
import type { Alert } from '../types.ts';
import type { AlertTable } from './alert-table.ts';

/** The open alerts by what they are about. */
export class Subjects {
  readonly #table: AlertTable;
  readonly #about: Readonly<Record<'device' | 'bed' | 'patient', SubjectIndex>>;
  /** Few, however many are open: looked at for each alert that is listed. */
  readonly #explainingOfDevice: SubjectIndex;

  constructor(table: AlertTable) {
    this.#table = table;
    this.#about = {
      device: new SubjectIndex('device', table.seed),
      bed: new SubjectIndex('bed', table.seed),
      patient: new SubjectIndex('patient', table.seed),
    };
    this.#explainingOfDevice = new SubjectIndex('device', table.seed, explains);
  }

  /** The open alerts that are about a device, a bed or a patient, in the order in which they were opened. */
  openOf(field: 'device' | 'bed' | 'patient', value: string): Alert[] {
    return this.#about[field].of(value).map((number) => this.#table.opened(number));
  }

  /** Those of a device whose conditions can explain others. */
  explainingOf(device: string): Alert[] {
    return this.#explainingOfDevice.of(device).map((number) => this.#table.opened(number));
  }

  /** A record takes the place of the one before, if there was one. */
  file(before: Alert | undefined, alert: Alert): void {
    if (before?.subject === alert.subject && before.resolution === alert.resolution) return;
    const { device, bed, patient } = this.#about;
    device.file(before, alert);
    bed.file(before, alert);
    patient.file(before, alert);
    this.#explainingOfDevice.file(before, alert);
  }
}
