import { expect, test } from 'vitest';
import { speedOf } from '../../../cli/demo/run.ts';
import { shippedRules } from '../../../cli/demo/shipped-rules.ts';
import { WardFeed } from '../../../cli/demo/ward-feed.ts';
import { loadRules } from '../../../cli/input/rules-file.ts';
import { Ward } from '../../../cli/input/ward.ts';
import { AlertSender } from '../../../cli/pipeline/alert-sender.ts';
import type { AlertApi } from '../../../src/statemachine/alert-api.ts';
import { DONE } from '../commands/world.ts';

/** Plays a ward as fast as it goes until `until` says so. */
async function playUntil(until: (feed: WardFeed, commands: string[]) => boolean, seed: number) {
  const commands: string[] = [];
  const over = new AbortController();
  const note = (type: string) => (): ReturnType<AlertApi['raise']> => {
    commands.push(type);
    return Promise.resolve(DONE);
  };
  const unused = (): never => {
    throw new Error('the ward only writes');
  };
  const api: AlertApi = {
    raise: note('raise'),
    clear: note('clear'),
    acknowledge: unused,
    get: unused,
    list: unused,
    watch: unused,
  };
  const sender = new AlertSender({ api, runId: 'test' });
  const rules = await loadRules(shippedRules('ward.yaml'));
  let now = 0;
  const wall = (): number => {
    now += 1_000;
    if (until(feed, commands)) over.abort();
    return now;
  };
  const feed: WardFeed = new WardFeed({
    ward: new Ward({ beds: 24, seed }),
    rules,
    sender,
    stepMs: 0,
    wall,
  });
  await feed.run(over.signal);
  await sender.drain();
  return { feed, commands };
}

test('what a demo plays shows deteriorations, artefacts, lost sensors and recoveries, whatever the seed', async () => {
  for (const seed of [1, 2]) {
    const steps = 300 * 24 * 6;
    const { feed, commands } = await playUntil(({ counts }) => counts.samples >= steps, seed);
    expect(commands.filter((type) => type === 'raise').length, `seed ${seed}`).toBeGreaterThan(5);
    expect(commands.filter((type) => type === 'clear').length, `seed ${seed}`).toBeGreaterThan(3);
    expect(feed.counts.artefacts, `seed ${seed}`).toBeGreaterThan(10);
    expect(feed.counts.missing, `seed ${seed}`).toBeGreaterThan(10);
    expect(feed.valuesOf(23)).toHaveLength(6);
  }
});

test('the ward plays 300 seconds in any demo that is not very short or long', () => {
  expect([10, 20, 30, 60, 300, 3_600].map((seconds) => speedOf(seconds * 1_000))).toEqual([
    30, 15, 10, 5, 1, 1,
  ]);
});
