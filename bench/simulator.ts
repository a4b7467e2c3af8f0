import { join } from 'node:path';
import { runScenario } from '../src/testing/sim/run.ts';
import { drawScenario, type Scenario } from '../src/testing/sim/scenario.ts';
import { measureMachine } from './measure/machine.ts';
import { type SimulatorRow, writeRun } from './measure/results.ts';

/**
 * What simulated time costs, by what happens in it: `npm run bench:simulator`. The same seeds in worlds of three replicas, from
 * which faults, clients or both are left out; in turns, so that whatever else the computer does hits all alike. CPU time of
 * this process, in which all of it runs, the checkers too.
 */

const WARM_UPS = 5;
const SEEDS = 20;
const ALIKE: Partial<Scenario> = { replicas: 3, leftDead: 0, durationMs: 30_000, trends: false };
const NO_FAULTS: Partial<Scenario> = { faults: [] };
const NO_CLIENTS: Partial<Scenario> = { callers: 0, watchers: 0, escalations: false };
const WORLDS: readonly (readonly [what: string, without: Partial<Scenario>])[] = [
  ['nothing', { ...NO_FAULTS, ...NO_CLIENTS }],
  ['faults, and nobody asks anything', NO_CLIENTS],
  ['clients, and no faults', NO_FAULTS],
  ['clients and faults', {}],
];

/** Of one world, over all seeds. */
interface Sum {
  virtualMs: number;
  cpuMs: number;
  events: number;
  operations: number;
}

async function runInto(sum: Sum, scenario: Scenario): Promise<void> {
  const began = process.cpuUsage();
  const { ok, why, virtualMs, steps, operations } = await runScenario(scenario);
  const { user, system } = process.cpuUsage(began);
  if (!ok) throw new Error(`seed ${scenario.seed}: ${why}`);
  sum.virtualMs += virtualMs;
  sum.cpuMs += (user + system) / 1_000;
  sum.events += steps;
  sum.operations += operations;
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

const rowOf = (what: string, { virtualMs, cpuMs, events, operations }: Sum): SimulatorRow => ({
  what,
  simulatedToCpu: rounded(virtualMs / cpuMs),
  eventUs: rounded((cpuMs * 1_000) / events),
  eventsASecond: rounded((events * 1_000) / virtualMs),
  operationsASecond: rounded((operations * 1_000) / virtualMs),
});

async function measure(): Promise<readonly SimulatorRow[]> {
  const newSum = (): Sum => ({ virtualMs: 0, cpuMs: 0, events: 0, operations: 0 });
  const sums = WORLDS.map(newSum);
  for (let seed = 1 - WARM_UPS; seed <= SEEDS; seed += 1)
    for (const [at, [, without]] of WORLDS.entries()) {
      const scenario = { ...drawScenario(Math.abs(seed)), ...ALIKE, ...without };
      await runInto(seed < 1 ? newSum() : (sums[at] ?? newSum()), scenario);
    }
  return WORLDS.map(([what], at) => rowOf(what, sums[at] ?? newSum()));
}

// Errors are how connections end, by the thousand; nobody reads where they came from.
Error.stackTraceLimit = 0;
const rows = await measure();
for (const { what, simulatedToCpu, eventUs, eventsASecond, operationsASecond } of rows)
  console.log(
    `${what}: ${simulatedToCpu} × CPU time, ${eventUs} µs an event; a simulated second: ${eventsASecond} events, ${operationsASecond} operations`,
  );
const at = new Date().toISOString();
const machine = await measureMachine();
const run = { bench: 'simulator', at, machine, seeds: SEEDS, rows } as const;
await writeRun(join('bench', 'results', 'simulator.json'), run);
