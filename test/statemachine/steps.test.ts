import { describe, expect, test } from 'vitest';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import { SWEEP_EFFORT_PER_STEP, SWEEP_LOOKS_AT_ONCE } from '../../src/base/limits.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { Applied } from '../../src/statemachine/machine.ts';
import { Bench, raise } from './commands.ts';
import { submit } from './stories.ts';

const by = { actor: 'nurse-1', observedAt: unixMillis(1) };

describe('what an entry may do by itself is done in short steps', () => {
  const ALERTS = SWEEP_LOOKS_AT_ONCE * 4;
  const EFFORT = SWEEP_LOOKS_AT_ONCE * 3;
  function house(): Bench {
    const bench = new Bench({ effortPerEntryMax: EFFORT });
    bench.do({ type: 'heartbeat', source: 'gw', leaseSeconds: 86_400, ...by });
    for (let n = 0; n < ALERTS; n += 1)
      bench.done(raise({ dedupKey: `k${n}`, subject: { device: 'gw' } }));
    return bench;
  }

  /** How many alerts each step of an entry changed. */
  function stepsOf({ machine }: Bench, seconds: number, command?: Command): number[] {
    const out: Applied = { replies: [], events: [] };
    const steps: number[] = [];
    const step = (work: () => unknown): boolean => {
      const before = out.events.length;
      const isMore = work();
      steps.push(out.events.length - before);
      return isMore === true;
    };
    const time = unixMillis(machine.time + seconds * 1_000);
    step(() => machine.begin({ index: logIndex(machine.applied + 1), time }, out));
    while (step(() => machine.due()));
    if (command !== undefined) {
      step(() => machine.take(submit('f'.padStart(32, 'f'), command), out));
      while (step(() => machine.due()));
    }
    machine.end();
    return steps;
  }

  test.each([
    ['a heartbeat that names nothing', 1, { type: 'heartbeat', present: [] }],
    ['a lease that runs out', 86_401, undefined],
  ] as const)('%s', (_, seconds, command) => {
    const beat = { source: 'gw', leaseSeconds: 86_400, ...by };
    const steps = stepsOf(house(), seconds, command && { ...command, ...beat });
    const sum = steps.reduce((all, one) => all + one, 0);
    const [longest = 0, next = 0] = steps.sort((a, b) => b - a);
    // What begins is done for few at once, and the source is said to be lost, too.
    expect(longest).toBeLessThanOrEqual(SWEEP_LOOKS_AT_ONCE + 1);
    expect(next).toBeLessThanOrEqual(SWEEP_EFFORT_PER_STEP);
    expect(sum).toBeGreaterThan(EFFORT / 2);
    expect(sum).toBeLessThanOrEqual(EFFORT + SWEEP_LOOKS_AT_ONCE);
  });

  test('but what a transaction takes along is seen with it, as much as the entry may do', () => {
    const bench = new Bench();
    bench.do({ type: 'set-bed', unit: 'W', bed: '1', ...by });
    bench.do({ type: 'admit-patient', patient: 'p', unit: 'W', bed: '1', ...by });
    for (let n = 0; n < SWEEP_LOOKS_AT_ONCE * 3; n += 1)
      bench.done(raise({ dedupKey: `k${n}`, subject: { patient: 'p' } }));
    const leave = { type: 'discharge-patient', patient: 'p', ...by } as const;
    const steps = stepsOf(bench, 1, { type: 'transaction', guards: [], commands: [leave], ...by });
    expect(Math.max(...steps)).toBeGreaterThanOrEqual(SWEEP_LOOKS_AT_ONCE * 3);
  });

  test('and a heartbeat says of so many alerts at once what is so, however much else the entry does', () => {
    const bench = new Bench({ effortPerEntryMax: 1 });
    const beat = { type: 'heartbeat', source: 'gw', leaseSeconds: 86_400, ...by } as const;
    bench.do(beat);
    for (let n = 0; n < SWEEP_LOOKS_AT_ONCE; n += 1)
      bench.done(raise({ dedupKey: `k${n}`, subject: { device: 'gw' } }));
    const steps = stepsOf(bench, 1, { ...beat, present: [] });
    expect(steps.reduce((all, one) => all + one, 0)).toBe(SWEEP_LOOKS_AT_ONCE);
  });
});
