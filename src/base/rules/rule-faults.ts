import { RUN_SAMPLES_MAX } from '../limits.ts';
import type { ListedRule } from './listed-rules.ts';
import { METRICS } from './metrics.ts';

/** What is wrong with one rule alone. `findProblem` has the relations between rules. */
export interface RuleFault {
  readonly field: string;
  readonly message: string;
}

/** Field → from, to, and whether it is a whole number. */
type Ranges = Readonly<Record<string, readonly [min: number, max: number, whole?: 'whole']>>;

const RUNS: Ranges = {
  startAfter: [1, RUN_SAMPLES_MAX, 'whole'],
  endAfter: [1, RUN_SAMPLES_MAX, 'whole'],
};
const HOLDS: Ranges = {
  startAfterSeconds: [0, RUN_SAMPLES_MAX, 'whole'],
  endAfterSeconds: [0, RUN_SAMPLES_MAX, 'whole'],
  validMinutes: [1, 10_080, 'whole'],
};

const TRENDS: Readonly<Record<string, Ranges>> = {
  stuck: RUNS,
  rate: { ...RUNS, perMinute: [0.01, 1_000], overSeconds: [5, 3_600] },
  zscore: { ...RUNS, limit: [1, 100] },
  ewma: { ...RUNS, weight: [0.01, 1], limit: [1, 100] },
  cusum: { ...RUNS, slack: [0, 10], limit: [1, 100] },
  slope: { ...RUNS, withinMinutes: [1, 240], points: [3, 120, 'whole'] },
};

const SCORES: Readonly<Record<string, Ranges>> = {
  news2: {
    ...HOLDS,
    limit: [1, 20, 'whole'],
    singleLimit: [1, 3, 'whole'],
    scale: [1, 2, 'whole'],
  },
  mews: { ...HOLDS, limit: [1, 14, 'whole'] },
  qsofa: { ...HOLDS, limit: [1, 3, 'whole'] },
  'shock-index': { ...HOLDS, limit: [0.1, 10] },
  'early-warning': {
    ...HOLDS,
    limit: [1, 20],
    windowMinutes: [1, 720, 'whole'],
    scoresMin: [1, 720, 'whole'],
  },
};

/** The first figure out of its range, or undefined. Types are taken to be right. */
export function findFault(rule: ListedRule): RuleFault | undefined {
  switch (rule.list) {
    case 'rules': {
      const { limitMin, limitMax, unit } = METRICS[rule.metric];
      const ranges = { ...RUNS, hysteresis: [0, limitMax - limitMin] } as const;
      return outOf(rule, ranges) ?? outOf(rule, { limit: [limitMin, limitMax] }, ` ${unit}`);
    }
    case 'missing':
      return outOf(rule, RUNS);
    case 'trends':
      return outOf(rule, TRENDS[rule.kind] ?? {});
    case 'scores':
      return outOf(rule, SCORES[rule.kind] ?? {});
    case 'profiles':
      return undefined;
  }
}

function outOf(rule: ListedRule, ranges: Ranges, unit = ''): RuleFault | undefined {
  for (const [field, value] of Object.entries(rule)) {
    const range = ranges[field];
    if (range === undefined) continue;
    const [min, max, whole] = range;
    if (whole === 'whole' && !Number.isSafeInteger(value))
      return { field, message: `${value} is not a whole number` };
    if (!(typeof value === 'number' && value >= min && value <= max))
      return { field, message: `${value} is not between ${min} and ${max}${unit}` };
  }
  return undefined;
}
