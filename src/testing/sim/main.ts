import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { SystemClock } from '../../transport/system-clock.ts';
import { type Outcome, runScenario } from './run.ts';
import { drawScenario, type Scenario } from './scenario.ts';
import { changesOf, shrink } from './shrink.ts';
import { addTotals, emptyTotals, rateOf, type Totals, totalsOf } from './totals.ts';

/** The command behind `npm run sim`. */

const HELP = `npm run sim -- [options]

  --seeds N        run N seeds (default 100)
  --minutes M      run seeds for M minutes instead, fresh ones unless --from is given
  --from S         the first seed (default 1)
  --stride K       every K-th seed from there (default 1), to share the work among processes
  --seed S         run this one alone, twice, and compare
  --trace          with --seed: print all that happened
  --scenario JSON  fields of the scenario that take the place of those drawn
  --until-failure  stop at the first seed that fails
  --no-shrink      do not look for a smaller scenario that fails too
  --json           print one JSON object, the sums, instead of lines
  --mutants [NAME…]  put each seeded bug into the product and count the seeds until one fails
`;

const CLOCK = new SystemClock();
const REPORT_MS = 5_000;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    minutes: { type: 'string' },
    from: { type: 'string' },
    stride: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    scenario: { type: 'string', default: '{}' },
    'until-failure': { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const overrides = JSON.parse(values.scenario) as Partial<Scenario>;
const scenarioOf = (seed: number): Scenario => ({ ...drawScenario(seed), ...overrides });

// Errors are how connections end, by the thousand; nobody reads where they came from.
Error.stackTraceLimit = values.trace ? 20 : 0;

let lost: unknown;
// A promise that nobody watches is a bug of the product, in whichever run it shows.
process.on('unhandledRejection', (error) => {
  lost ??= error;
});

async function runOne(seed: number, keepTrace = false): Promise<Outcome> {
  const outcome = await runScenario(scenarioOf(seed), keepTrace);
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
  const { seed, why, findings, virtualMs } = outcome;
  say(`seed ${seed} failed at commit ${commit()}: ${why}`);
  for (const finding of findings.slice(0, 5)) say(`  ${finding.rule}: ${finding.says}`);
  say(`  again: npm run sim -- --seed ${seed} --trace`);
  if (values['no-shrink']) return;
  const small = await shrink(scenarioOf(seed), virtualMs);
  const changes = JSON.stringify(changesOf(drawScenario(seed), small));
  say(`  smaller: npm run sim -- --seed ${seed} --trace --scenario '${changes}'`);
}

async function runMany(): Promise<Totals> {
  const totals = emptyTotals();
  const began = CLOCK.monotonic();
  const seconds = (): number => (CLOCK.monotonic() - began) / 1_000;
  const limitSeconds = values.minutes === undefined ? undefined : Number(values.minutes) * 60;
  const fresh = limitSeconds === undefined ? 1 : Math.floor(CLOCK.wall() / 1_000) * 1_000;
  const from = Number(values.from ?? fresh);
  const stride = Number(values.stride);
  const count = limitSeconds === undefined ? Number(values.seeds) : Number.POSITIVE_INFINITY;
  const coreSeconds = (): number => {
    const { user, system } = process.cpuUsage(used);
    return (user + system) / 1e6;
  };
  const used = process.cpuUsage();
  let told = CLOCK.monotonic();
  for (let at = 0; at < count && seconds() < (limitSeconds ?? Infinity); at += 1) {
    const outcome = await runOne(from + at * stride);
    addTotals(totals, totalsOf(outcome));
    if (!outcome.ok) await report(outcome);
    if (!outcome.ok && values['until-failure']) break;
    if (CLOCK.monotonic() - told > REPORT_MS && !values.json) {
      told = CLOCK.monotonic();
      say(rateOf(totals, coreSeconds()));
    }
  }
  if (!values.json) say(rateOf(totals, coreSeconds()));
  else {
    const took = { seconds: seconds(), coreSeconds: coreSeconds() };
    process.stdout.write(`${JSON.stringify({ from, stride, ...took, ...totals })}\n`);
  }
  return totals;
}

async function runTwice(seed: number): Promise<boolean> {
  const first = await runOne(seed, values.trace);
  const second = await runOne(seed);
  const { trace, ...short } = first;
  if (values.trace) for (const line of trace) process.stdout.write(`${line}\n`);
  process.stdout.write(`${JSON.stringify(short, null, values.json ? 0 : 2)}\n`);
  if (!first.ok) await report(first);
  if (first.hash === second.hash) return first.ok;
  say(`seed ${seed} came to ${first.hash} and then to ${second.hash}`);
  return false;
}

async function main(): Promise<boolean> {
  if (values.help) {
    process.stdout.write(HELP);
    return true;
  }
  if (values.seed !== undefined) return await runTwice(Number(values.seed));
  const { failed } = await runMany();
  return failed === 0;
}

process.exitCode = (await main()) ? 0 : 1;
