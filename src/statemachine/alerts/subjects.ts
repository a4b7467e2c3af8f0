import { must } from '../../base/assert.ts';
import { LOOKS_PER_SUBJECT_MIN } from '../../base/limits.ts';
import { SubjectIndex } from '../collections/subject-index.ts';
import type { Alert, Glance, Subject } from '../types.ts';
import type { AlertTable } from './alert-table.ts';
import { knownAs, Neighbours } from './neighbours.ts';

/** The open alerts by what they are about. */
export class Subjects {
  readonly #about: Readonly<Record<'device' | 'bed' | 'patient', SubjectIndex>>;
  readonly neighbours: Neighbours;

  constructor(table: AlertTable) {
    const by = (aboutOf: (alert: Glance) => string | undefined): SubjectIndex =>
      new SubjectIndex(table.seed, (number) =>
        aboutOf(must(table.glanceAt(number), 'A% is not open', number)),
      );
    const device = by(({ subject }) => subject.device);
    const bed = by(({ subject }) => subject.bed);
    const patient = by(({ subject }) => subject.patient);
    this.#about = { device, bed, patient };
    this.neighbours = new Neighbours(table, device, by(knownAs));
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

  /** A record takes the place of the one before, if there was one. */
  file(before: Alert | undefined, alert: Alert): void {
    if (before?.subject !== alert.subject || before.resolution !== alert.resolution)
      this.#move(alert.id, subjectOf(before), subjectOf(alert));
    this.neighbours.file(before, alert);
  }

  #move(id: Alert['id'], was: Subject, is: Subject): void {
    const { device, bed, patient } = this.#about;
    device.move(id, was.device, is.device);
    bed.move(id, was.bed, is.bed);
    patient.move(id, was.patient, is.patient);
  }
}

const NOTHING: Subject = {};

/** What an open alert is about. */
const subjectOf = (alert: Alert | undefined): Subject =>
  alert === undefined || alert.resolution !== undefined ? NOTHING : alert.subject;
