import { must } from '../../base/assert.ts';
import { RULE_SUBJECTS_MAX } from '../../base/limits.ts';
import { isMetricName, METRIC_NAMES } from '../../base/rules/metrics.ts';
import type { SeriesInfo, SeriesRegistry } from '../../trend/series.ts';

/** Who speaks: nobody yet, a peer, or this replica. */
export type Home = 'none' | 'peer' | 'own';

/** A patient at a device. */
export interface Subject {
  readonly number: number;
  readonly info: SeriesInfo;
  readonly patient: Patient;
  home: Home;
}

export interface Patient {
  readonly number: number;
  readonly name: string;
  home: Home;
  /** When a sample came that was brought to this replica. */
  ownAt: number;
}

/** Told of each that is new. */
export interface Introductions {
  subject(subject: Subject): void;
  patient(patient: Patient): void;
}

/** Whom the series of a registry are about, by their places. */
export class Subjects {
  /** Series of patients for whom there is no room. */
  leftOut = 0;
  readonly all: Subject[] = [];
  readonly #registry: SeriesRegistry;
  readonly #introductions: Introductions;
  /** By place; null = not judged. */
  readonly #places: (Subject | null | undefined)[] = [];
  readonly #metrics: number[] = [];
  readonly #subjects: Map<string, Subject> = new Map();
  readonly #patients: Patient[] = [];
  readonly #byName: Map<string, Patient> = new Map();

  constructor(registry: SeriesRegistry, introductions: Introductions) {
    this.#registry = registry;
    this.#introductions = introductions;
  }

  /** Undefined = nobody judges the series. */
  at(place: number): Subject | undefined {
    const known = this.#places[place];
    if (known !== undefined) return known ?? undefined;
    return this.#introduce(place);
  }

  named(patient: string, device: string): Subject | undefined {
    return this.#subjects.get(nameOf(patient, device));
  }

  patientNamed(name: string): Patient | undefined {
    return this.#byName.get(name);
  }

  /** The place in METRIC_NAMES of what a judged series measures. */
  metricAt(place: number): number {
    return this.#metrics[place] as number;
  }

  subject(number: number): Subject {
    return must(this.all[number], `no subject ${number}`);
  }

  patient(number: number): Patient {
    return must(this.#patients[number], `no patient ${number}`);
  }

  #introduce(place: number): Subject | undefined {
    // Without holes, an array of them is as fast as a typed one.
    while (this.#places.length <= place) {
      this.#places.push(undefined);
      this.#metrics.push(0);
    }
    const info = this.#registry.at(place)?.info;
    const isKnown = info !== undefined && isMetricName(info.metric);
    const subject = isKnown ? this.#subjectOf(info) : undefined;
    this.#places[place] = subject ?? null;
    if (isKnown) this.#metrics[place] = METRIC_NAMES.indexOf(info.metric);
    return subject;
  }

  #subjectOf(info: SeriesInfo): Subject | undefined {
    const name = nameOf(info.patient, info.device);
    const known = this.#subjects.get(name);
    if (known !== undefined) return known;
    if (this.all.length >= RULE_SUBJECTS_MAX) {
      this.leftOut += 1;
      return undefined;
    }
    const patient = this.#patientOf(info.patient);
    const subject: Subject = { number: this.all.length, info, patient, home: 'none' };
    this.#subjects.set(name, subject);
    this.all.push(subject);
    this.#introductions.subject(subject);
    return subject;
  }

  #patientOf(name: string): Patient {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const patient: Patient = { number: this.#patients.length, name, home: 'none', ownAt: 0 };
    this.#byName.set(name, patient);
    this.#patients.push(patient);
    this.#introductions.patient(patient);
    return patient;
  }
}

const nameOf = (patient: string, device: string): string => JSON.stringify([patient, device]);
