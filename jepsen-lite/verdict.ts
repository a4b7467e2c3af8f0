import type { Code } from '../src/base/errors.ts';

export type Verdict = 'valid' | 'INVALID' | 'VOID';

export interface Evidence {
  /** What went wrong with the replicas themselves. */
  readonly seen: readonly string[];
  /** What the checkers found in the history. */
  readonly found: readonly string[];
  /** Why the run proves too little. */
  readonly voids: readonly string[];
  /** No event is missing in the history; else checkers find what never was. */
  readonly isWhole: boolean;
}

interface Judgement {
  readonly verdict: Verdict;
  /** Why, when it is not valid. */
  readonly why: readonly string[];
}

/** What is wrong stays wrong, however little else the run proves. */
export function verdictOf({ seen, found, voids, isWhole }: Evidence): Judgement {
  const why = isWhole ? [...seen, ...found, ...voids] : [...seen, ...voids, ...found];
  if (seen.length > 0 || (isWhole && found.length > 0)) return { verdict: 'INVALID', why };
  return { verdict: voids.length > 0 ? 'VOID' : 'valid', why };
}

/** What callers may be told while things fail; the alerts' own refusals are held against the model. */
const EXPECTED: readonly Code[] = [
  'ALERT_NOT_FOUND',
  'REVISION_MISMATCH',
  'ACTIVATION_MISMATCH',
  'ALREADY_RESOLVED',
  'GUARD_FAILED',
  'SESSION_EXPIRED',
  'CURSOR_EXPIRED',
  'UNAVAILABLE',
  'OVERLOADED',
  'DEADLINE_EXCEEDED',
  'OUTCOME_UNKNOWN',
  'CANCELLED',
  'CLOSED',
];

/** Any other code is a fault of the cluster: bytes that make no sense, an answer of somebody else, a bug. */
export const brokenPromises = (codes: Partial<Record<Code, number>>): readonly string[] =>
  Object.entries(codes)
    .filter(([code]) => !EXPECTED.includes(code as Code))
    .map(([code, count]) => `callers were told ${code}, ${count} times`);
