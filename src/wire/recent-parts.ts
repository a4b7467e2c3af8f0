import type { Cause, Subject } from '../statemachine/types.ts';

/**
 * Parts of alerts seen before, by what they hold. Many alerts are about one patient, and many have one cause to the digit:
 * they share it, so that very many of them are fewer objects, all of which the collector of garbage has to look at. A newer
 * part takes the place of another one with the same hash, so the table is bounded, and nothing depends on who shares.
 */
class RecentParts<T> {
  readonly #parts: (T | undefined)[];
  readonly #hashOf: (part: T) => number;
  readonly #isSame: (one: T, other: T) => boolean;
  readonly #mask: number;

  /** `size`: a power of two. */
  constructor(size: number, hashOf: (part: T) => number, isSame: (one: T, other: T) => boolean) {
    this.#parts = new Array<undefined>(size).fill(undefined);
    this.#hashOf = hashOf;
    this.#isSame = isSame;
    this.#mask = size - 1;
  }

  shared(part: T): T {
    const slot = this.#hashOf(part) & this.#mask;
    const there = this.#parts[slot];
    if (there !== undefined && this.#isSame(there, part)) return there;
    this.#parts[slot] = part;
    return part;
  }
}

const subjects: RecentParts<Subject> = new RecentParts(
  8_192,
  ({ unit, bed, patient, device }) =>
    spread(textIn(textIn(textIn(textIn(7, unit), bed), patient), device)),
  (one, other) =>
    one.patient === other.patient &&
    one.bed === other.bed &&
    one.device === other.device &&
    one.unit === other.unit,
);

const causes: RecentParts<Cause> = new RecentParts(
  4_096,
  ({ metric, value, limit }) => spread(numberIn(numberIn(textIn(7, metric), value), limit)),
  (one, other) =>
    Object.is(one.value, other.value) &&
    one.metric === other.metric &&
    Object.is(one.limit, other.limit) &&
    one.rule === other.rule &&
    one.unit === other.unit,
);

/** The same subject, as whoever came before holds it. Nobody may change either. */
export const sharedSubject = (subject: Subject): Subject => subjects.shared(subject);

/** The same cause. */
export const sharedCause = (cause: Cause): Cause => causes.shared(cause);

function textIn(hash: number, text = ''): number {
  let result = Math.imul(hash ^ text.length, 0x01000193);
  for (let i = 0; i < text.length; i += 1)
    result = Math.imul(result ^ text.charCodeAt(i), 0x01000193);
  return result;
}

/** Readings have a few digits behind the point. */
const numberIn = (hash: number, value: number | null | undefined): number =>
  Math.imul(hash ^ ((value ?? -1) * 1_024), 0x01000193);

/** The lowest bits, which decide, of all of them. */
const spread = (hash: number): number => hash ^ (hash >>> 15);
