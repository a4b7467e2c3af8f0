import { execFileSync } from 'node:child_process';
import { SystemClock } from '../../transport/system-clock.ts';
import { renderSearched, search } from '../search/search.ts';
import { WORLDS } from '../search/worlds.ts';
import { HELP, type Options, parseOptions, replayOf, type SearchOptions } from './options.ts';
import { type Outcome, runScenario } from './run.ts';
import { drawScenario, type Scenario } from './scenario.ts';
import { changesOf, shrink } from './shrink.ts';
import {
  addTotals,
  emptyTotals,
  faultsOf,
  PAIRS_MAX,
  rateOf,
  type Totals,
  totalsOf,
} from './totals.ts';

/** The command behind `npm run sim`. */

const CLOCK = new SystemClock();
const REPORT_MS = 5_000;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const options = optionsOf(process.argv.slice(2));
const scenarioOf = (seed: number): Scenario => ({ ...drawScenario(seed), ...options.overrides });

/** What cannot be understood ends the program before anything runs, with the status of misuse. */
function optionsOf(args: readonly string[]): Options {
  try {
    return parseOptions(args);
  } catch (error) {
    say(`sim: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  }
}

// Errors are how connections end, by the thousand; nobody reads where they came from.
Error.stackTraceLimit = options.trace ? 20 : 0;

let lost: unknown;
// A promise that nobody watches is a bug of the product, in whichever run it shows.
process.on('unhandledRejection', (error) => {
  lost ??= error;
});

async function runOne(scenario: Scenario, keepTrace = false): Promise<Outcome> {
  const outcome = await runScenario(scenario, keepTrace);
  // Rejections are told only when nothing else is to be done; this run's are not to be another's.
  await new Promise<void>((resolve) => CLOCK.soon(resolve));
  if (lost === undefined) return outcome;
  const why = `an unhandled rejection: ${lost instanceof Error ? lost.message : String(lost)}`;
  lost = undefined;
  return { ...outcome, ok: false, why };
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

async function report(outcome: Outcome): Promise<void> {
  const { seed, why, findings } = outcome;
  say(`seed ${seed} failed at commit ${commit()}: ${why}`);
  for (const finding of findings.slice(0, 5)) say(`  ${finding.rule}: ${finding.says}`);
  say(`  again: ${replayOf(seed, options.overrides)}`);
  if (!options.shrinks) return;
  const small = await shrink(scenarioOf(seed), outcome, runOne);
  say(`  smaller: ${replayOf(seed, changesOf(drawScenario(seed), small))}`);
}

async function runMany(): Promise<Totals> {
  const { seeds, minutes, stride } = options;
  const totals = emptyTotals();
  const began = CLOCK.monotonic();
  const seconds = (): number => (CLOCK.monotonic() - began) / 1_000;
  const limitSeconds = minutes === undefined ? undefined : minutes * 60;
  const fresh = limitSeconds === undefined ? 1 : Math.floor(CLOCK.wall() / 1_000) * 1_000;
  const from = options.from ?? fresh;
  const count = limitSeconds === undefined ? seeds : Number.POSITIVE_INFINITY;
  const coreSeconds = (): number => {
    const { user, system } = process.cpuUsage(used);
    return (user + system) / 1e6;
  };
  const used = process.cpuUsage();
  let told = CLOCK.monotonic();
  const tell = (): void => {
    say(rateOf(totals, coreSeconds()));
    say(`  ${faultsOf(totals)}`);
  };
  if (!options.json) say(`seeds from ${from}, every ${stride}`);
  for (let at = 0; at < count && seconds() < (limitSeconds ?? Infinity); at += 1) {
    const outcome = await runOne(scenarioOf(from + at * stride));
    addTotals(totals, totalsOf(outcome));
    if (!outcome.ok) await report(outcome);
    if (!outcome.ok && options.untilFailure) break;
    if (CLOCK.monotonic() - told > REPORT_MS && !options.json) {
      told = CLOCK.monotonic();
      tell();
    }
  }
  if (!options.json) tell();
  else {
    const took = { seconds: seconds(), coreSeconds: coreSeconds() };
    process.stdout.write(
      `${JSON.stringify({ from, stride, ...took, ...totals, pairsMax: PAIRS_MAX })}\n`,
    );
  }
  return totals;
}

async function runTwice(seed: number): Promise<boolean> {
  const first = await runOne(scenarioOf(seed), options.trace);
  const second = await runOne(scenarioOf(seed));
  const { trace, ...short } = first;
  if (options.trace) for (const line of trace) process.stdout.write(`${line}\n`);
  process.stdout.write(`${JSON.stringify(short, null, options.json ? 0 : 2)}\n`);
  if (!first.ok) await report(first);
  if (first.hash === second.hash) return first.ok;
  say(`seed ${seed} came to ${first.hash} and then to ${second.hash}`);
  return false;
}

/** Every world that was asked for. False if a promise was broken in one. */
function searchAll({ world, depth, states }: SearchOptions): boolean {
  const chosen = WORLDS.filter(({ name }) => world === undefined || name === world);
  const used = process.cpuUsage();
  const results = chosen.map((each) => {
    const result = search(each, { depth: depth ?? each.depth, states });
    if (!options.json) for (const line of renderSearched(each, result)) say(line);
    return result;
  });
  const { user, system } = process.cpuUsage(used);
  const coreSeconds = (user + system) / 1e6;
  if (options.json) process.stdout.write(`${JSON.stringify({ coreSeconds, worlds: results })}\n`);
  return results.every(({ broken }) => broken === undefined);
}

async function main(): Promise<boolean> {
  if (options.help) {
    process.stdout.write(HELP);
    return true;
  }
  if (options.search !== undefined) return searchAll(options.search);
  if (options.seed !== undefined) return await runTwice(options.seed);
  const { failed } = await runMany();
  return failed === 0;
}

process.exitCode = (await main()) ? 0 : 1;
