import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildMutant } from './build.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS, mutantNamed } from './table.ts';

/**
 * npm run sim -- --mutants [NAME…] [--seeds N]
 *
 * Compiles the product with each seeded bug that shows in a running cluster, and simulates seeds until one fails. Prints
 * how many seeds, and how much simulated and real time, that took.
 */

const ROOT = join(import.meta.dirname, '..', '..');
const SEEDS_MAX = '1000';
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Ends with the exit status: 0 when every bug was found. */
export async function runSimulated(args: readonly string[]): Promise<0 | 1> {
  const at = args.indexOf('--seeds');
  const seeds = (at < 0 ? undefined : args[at + 1]) ?? SEEDS_MAX;
  const names = args.filter((_, place) => at < 0 || (place !== at && place !== at + 1));
  const chosen =
    names.length === 0 ? MUTANTS.filter(({ simulated }) => simulated) : names.map(mutantNamed);
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-simulated-'));
  const width = Math.max(...chosen.map(({ name }) => name.length));
  let missed = 0;
  try {
    for (const mutant of chosen) {
      const found = findBug(mutant, folder, seeds);
      if (found === undefined) missed += 1;
      say(`${mutant.name.padEnd(width)}  ${found ?? `NOT FOUND in ${seeds} seeds`}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  say(`${chosen.length - missed} passed, ${missed} failed`);
  return missed === 0 ? 0 : 1;
}

/** How the bug was found, or undefined. */
function findBug(mutant: Mutant, folder: string, seeds: string): string | undefined {
  const dist = buildMutant(mutant, ROOT, folder);
  const main = join(dist, 'src', 'testing', 'sim', 'main.js');
  const args = [main, '--json', '--until-failure', '--no-shrink', '--seeds', seeds];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: ROOT });
  const totals = JSON.parse(stdout.trim() === '' ? '{}' : stdout) as {
    readonly failed?: number;
    readonly seeds?: number;
    readonly virtualMs?: number;
    readonly seconds?: number;
  };
  if (totals.failed !== 1) return undefined;
  const { seeds: count = 0, virtualMs = 0, seconds = 0 } = totals;
  const why = /failed at commit \w+: (.*)/.exec(stderr)?.[1] ?? '';
  const finding = /^ {2}([\w-]+: .*)$/m.exec(stderr)?.[1] ?? '';
  const took = `${(virtualMs / 1_000).toFixed(0)} s simulated in ${seconds.toFixed(1)} s`;
  const says = (why.startsWith('the history') ? finding : why).slice(0, 110);
  return `seeds ${String(count).padStart(4)}, ${took.padEnd(28)}  ${says}`;
}
