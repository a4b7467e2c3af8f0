import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import { checkHistory } from '../../../src/testing/checkers/check-history.ts';
import { checkConditions } from '../../../src/testing/checkers/conditions.ts';
import { checkVersionOrder } from '../../../src/testing/checkers/version-order.ts';
import { makeHistory, SMALL } from './made-histories.ts';
import { MUTATORS, type Mutator, staleValue } from './mutators.ts';

/** FULL=1 (npm run test:checkers) runs them all; npm test a part. FIGURES=FILE: what was run, for docs/proof.md. */
const IS_FULL = process.env['FULL'] === '1';
const GOOD = IS_FULL ? 10_000 : 400;
const BAD = IS_FULL ? 1_000 : 60;
const SEED = Number(process.env['SEED'] ?? 1);

test(`${GOOD} good histories raise no alarm`, { timeout: 600_000 }, () => {
  for (let seed = SEED; seed < SEED + GOOD; seed += 1) {
    const { findings, unknown } = checkHistory(makeHistory(seed));
    expect({ findings, unknown }, `seed ${seed}`).toEqual({ findings: [], unknown: 0 });
  }
});

test('the longest history that one condition has in a simulated minute is decided', {
  timeout: 120_000,
}, () => {
  const size = { ...SMALL, processes: 6, keys: 1, units: 1, operationsEach: 1_200, watches: 0 };
  const { findings, unknown } = checkConditions(makeHistory(SEED, size));
  expect({ findings, unknown }).toEqual({ findings: [], unknown: 0 });
});

/** Histories in which the mutator found a place, with their seeds. */
function* mutated(
  mutate: Mutator,
  count: number,
): Generator<readonly [number, ReturnType<Mutator>]> {
  let made = 0;
  for (let seed = SEED; made < count; seed += 1) {
    if (seed > SEED + count * 50) throw new Error(`only ${made} of ${count} could be made`);
    const history = mutate(makeHistory(seed), new Prng(seed));
    if (history === undefined) continue;
    made += 1;
    yield [seed, history];
  }
}

test.each(Object.entries(MUTATORS))(
  `%s: caught, each of ${BAD} times`,
  { timeout: 600_000 },
  (_name, mutate) => {
    const missed: number[] = [];
    for (const [seed, history] of mutated(mutate, BAD))
      if (history !== undefined && checkHistory(history).ok) missed.push(seed);
    expect(missed).toEqual([]);
  },
);

test(`a stale value is caught without looking at revisions, each of ${BAD} times`, {
  timeout: 600_000,
}, () => {
  const missed: number[] = [];
  for (const [seed, history] of mutated(staleValue, BAD))
    if (history !== undefined && checkConditions(history).findings.length === 0) missed.push(seed);
  expect(missed).toEqual([]);
});

const MANY = IS_FULL ? 2_000_000 : 60_000;

test(`${MANY} operations are put in order in seconds`, { timeout: 600_000 }, () => {
  const size = {
    ...SMALL,
    processes: 20,
    keys: 200,
    units: 50,
    operationsEach: MANY / 20,
    watches: 0,
  };
  const history = makeHistory(SEED, size);
  const began = process.cpuUsage();
  expect(checkVersionOrder(history)).toEqual([]);
  const seconds = process.cpuUsage(began).user / 1e6;
  expect(history.operations).toHaveLength(MANY);
  if (IS_FULL)
    process.stderr.write(`${MANY} operations checked in ${seconds.toFixed(1)} s of one core\n`);
  const { FIGURES } = process.env;
  const mutators = Object.keys(MUTATORS).length;
  const orderedSeconds = Number(seconds.toFixed(1));
  if (FIGURES !== undefined)
    writeFileSync(
      FIGURES,
      `${JSON.stringify({ good: GOOD, bad: BAD, mutators, ordered: MANY, orderedSeconds })}\n`,
    );
});
