import { LOOKS_PER_SUBJECT_MIN } from '../../base/limits.ts';
import { SubjectIndex } from '../collections/subject-index.ts';
import type { Alert, Subject } from '../types.ts';
import type { AlertTable } from './alert-table.ts';

/** The open alerts by what they are about. */
export class Subjects {
  readonly #table: AlertTable;
  readonly #about: Readonly<Record<'device' | 'bed' | 'patient', SubjectIndex>>;
  /** Few, however many are open: looked at for each alert that is listed. */
  #explainingOfDevice: SubjectIndex;
  readonly #explains: (condition: string) => boolean;

  /** `explains`: whether alerts of a condition can explain others. */
  constructor(table: AlertTable, explains: (condition: string) => boolean) {
    this.#table = table;
    this.#explains = explains;
    this.#about = {
      device: new SubjectIndex(table.seed),
      bed: new SubjectIndex(table.seed),
      patient: new SubjectIndex(table.seed),
    };
    this.#explainingOfDevice = new SubjectIndex(table.seed);
  }

  /**
   * The numbers of the next open alerts above `after` that are about one of these, ascending. Mostly about `max` of them;
   * none = there are no more.
   */
  next(
    field: 'device' | 'bed' | 'patient',
    values: readonly string[],
    after: number,
    max: number,
  ): number[] {
    const each = Math.max(LOOKS_PER_SUBJECT_MIN, Math.ceil(max / values.length));
    const index = this.#about[field];
    let end = Number.POSITIVE_INFINITY;
    const found = [...new Set(values)].map((value) => {
      const numbers = index.next(value, after, each);
      // What is above the last one of a list that goes on may come after others of that list.
      if (numbers.length === each) end = Math.min(end, numbers.at(-1) ?? end);
      return numbers;
    });
    return found
      .flat()
      .filter((number) => number <= end)
      .sort((a, b) => a - b);
  }

  /** Those of a device whose conditions can explain others. */
  explainingOf(device: string): Alert[] {
    return this.#explainingOfDevice.of(device).map((number) => this.#table.opened(number));
  }

  /** Other conditions explain from now on. */
  renewExplaining(): void {
    this.#explainingOfDevice = new SubjectIndex(this.#table.seed);
    for (const cursor = this.#table.openAfter(0); cursor.next(); ) {
      const { id, condition, subject } = cursor.value;
      if (this.#explains(condition)) this.#explainingOfDevice.move(id, undefined, subject.device);
    }
  }

  /** A record takes the place of the one before, if there was one. */
  file(before: Alert | undefined, alert: Alert): void {
    if (before?.subject === alert.subject && before.resolution === alert.resolution) return;
    const was = subjectOf(before);
    const is = subjectOf(alert);
    const { id, condition } = alert;
    const { device, bed, patient } = this.#about;
    device.move(id, was.device, is.device);
    bed.move(id, was.bed, is.bed);
    patient.move(id, was.patient, is.patient);
    if (was.device !== is.device && this.#explains(condition))
      this.#explainingOfDevice.move(id, was.device, is.device);
  }
}

const NOTHING: Subject = {};

/** What an open alert is about. */
const subjectOf = (alert: Alert | undefined): Subject =>
  alert === undefined || alert.resolution !== undefined ? NOTHING : alert.subject;
