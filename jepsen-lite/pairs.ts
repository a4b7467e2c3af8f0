import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FAULTS, type NemesisName } from './nemeses/table.ts';
import type { Options } from './options.ts';
import type { Run } from './run.ts';
import type { Verdict } from './verdict.ts';
import { WORKLOADS, type WorkloadName } from './workloads/table.ts';

/** Each fault with each kind of work, one run after another: what a draw of many may never bring together. */

interface Pair {
  readonly nemesis: NemesisName;
  readonly workload: WorkloadName;
}

/** What became of one: a verdict, or why there is none. */
export interface PairOutcome extends Pair {
  /** `none`: nothing was struck, so nothing was shown. */
  readonly verdict: Verdict | 'left out' | 'none' | 'failed';
  /** Faults that were struck. */
  readonly struck: number;
  readonly why: readonly string[];
  /** Of a run that is not valid. */
  readonly folder?: string;
}

/** By nemesis, then by workload; `mixed` stands for each kind of work by itself. */
export function pairsOf({ nemeses, workload }: Pick<Options, 'nemeses' | 'workload'>): Pair[] {
  const workloads =
    workload === 'mixed' ? WORKLOADS.filter((name) => name !== 'mixed') : [workload];
  return nemeses.flatMap((nemesis) => workloads.map((name) => ({ nemesis, workload: name })));
}

/** As many replicas as the fault needs, an odd number; and a folder and a seed of its own. */
export function optionsOf(options: Options, { nemesis, workload }: Pair, at: number): Options {
  const least = Math.max(options.replicas, FAULTS[nemesis].replicasMin ?? 1);
  return {
    ...options,
    nemeses: [nemesis],
    workload,
    replicas: least + (least > options.replicas && least % 2 === 0 ? 1 : 0),
    seed: options.seed + at,
    out: join(folderOf(options), `${nemesis}-${workload}`),
  };
}

const folderOf = ({ out, seed }: Pick<Options, 'out' | 'seed'>): string =>
  out ?? join('jepsen-runs', `pairs-${seed}`);

function outcomeOf(
  pair: Pair,
  {
    verdict,
    why,
    faults,
    leftOut,
    folder,
  }: Pick<Run, 'verdict' | 'why' | 'faults' | 'leftOut' | 'folder'>,
): PairOutcome {
  const lacking = leftOut[pair.nemesis];
  const struck = faults[pair.nemesis] ?? 0;
  if (verdict !== 'valid') return { ...pair, verdict, struck, why, folder };
  if (lacking !== undefined) return { ...pair, verdict: 'left out', struck, why: [lacking] };
  return { ...pair, verdict: struck === 0 ? 'none' : 'valid', struck, why: [] };
}

/** Runs them all; what is valid leaves no folder behind. Ends early when `interrupted` aborts. */
export async function runPairs(
  options: Options,
  runOne: (options: Options) => Promise<Run>,
  log: (line: string) => void,
  interrupted: AbortSignal,
): Promise<PairOutcome[]> {
  const outcomes: PairOutcome[] = [];
  await mkdir(folderOf(options), { recursive: true });
  for (const [at, pair] of pairsOf(options).entries()) {
    if (interrupted.aborted) break;
    const own = optionsOf(options, pair, at);
    const outcome = await tryOne(pair, () => runOne(own));
    if (outcome.folder === undefined && outcome.verdict !== 'failed')
      await rm(own.out ?? '', { recursive: true, force: true });
    outcomes.push(outcome);
    log(lineOf(outcome));
    const all = `${JSON.stringify({ seconds: options.seconds, outcomes }, null, 2)}\n`;
    await writeFile(join(folderOf(options), 'pairs.json'), all);
  }
  return outcomes;
}

async function tryOne(pair: Pair, runOne: () => Promise<Run>): Promise<PairOutcome> {
  try {
    return outcomeOf(pair, await runOne());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ...pair, verdict: 'failed', struck: 0, why: [why] };
  }
}

const lineOf = ({ nemesis, workload, verdict, struck, why }: PairOutcome): string =>
  `${nemesis} with ${workload}: ${verdict}, ${struck} struck${why.length === 0 ? '' : `: ${why[0]}`}`;

/** 0 = each was valid or cannot be made here; 1 = one is INVALID, 2 = one proves too little, 3 = one could not be run. */
export function exitOf(outcomes: readonly PairOutcome[]): number {
  const has = (verdict: PairOutcome['verdict']): boolean =>
    outcomes.some((one) => one.verdict === verdict);
  if (has('INVALID')) return 1;
  if (has('failed')) return 3;
  return has('VOID') || has('none') || outcomes.length === 0 ? 2 : 0;
}

/** A row for each fault, a column for each kind of work: how often it struck, or the verdict where that is not valid. */
export function tableOf(outcomes: readonly PairOutcome[]): string {
  const columns = [...new Set(outcomes.map(({ workload }) => workload))];
  const rows = [...new Set(outcomes.map(({ nemesis }) => nemesis))].map((nemesis) => [
    nemesis,
    ...columns.map((workload) => {
      const one = outcomes.find((each) => each.nemesis === nemesis && each.workload === workload);
      return one === undefined ? '' : one.verdict === 'valid' ? `${one.struck}` : one.verdict;
    }),
  ]);
  const all = [['', ...columns], ...rows];
  const widths =
    all[0]?.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length))) ?? [];
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}
