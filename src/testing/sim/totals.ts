import type { Outcome } from './run.ts';
import { FAULTS, LOSSES } from './scenario.ts';

/** Sums over many runs. */
export interface Totals {
  seeds: number;
  failed: number;
  virtualMs: number;
  steps: number;
  checks: number;
  operations: number;
  acknowledged: number;
  events: number;
  watchMessages: number;
  samples: number;
  undecided: number;
  /** By the rule that was broken. */
  readonly findings: Record<string, number>;
  readonly faults: Record<string, number>;
  readonly pairs: string[];
}

export const emptyTotals = (): Totals => ({
  seeds: 0,
  failed: 0,
  virtualMs: 0,
  steps: 0,
  checks: 0,
  operations: 0,
  acknowledged: 0,
  events: 0,
  watchMessages: 0,
  samples: 0,
  undecided: 0,
  findings: {},
  faults: {},
  pairs: [],
});

export const totalsOf = ({ findings, trace: _, ...outcome }: Outcome): Totals => ({
  ...outcome,
  seeds: 1,
  failed: outcome.ok ? 0 : 1,
  findings: countsOf(findings.map(({ rule }) => rule)),
  faults: { ...outcome.faults },
  pairs: [...outcome.pairs],
});

export function addTotals(totals: Totals, more: Totals): void {
  for (const name of SUMS) totals[name] += more[name];
  addCounts(totals.findings, more.findings);
  addCounts(totals.faults, more.faults);
  const known = new Set(totals.pairs);
  for (const pair of more.pairs) if (!known.has(pair)) totals.pairs.push(pair);
}

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) addCounts(counts, { [name]: 1 });
  return counts;
}

function addCounts(to: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) to[name] = (to[name] ?? 0) + count;
}

const SUMS = [
  'seeds',
  'failed',
  'virtualMs',
  'steps',
  'checks',
  'operations',
  'acknowledged',
  'events',
  'watchMessages',
  'samples',
  'undecided',
] as const satisfies readonly (keyof Totals)[];

/** Pairs of different kinds of faults that can meet: votes are not moved where disks may lose what was acknowledged. */
export const PAIRS_MAX: number = (FAULTS.length * (FAULTS.length - 1)) / 2 - LOSSES.length;

const HOUR_MS = 3_600_000;

/** One line, for people. `seconds` is what it took of one core, which may have been shared with others. */
export function rateOf(totals: Totals, seconds: number): string {
  const { seeds, virtualMs, steps, operations, undecided, failed, faults, pairs } = totals;
  const strikes = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const a = (count: number, digits: number): string =>
    ((count * 1_000) / Math.max(virtualMs, 1)).toFixed(digits);
  return [
    `${seeds} seeds`,
    `${(virtualMs / HOUR_MS).toFixed(2)} h simulated`,
    `${(virtualMs / 1_000 / seconds).toFixed(0)} × real time per core`,
    `${(steps / seconds / 1_000).toFixed(0)}k events/s`,
    `${operations} operations`,
    `a simulated second: ${a(steps, 0)} events, ${a(operations, 1)} operations, ${a(strikes, 2)} faults`,
    `${strikes} faults`,
    `${pairs.length} of ${PAIRS_MAX} pairs met`,
    `${undecided} conditions not decided`,
    `${failed} failed`,
  ].join(', ');
}

/** One line: how often each kind of fault struck, the most frequent first. */
export const faultsOf = ({ faults }: Totals): string =>
  Object.entries(faults)
    .sort(([, a], [, b]) => b - a)
    .map(([fault, count]) => `${fault} ${count}`)
    .join(', ');
