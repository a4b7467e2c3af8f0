import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childIsGone, reapChild } from '../../cli/local/reaper.ts';
import { hunt, ROOT, say, type Way } from './hunt.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS, mutantNamed } from './table.ts';

/**
 * npm run jepsen -- --mutants [NAME…]
 *
 * Compiles the product with each seeded bug that shows to callers of real processes, and breaks clusters of it until a run is
 * INVALID. Prints how many runs and how long that took, and what was found. Begins with the product as it is, which no
 * run may find fault with.
 */

const LOAD = [
  '--time',
  '10',
  '--rate',
  '200',
  '--interval',
  '0.7',
  '--lasts',
  '1',
  '--recovery',
  '15',
];
/** A cluster waits more than it works. */
const LANES = 2;
/** A run may miss what depends on timing, or end void where too little was acknowledged. */
const RUNS_MAX = 4;
/** After so long no bug gets more than one run. */
const HUNT_MS = 10 * 60_000;
const SAYS_MAX = 120;

/** Ends with the exit status: 0 when the product was found good and every bug was found. */
export async function runProcesses(names: readonly string[]): Promise<0 | 1> {
  const chosen =
    names.length === 0
      ? MUTANTS.filter(({ processes }) => processes !== undefined)
      : names.map(mutantNamed);
  const odd = chosen.find(({ processes }) => processes === undefined);
  if (odd !== undefined) throw new Error(`${odd.name} does not show to callers of real processes`);
  const control = await runOnce(join(ROOT, 'dist'), '', 1);
  say(`without a bug: ${control.verdict}${control.why.map((line) => `\n  ${line}`).join('')}`);
  const deadline = performance.now() + HUNT_MS;
  const status = await hunt(
    chosen,
    async (mutant, dist) => [await breakUntilFound(mutant, dist, deadline)],
    LANES,
  );
  return control.verdict === 'valid' ? status : 1;
}

async function breakUntilFound(
  { processes = '' }: Mutant,
  dist: string,
  deadline: number,
): Promise<Way> {
  const began = performance.now();
  let seed = 1;
  for (; seed === 1 || (seed <= RUNS_MAX && performance.now() < deadline); seed += 1) {
    const { verdict, why, leftOut } = await runOnce(dist, processes, seed);
    const seconds = ((performance.now() - began) / 1_000).toFixed(0).padStart(3);
    const says = `runs ${seed}, ${seconds} s  ${why[0] ?? ''}`.split('\n')[0] ?? '';
    if (verdict === 'INVALID') return { found: true, says: says.slice(0, SAYS_MAX) };
    if (isAllLeftOut(processes, leftOut))
      return { found: false, impossible: true, says: `not possible here: ${processes}` };
  }
  return { found: false, says: `NOT FOUND in ${seed - 1} runs` };
}

/** Whether nothing of what was to be broken can be broken here. */
function isAllLeftOut(options: string, leftOut: Printed['leftOut'] = {}): boolean {
  const names = /--nemesis (\S+)/.exec(options)?.[1]?.split(',') ?? [];
  return names.length > 0 && names.every((name) => name in leftOut);
}

/** What jepsen-lite prints with --json, as far as it is used here. */
interface Printed {
  readonly verdict: string;
  readonly why: readonly string[];
  readonly leftOut?: Readonly<Record<string, string>>;
}

/** This checkout's harness against the program in `dist`. @throws Error when it could not be run */
async function runOnce(dist: string, options: string, seed: number): Promise<Printed> {
  const out = mkdtempSync(join(tmpdir(), 'tocsin-processes-'));
  const program = ['--program', join(dist, 'cli', 'main.js')];
  const run = ['--seed', `${seed}`, '--out', out, '--minimum', '1', '--json'];
  const words = options.split(' ').filter((word) => word !== '');
  const main = join(ROOT, 'dist', 'jepsen-lite', 'main.js');
  try {
    const args = [main, ...LOAD, ...words, ...program, ...run];
    return JSON.parse(await printedBy(args)) as Printed;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

async function printedBy(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid = 0 } = child;
  reapChild(pid);
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  childIsGone(pid);
  if (printed === '') throw new Error(`jepsen-lite printed nothing: ${args.join(' ')}`);
  return printed;
}
