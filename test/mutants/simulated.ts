import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { hunt, ROOT, type Way } from './hunt.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS, mutantNamed } from './table.ts';

/**
 * npm run sim -- --mutants [NAME…] [--seeds N]
 *
 * Compiles the product with each seeded bug that shows in a running cluster or in a few cores, simulates seeds until one
 * fails, and searches the world that is named. Prints how many seeds, how much simulated and real time, and how many states
 * that took.
 */

const SEEDS_MAX = '1000';

/** Ends with the exit status: 0 when every bug was found. */
export async function runSimulated(args: readonly string[]): Promise<0 | 1> {
  const at = args.indexOf('--seeds');
  const seeds = (at < 0 ? undefined : args[at + 1]) ?? SEEDS_MAX;
  const names = args.filter((_, place) => at < 0 || (place !== at && place !== at + 1));
  const chosen = names.length === 0 ? MUTANTS.filter(isMeant) : names.map(mutantNamed);
  return hunt(chosen, async (mutant, dist) =>
    [simulate(mutant, dist, seeds), searchFor(mutant, dist)].filter((way) => way !== undefined),
  );
}

const isMeant = ({ simulated, searched }: Mutant): boolean =>
  simulated !== undefined || searched !== undefined;

/** Seeds until one fails. Undefined = it cannot be expected to show there. */
function simulate(mutant: Mutant, dist: string, seeds: string): Way | undefined {
  if (mutant.simulated === undefined && isMeant(mutant)) return undefined;
  const scenario = JSON.stringify(mutant.simulated === true ? {} : (mutant.simulated ?? {}));
  const flags = ['--json', '--until-failure', '--no-shrink'];
  const { totals, stderr } = run(dist, [...flags, '--seeds', seeds, '--scenario', scenario]);
  if (totals.failed !== 1) return { found: false, says: `NOT FOUND in ${seeds} seeds` };
  const { seeds: count = 0, virtualMs = 0, seconds = 0 } = totals;
  const why = /failed at commit \w+: (.*)/.exec(stderr)?.[1] ?? '';
  const finding = /^ {2}([\w-]+: .*)$/m.exec(stderr)?.[1] ?? '';
  const took = `${(virtualMs / 1_000).toFixed(0)} s simulated in ${seconds.toFixed(1)} s`;
  const says = (why.startsWith('the history') ? finding : why).slice(0, 110);
  return { found: true, says: `seeds  ${String(count).padStart(5)}, ${took.padEnd(28)}  ${says}` };
}

/** All that can happen, until it does. */
function searchFor({ searched }: Mutant, dist: string): Way | undefined {
  if (searched === undefined) return undefined;
  const { totals } = run(dist, ['--json', '--exhaustive', '--world', searched]);
  const { states = 0, broken } = totals.worlds?.[0] ?? {};
  if (broken === undefined)
    return { found: false, says: `NOT FOUND in ${states} states of the world ${searched}` };
  const took = `${broken.path.length} actions from ${searched}`;
  const says = broken.why.slice(0, 110);
  return { found: true, says: `states ${String(states).padStart(5)}, ${took.padEnd(28)}  ${says}` };
}

interface Printed {
  readonly failed?: number;
  readonly seeds?: number;
  readonly virtualMs?: number;
  readonly seconds?: number;
  readonly worlds?: readonly {
    readonly states: number;
    readonly broken?: { readonly why: string; readonly path: readonly string[] };
  }[];
}

function run(dist: string, args: readonly string[]): { totals: Printed; stderr: string } {
  const main = join(dist, 'src', 'testing', 'sim', 'main.js');
  const { stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    cwd: ROOT,
  });
  return { totals: JSON.parse(stdout.trim() === '' ? '{}' : stdout) as Printed, stderr };
}
