import { assert } from '../../base/assert.ts';
import { TREND_SYNC_MS } from '../../base/trend-limits.ts';
import type { SeriesInfo } from '../../trend/series.ts';

/** One that a device brought. Better is greater: `join` keeps the greatest of one time. */
export interface Sample {
  readonly name: string;
  readonly series: number;
  readonly time: number;
  readonly value: number;
}

/** Values by name, as one replica tells them. */
export type Held = ReadonlyMap<string, number>;

/** What a sample is called: its series and its time. */
export const nameOf = (
  info: Pick<SeriesInfo, 'patient' | 'device' | 'metric'>,
  time: number,
): string => `${info.patient}/${info.device}/${info.metric} ${time}`;

/** The newest second may be lost with a process, by a clock that goes slow and a disk that is slow to sync. */
export const LOST_MS_MAX: number = TREND_SYNC_MS * 2;

/** A sample that a member acknowledged. */
interface Kept {
  readonly at: number;
  readonly sample: Sample;
}

/**
 * What the trend tier may lose, and what it may not: an acknowledged sample is lost at most when its replica dies within the
 * second; all that live come to hold the same, whatever came late, twice or to several of them; and what one holds grows.
 */
export class TrendPromises {
  readonly #sent: Map<string, Set<number>> = new Map();
  /** By member: acknowledged, and not at risk by its deaths so far. */
  readonly #kept: Map<number, Kept[]> = new Map();
  readonly #seen: Map<number, Held> = new Map();
  taken = 0;

  sent(samples: readonly Sample[]): void {
    for (const { name, value } of samples) {
      const values = this.#sent.get(name);
      if (values === undefined) this.#sent.set(name, new Set([value]));
      else values.add(value);
    }
  }

  /** A member has acknowledged them. */
  keep(member: number, at: number, samples: readonly Sample[]): void {
    this.taken += samples.length;
    const kept = this.#kept.get(member) ?? [];
    kept.push(...samples.map((sample) => ({ at, sample })));
    this.#kept.set(member, kept);
  }

  /** It ran until then. */
  died(member: number, at: number): void {
    const kept = this.#kept.get(member) ?? [];
    while ((kept.at(-1)?.at ?? Number.NEGATIVE_INFINITY) > at - LOST_MS_MAX) kept.pop();
  }

  /** What a member that lives on holds now: sent by somebody, and no less than the last time. */
  look(member: number, held: Held): void {
    for (const [name, value] of held)
      assert(
        this.#sent.get(name)?.has(value) === true,
        () => `trends of ${member}: nobody sent ${value} as ${name}`,
      );
    for (const [name, value] of this.#seen.get(member) ?? [])
      assert(
        (held.get(name) ?? Number.NEGATIVE_INFINITY) >= value,
        () => `trends of ${member}: ${name} was ${value}, and is ${held.get(name)} now`,
      );
    this.#seen.set(member, held);
  }

  /** What these members do not hold yet, in words, if it is not all that they promised, or not the same. */
  missing(members: readonly number[], helds: readonly Held[]): string | undefined {
    const [first] = helds;
    for (const [at, held] of helds.entries()) {
      const difference = first && differenceOf(first, held);
      if (difference !== undefined) return `${members[0]} and ${members[at]} differ: ${difference}`;
      for (const member of members)
        for (const { sample } of this.#kept.get(member) ?? [])
          if ((held.get(sample.name) ?? Number.NEGATIVE_INFINITY) < sample.value)
            return `${member} has acknowledged ${sample.value} as ${sample.name}, and ${members[at]} has not got it`;
    }
    return undefined;
  }
}

function differenceOf(one: Held, other: Held): string | undefined {
  for (const name of [...one.keys(), ...other.keys()])
    if (one.get(name) !== other.get(name))
      return `${name} is ${one.get(name)} and ${other.get(name)}`;
  return undefined;
}
