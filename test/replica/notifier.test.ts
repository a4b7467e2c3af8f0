import { expect, test } from 'vitest';
import { millis } from '../../src/base/ids.ts';
import type { Delivery, Page, Sender } from '../../src/notify/types.ts';
import { Notifier } from '../../src/replica/notifier.ts';
import { VirtualCluster } from './virtual-cluster.ts';

/** Takes pages as it is told to, and notes them. */
class Pager implements Sender {
  readonly pages: Page[] = [];
  answer: (page: Page) => Delivery = () => ({ outcome: 'confirmed', detail: '' });

  send(page: Page): Promise<Delivery> {
    this.pages.push(page);
    return Promise.resolve(this.answer(page));
  }
}

/** A cluster of three whose replicas all try to notify: only the leader may. */
async function ward(seed: number): Promise<{ cluster: VirtualCluster; pager: Pager }> {
  const cluster = new VirtualCluster(3, seed);
  const pager = new Pager();
  for (const id of [1, 2, 3]) await startWith(cluster, pager, id);
  await cluster.converge();
  return { cluster, pager };
}

async function startWith(cluster: VirtualCluster, pager: Pager, id: number): Promise<void> {
  await cluster.clock.settle(cluster.start(id));
  const { replica } = cluster.machines[id - 1] as { replica: NonNullable<unknown> };
  const notifier = new Notifier({
    clock: cluster.clock,
    replica: replica as never,
    senders: new Map([['webhook', pager]]),
    log: () => undefined,
  });
  notifier.start();
}

const policy = {
  type: 'set-policy',
  id: 'default',
  steps: [
    { targets: ['webhook:first'], delaySeconds: 5 },
    { targets: ['webhook:second'], delaySeconds: 5 },
  ],
  repeat: 0,
  minPriority: 'medium',
  confirmSeconds: 4,
} as const;

const alarm = { dedupKey: 'k', condition: 'HR:HI', priority: 'high' } as const;

test('what is queued is sent by the leader alone, and what became of it is in the state', async () => {
  const { cluster, pager } = await ward(11);
  const client = await cluster.client('ward');
  await cluster.clock.settle(client.keep(policy));
  const { alertId } = await cluster.clock.settle(client.raise(alarm));
  await cluster.clock.run(1_000);
  expect(pager.pages.map(({ id, target }) => [id, target])).toEqual([['N1', 'webhook:first']]);
  const { value } = await cluster.clock.settle(client.records('notification'));
  expect(value.records).toMatchObject([{ id: 'N1', alert: alertId, state: 'confirmed' }]);
  await cluster.clock.run(6_000);
  expect(pager.pages.map(({ target }) => target)).toEqual(['webhook:first', 'webhook:second']);
  await cluster.clock.settle(client.acknowledge({ target: { id: alertId } }));
  await cluster.clock.run(20_000);
  expect(pager.pages).toHaveLength(2);
  await cluster.close();
});

test('who cannot be reached is tried again, then passed over without waiting', async () => {
  const { cluster, pager } = await ward(12);
  pager.answer = ({ target }) =>
    target === 'webhook:first'
      ? { outcome: 'failed', detail: 'HTTP 503 \u202e\u0007' }
      : { outcome: 'confirmed', detail: '' };
  const client = await cluster.client('ward');
  await cluster.clock.settle(client.keep(policy));
  await cluster.clock.settle(client.raise(alarm));
  await cluster.clock.run(4_500);
  const targets = pager.pages.map(({ target }) => target);
  expect(targets.filter((one) => one === 'webhook:first').length).toBeGreaterThan(1);
  expect(targets).toContain('webhook:second');
  const { value } = await cluster.clock.settle(client.records('notification'));
  expect(value.records[0]).toMatchObject({ state: 'failed', detail: 'HTTP 503 ??' });
  await cluster.close();
});

test('a notification that the leader died over is sent again under the same id', async () => {
  const { cluster, pager } = await ward(13);
  const client = await cluster.client('ward');
  await cluster.clock.settle(client.keep({ ...policy, confirmSeconds: 60 }));
  pager.answer = ({ target }) => {
    if (target === 'webhook:first' && pager.pages.length === 1) {
      const leader = cluster.leader.status().replicaId;
      cluster.clock.after(millis(0), () => cluster.crash(leader, 'lost'));
    }
    return { outcome: 'confirmed', detail: '' };
  };
  await cluster.clock.settle(client.raise(alarm));
  await cluster.clock.run(4_000);
  const firsts = pager.pages.filter(({ target }) => target === 'webhook:first');
  expect(new Set(firsts.map(({ id }) => id))).toEqual(new Set(['N1']));
  const { value } = await cluster.clock.settle(client.records('notification'));
  expect(value.records[0]).toMatchObject({ id: 'N1', state: 'confirmed' });
  await cluster.close();
});
