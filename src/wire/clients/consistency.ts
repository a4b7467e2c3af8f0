import { type Revision, revision } from '../../base/ids.ts';
import { READ_AGE_MS_MAX } from '../../base/limits.ts';
import type { Bounds, Consistency } from '../../statemachine/alert-api.ts';
import { asFields, asOneOf, asWhole, refuse, type Unchecked } from '../check.ts';

/** How fresh a read has to be, as a request names it: a word, or a map of bounds. */

const WORDS: readonly Extract<Consistency, string>[] = ['linearizable', 'lease', 'local'];
const BOUNDS: ReadonlySet<string> = new Set<keyof Bounds>(['maxAgeMs', 'minRevision']);

/** @throws TocsinError BAD_REQUEST naming the field */
export function parseConsistency(value: unknown): Consistency {
  if (typeof value !== 'object') return asOneOf('request', 'consistency', value, WORDS);
  const bounds: Unchecked<Bounds> = asFields('request', 'consistency', value, BOUNDS);
  const { maxAgeMs, minRevision } = bounds;
  if (maxAgeMs === undefined && minRevision === undefined)
    refuse('request', 'consistency', 'must have maxAgeMs, minRevision or both');
  return {
    ...(maxAgeMs === undefined
      ? {}
      : { maxAgeMs: asWhole('request', 'maxAgeMs', maxAgeMs, 0, READ_AGE_MS_MAX) }),
    ...(minRevision === undefined ? {} : { minRevision: parseLeast(minRevision) }),
  };
}

const parseLeast = (value: unknown): Revision =>
  revision(asWhole('request', 'minRevision', value, 0, Number.MAX_SAFE_INTEGER));
