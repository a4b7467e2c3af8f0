import { parseArgs } from 'node:util';
import { numberOf, wholeOf } from '../numbers.ts';
import { WORLDS } from '../search/worlds.ts';
import type { Scenario } from './scenario.ts';

export const HELP: string = `npm run sim -- [options]

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
  --exhaustive     try everything that can happen to a few cores, in place of seeds
  --world NAME     with --exhaustive: where to begin (default: every one)
  --depth N        with --exhaustive: so many actions deep (default: as each world says)
  --states N       with --exhaustive: so many states of each world at most (default 200000)
  --mutants [NAME…]  put each seeded bug into the product and count the seeds until one fails
`;

export interface Options {
  readonly seeds: number;
  /** Undefined = as many seeds as asked for, however long they take. */
  readonly minutes: number | undefined;
  readonly from: number | undefined;
  readonly stride: number;
  /** The only one to run. */
  readonly seed: number | undefined;
  readonly overrides: Partial<Scenario>;
  readonly trace: boolean;
  readonly untilFailure: boolean;
  readonly shrinks: boolean;
  readonly json: boolean;
  readonly help: boolean;
  /** Search the worlds of src/testing/search instead. */
  readonly search: SearchOptions | undefined;
}

export interface SearchOptions {
  /** Undefined = every one. */
  readonly world: string | undefined;
  /** Undefined = as the world says. */
  readonly depth: number | undefined;
  readonly states: number;
}

const SPEC = {
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
  exhaustive: { type: 'boolean', default: false },
  world: { type: 'string' },
  depth: { type: 'string' },
  states: { type: 'string', default: '200000' },
} as const;

/** So that the last of many seeds is a whole number too. */
const SEED_MAX = 2 ** 52;
const MINUTES_MAX = 60 * 24 * 365;

/** @throws Error naming the option that is wrong */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: SPEC });
  const { minutes, from, seed, trace, json, help } = values;
  return {
    seeds: wholeOf('seeds', values.seeds, 1, 1e9),
    minutes: minutes === undefined ? undefined : numberOf('minutes', minutes, 0.001, MINUTES_MAX),
    from: from === undefined ? undefined : wholeOf('from', from, 0, SEED_MAX),
    stride: wholeOf('stride', values.stride, 1, 1e6),
    seed: seed === undefined ? undefined : wholeOf('seed', seed, 0, SEED_MAX),
    overrides: overridesOf(values.scenario),
    trace,
    untilFailure: values['until-failure'],
    shrinks: !values['no-shrink'],
    json,
    help,
    search: values.exhaustive ? searchOf(values) : undefined,
  };
}

function searchOf(values: {
  readonly world?: string | undefined;
  readonly depth?: string | undefined;
  readonly states: string;
}): SearchOptions {
  const { world, depth, states } = values;
  const names = WORLDS.map(({ name }) => name);
  if (world !== undefined && !names.includes(world))
    throw new Error(`--world ${world} is none of ${names.join(', ')}`);
  return {
    world,
    depth: depth === undefined ? undefined : wholeOf('depth', depth, 1, 1_000),
    states: wholeOf('states', states, 1, 1e8),
  };
}

function overridesOf(text: string): Partial<Scenario> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`--scenario ${text} is not a JSON object`);
  return value;
}

/** The command that runs a seed again as it ran, with the fields that do not come from the seed. */
export function replayOf(seed: number, overrides: Partial<Scenario>): string {
  const command = `npm run sim -- --seed ${seed} --trace`;
  if (Object.keys(overrides).length === 0) return command;
  return `${command} --scenario '${JSON.stringify(overrides)}'`;
}
