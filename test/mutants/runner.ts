import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childIsGone, reapChild } from '../../cli/local/reaper.ts';
import { must } from '../../src/base/assert.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS, mutantNamed } from './table.ts';

/**
 * npm run test:mutants [-- NAME…]
 *
 * Runs each mutant's tests with the bug in place. A mutant is killed by a test that ran and failed; tests that could not
 * even be loaded prove nothing, and count as a failure of the mutant itself. Where the tests draw what they try, one that
 * lives is tried once more with many times the draws.
 */

type Verdict = 'killed' | 'SURVIVED' | 'BROKEN';

interface Report {
  readonly numFailedTests?: number;
  readonly testResults?: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

interface Outcome {
  readonly verdict: Verdict;
  /** The test that failed, or what went wrong. */
  readonly by: string;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Most mutants have one file of tests, which keeps one core busy. */
const LANES = [0, 1];
/** A bug that makes a loop endless also holds the timers of whoever tests it. */
const JUDGED_MS_MAX = 5 * 60_000;
/** What a draw shows one time in three must not be left to one draw. */
const TIMES_OF_SECOND_TRY = 20;
const ROOT = join(import.meta.dirname, '..', '..');

/** Ends with the exit status: 0 when every mutant was killed. */
export async function runMutants(names: readonly string[]): Promise<0 | 1> {
  const chosen = names.length === 0 ? MUTANTS : names.map(mutantNamed);
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-mutants-'));
  const width = Math.max(...chosen.map(({ name }) => name.length));
  const left = [...chosen];
  const alive: string[] = [];
  const judgeInLane = async (lane: number): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const began = performance.now();
      const { verdict, by } = await judge(mutant, join(folder, `report-${lane}.json`));
      const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
      const line = `${mutant.name.padEnd(width)} ${seconds} s  ${verdict.padEnd(8)}  ${by}`;
      if (verdict !== 'killed') alive.push(line);
      say(line);
    }
  };
  try {
    await Promise.all(LANES.map(judgeInLane));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  // Again at the end, where whoever sees only the last lines looks.
  for (const line of alive) say(`not killed: ${line}`);
  say(`${chosen.length - alive.length} passed, ${alive.length} failed`);
  return alive.length === 0 ? 0 : 1;
}

async function judge(mutant: Mutant, report: string): Promise<Outcome> {
  const first = await tried(mutant, report, 1);
  return first.verdict === 'SURVIVED' ? tried(mutant, report, TIMES_OF_SECOND_TRY) : first;
}

/** What comes of the mutant's tests when each draws so many times what it does by itself. */
async function tried(mutant: Mutant, report: string, times: number): Promise<Outcome> {
  rmSync(report, { force: true });
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const filter = mutant.test === undefined ? [] : ['--testNamePattern', mutant.test];
  const output = ['--reporter=json', `--outputFile.json=${report}`, '--bail=1'];
  // With more to do a test takes longer, and one that was not given the time has found nothing.
  const patience = times === 1 ? [] : ['--testTimeout', String(JUDGED_MS_MAX)];
  const args = [vitest, 'run', ...mutant.killedBy, ...filter, ...output, ...patience];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: 'ignore',
    // With its workers it is a group, which can be ended as one.
    detached: true,
    env: { ...process.env, MUTANT: mutant.name, TIMES: String(times) },
  });
  const pid = must(child.pid, 'a process');
  reapChild(-pid);
  let isEndless = false;
  const timer = setTimeout(() => {
    isEndless = true;
    process.kill(-pid, 'SIGKILL');
  }, JUDGED_MS_MAX);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  childIsGone(-pid);
  if (isEndless) return { verdict: 'BROKEN', by: `not ended within ${JUDGED_MS_MAX / 1000} s` };
  return verdictOf(read(report));
}

/** What a run of vitest says about the mutant in it. */
export function verdictOf(report: Report): Outcome {
  const results = report.testResults ?? [];
  const failed = results
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  if (failed !== undefined) return { verdict: 'killed', by: failed.fullName };
  const unloaded = results.find(({ status }) => status === 'failed');
  if (unloaded !== undefined)
    return { verdict: 'BROKEN', by: unloaded.message.split('\n')[0] ?? '' };
  if (results.length === 0) return { verdict: 'BROKEN', by: 'no test ran' };
  return { verdict: 'SURVIVED', by: `${results.length} files of tests passed` };
}

function read(path: string): Report {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return {};
  }
}
