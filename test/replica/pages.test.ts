import { expect, test } from 'vitest';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import { Pages } from '../../src/replica/service/pages.ts';
import { decodeListAnswer } from '../../src/wire/clients/answers.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { Bench, clear, raise } from '../statemachine/commands.ts';
import { join } from '../wire/helpers.ts';

test('a page is written in later turns, in order, and is of the state it was asked of', async () => {
  const bench = new Bench();
  for (let n = 0; n < 100; n += 1) bench.done(raise({ dedupKey: `k${n}` }));
  const clock = new VirtualClock();
  const pages = new Pages(new AppliedState(bench.machine), clock);
  const told: [number, number, number][] = [];
  for (const limit of [100, 3]) {
    const { revision } = bench.machine;
    const value = pages.list({ open: true }, { limit });
    pages.write({ value, revision }, (body) => {
      const answer = decodeListAnswer(join(body));
      told.push([limit, answer.value.alerts.length, answer.revision]);
    });
  }
  bench.done(clear({ target: { dedupKey: 'k1' } }));
  expect(told).toEqual([]);
  await clock.run(0);
  expect(told).toEqual([
    [100, 100, 100],
    [3, 3, 100],
  ]);
});
