import { expect, test } from 'vitest';
import { runScenario } from '../../../src/testing/sim/run.ts';
import { drawScenario, FAULTS, type Fault, LOSSES } from '../../../src/testing/sim/scenario.ts';

/** SEEDS and FROM choose others; `npm run sim` runs them faster, and for as long as you like. */
const SEEDS = Number(process.env['SEEDS'] ?? 12);
const FROM = Number(process.env['FROM'] ?? 1);
/** So long is the part with faults, at most. */
const DURATION_MS_MAX = 30_000;

test.each(Array.from({ length: SEEDS }, (_, at) => FROM + at))(
  'whatever fails, nothing is broken, and a healed cluster serves again (seed %i)',
  { timeout: 120_000 },
  async (seed) => {
    const drawn = drawScenario(seed);
    const durationMs = Math.min(drawn.durationMs, DURATION_MS_MAX);
    const { ok, why, findings, operations, virtualMs } = await runScenario({
      ...drawn,
      durationMs,
    });
    expect({ ok, why, findings }).toEqual({ ok: true, why: '', findings: [] });
    expect(operations).toBeGreaterThan(10);
    expect(virtualMs).toBeGreaterThan(10_000);
  },
);

test('a seed decides everything: run twice it comes to the same, another one to something else', {
  timeout: 120_000,
}, async () => {
  const run = async (seed: number): Promise<string> => {
    const scenario = { ...drawScenario(seed), faults: FAULTS, durationMs: 5_000 };
    return (await runScenario(scenario)).hash;
  };
  const first = await run(7);
  expect(await run(7)).toBe(first);
  expect(await run(8)).not.toBe(first);
});

test.each<[replicas: number, faults: readonly Fault[]]>([
  [
    1,
    ['isolate', 'halves', 'bridge', 'ring', 'one-way', 'reset', 'hand-over', 'members', ...LOSSES],
  ],
  [3, ['ring']],
])('what cannot hurt %i replicas is not counted: %j', async (replicas, faults) => {
  const scenario = { ...drawScenario(3), replicas, faultEveryMs: 50, durationMs: 3_000 };
  const counted = async (kinds: readonly Fault[]): Promise<object> =>
    (await runScenario({ ...scenario, faults: kinds })).faults;
  expect(await counted(faults)).toEqual({});
  expect(await counted([...faults, 'clock-jump'])).toEqual({ 'clock-jump': expect.any(Number) });
});
