import { expect, test } from 'vitest';
import { revision } from '../../src/base/ids.ts';
import type { AlertEvent, Client } from '../../src/client/index.ts';
import { VirtualCluster } from './virtual-cluster.ts';

const KILLS = 24;
const DELAY_SECONDS = 5;

async function collect(client: Client, events: AlertEvent[], signal: AbortSignal): Promise<void> {
  for await (const message of client.watch({ from: revision(1), signal }))
    if (message.type === 'event') events.push(message.event);
}

test(`steps are carried out once each, in order, through ${KILLS} killed leaders`, async () => {
  const cluster = new VirtualCluster(3, 41);
  for (const id of [1, 2, 3]) await cluster.clock.settle(cluster.start(id));
  await cluster.converge();
  const client = await cluster.client('ward');
  await cluster.clock.settle(
    client.keep({
      type: 'set-policy',
      id: 'default',
      steps: [1, 2, 3].map((step) => ({
        targets: [`user:nurse-${step}`],
        delaySeconds: DELAY_SECONDS,
      })),
      repeat: 9,
      minPriority: 'medium',
      confirmSeconds: 3_600,
    }),
  );
  const alarm = { dedupKey: 'k', condition: 'HR:HI', priority: 'high' } as const;
  await cluster.clock.settle(client.raise(alarm));
  for (let kill = 0; kill < KILLS; kill += 1) {
    await cluster.clock.run(cluster.prng.between(200, 3_000));
    const leader = cluster.leader.status().replicaId;
    cluster.crash(leader, 'lost');
    await cluster.clock.run(cluster.prng.between(1_500, 2_500));
    await cluster.clock.settle(cluster.start(leader));
    await cluster.converge();
  }
  await cluster.clock.run(160_000);
  await cluster.converge();

  const events: AlertEvent[] = [];
  const ended = new AbortController();
  const collecting = collect(client, events, ended.signal);
  await cluster.clock.run(2_000);
  ended.abort();
  await cluster.clock.settle(collecting);

  const steps = events.filter(({ effect }) => effect === 'notified');
  const places = steps.map(({ alert: { escalation } }) => [escalation?.loop, escalation?.step]);
  const expected = Array.from({ length: 30 }, (_, at) => [Math.floor(at / 3), (at % 3) + 1]);
  expect(places).toEqual(expected.slice(0, places.length));
  expect(places.length).toBe(30);
  const lateness = steps
    .slice(1)
    .map(({ time }, at) => time - (steps[at]?.time ?? 0) - DELAY_SECONDS * 1_000);
  for (const late of lateness) expect(late).toBeGreaterThanOrEqual(0);
  expect(events.filter(({ effect }) => effect === 'exhausted')).toHaveLength(1);
  const sorted = [...lateness].sort((a, b) => a - b);
  process.stdout.write(
    `${steps.length} steps through ${KILLS} killed leaders: late by ${sorted[Math.floor(sorted.length / 2)]} ms in the middle, ` +
      `${sorted.at(-1)} ms at most (virtual time)\n`,
  );
  await cluster.close();
});
