import { TocsinError } from '../base/errors.ts';
import { hashText } from '../base/hash.ts';
import { TREND_SERIES_MAX } from '../base/trend-limits.ts';

/** What is measured, of whom, by what. */
export interface SeriesInfo {
  /** Pseudonym. */
  readonly patient: string;
  readonly device: string;
  readonly metric: string;
  /** In UCUM; empty = without one. */
  readonly unit: string;
}

/** A hash of the key: the same on all replicas, without any of them asking another. */
export type SeriesId = number;

/** `pt-07f3/mon-01/HR`. A slash inside a name must not make two series one. */
export const seriesKey = ({ patient, device, metric }: SeriesInfo): string =>
  [patient, device, metric].map(escaped).join('/');

const escaped = (name: string): string => name.replaceAll('%', '%25').replaceAll('/', '%2F');

export const seriesIdOf = (info: SeriesInfo): SeriesId => hashText(seriesKey(info));

export interface Series {
  readonly id: SeriesId;
  readonly key: string;
  readonly info: SeriesInfo;
  /** In this registry, from 0 on; means nothing elsewhere. */
  readonly place: number;
}

/** The series that a replica knows. None is ever forgotten while it runs. */
export class SeriesRegistry {
  readonly #all: Series[] = [];
  readonly #byId: Map<SeriesId, Series> = new Map();

  get size(): number {
    return this.#all.length;
  }

  /**
   * Finds the series, or takes it in.
   * @throws TocsinError OVERLOADED when there are TREND_SERIES_MAX; KEY_REUSED when another key has its hash
   */
  register(info: SeriesInfo): Series {
    const key = seriesKey(info);
    const id = hashText(key);
    const known = this.#byId.get(id);
    if (known !== undefined) {
      if (known.key === key) return known;
      throw new TocsinError('KEY_REUSED', `series ${key} has the hash of ${known.key}`);
    }
    if (this.#all.length >= TREND_SERIES_MAX)
      throw new TocsinError('OVERLOADED', `there are ${TREND_SERIES_MAX} series already`);
    const series: Series = { id, key, info, place: this.#all.length };
    this.#all.push(series);
    this.#byId.set(id, series);
    return series;
  }

  at(place: number): Series | undefined {
    return this.#all[place];
  }

  withId(id: SeriesId): Series | undefined {
    return this.#byId.get(id);
  }

  [Symbol.iterator](): IterableIterator<Series> {
    return this.#all.values();
  }
}
