import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LocalCluster } from '../../cli/local/local-cluster.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { revision } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import { type Client, connect } from '../../src/client/client.ts';
import type { Notification } from '../../src/statemachine/beside/notifications.ts';
import type { Alert, AlertEvent, AlertId } from '../../src/statemachine/types.ts';

const LEADER_KILLS = 20;
const STEPS = 5;
const ROUNDS = 2;
const SETTLE_MS_MAX = 60_000;
const SEED = Number(process.env['SEED'] ?? Date.now());

/** A step each second, for ten seconds; nobody answers, and nothing is sent anywhere. */
const POLICY = {
  type: 'set-policy',
  id: 'ward',
  steps: Array.from({ length: STEPS }, (_, at) => ({ targets: [`user:${at}`], delaySeconds: 1 })),
  repeat: ROUNDS - 1,
  minPriority: 'low',
  confirmSeconds: 3_600,
} as const;

/** Raises an alert, asks who leads, and kills it, over and over, so that steps fall due while nobody leads. */
async function rampage(cluster: LocalCluster, client: Client, prng: Prng): Promise<AlertId[]> {
  const raised: AlertId[] = [];
  for (let kills = 0; kills < LEADER_KILLS; kills += 1) {
    const condition = { dedupKey: `bed:${kills}`, condition: 'HR:HI', priority: 'high' } as const;
    const { alertId } = await client.raise({ ...condition, policy: 'ward' });
    raised.push(alertId);
    await pause(prng.between(0, 400));
    const leader = await cluster.leader();
    await cluster.kill(leader);
    await cluster.restart(leader);
  }
  return raised;
}

/** The history from its beginning, until nothing more is due of any of these alerts. */
async function settled(client: Client, raised: readonly AlertId[]): Promise<AlertEvent[]> {
  const open = new Set(raised);
  const events: AlertEvent[] = [];
  const signal = AbortSignal.timeout(SETTLE_MS_MAX);
  for await (const message of client.watch({ from: revision(1), signal })) {
    if (message.type === 'compacted') throw new Error('the history is not whole');
    if (message.type !== 'event') continue;
    events.push(message.event);
    if (message.event.effect === 'exhausted') open.delete(message.event.alert.id);
    if (open.size === 0) return events;
  }
  throw new Error(`${[...open].join(' ')} not exhausted after ${SETTLE_MS_MAX} ms`);
}

async function notificationsOf(client: Client): Promise<Notification[]> {
  const found: Notification[] = [];
  for (let after = 0; ; ) {
    const { value } = await client.records('notification', { after, limit: 1_000 });
    found.push(...value.records);
    if (value.next === undefined) return found;
    after = value.next;
  }
}

const placeOf = ({ activation, escalation }: Alert): string =>
  `${activation}:${escalation?.loop}:${(escalation?.step ?? 0) - 1}`;

/** What each alert has to go through, once and in this order. */
const PLACES = Array.from({ length: ROUNDS * STEPS }, (_, at) => {
  return `1:${Math.floor(at / STEPS)}:${at % STEPS}`;
});

test(`each step is carried out once through ${LEADER_KILLS} kills of leaders (SEED=${SEED})`, async () => {
  const cluster = await LocalCluster.start();
  const { endpoints, clusterId } = cluster;
  const client = await connect({ endpoints, clusterId, timeoutMs: 30_000 });
  try {
    await client.keep(POLICY);
    const raised = await rampage(cluster, client, new Prng(SEED));
    const events = await settled(client, raised);
    const notifications = await notificationsOf(client);
    const latenesses: number[] = [];
    for (const id of raised) {
      const own = events.filter(({ alert }) => alert.id === id);
      const steps = own.filter(({ effect }) => effect === 'notified');
      expect(steps.map(({ alert }) => placeOf(alert))).toEqual(PLACES);
      expect(own.filter(({ effect }) => effect === 'exhausted')).toHaveLength(1);
      const told = notifications.filter(({ alert }) => alert === id);
      expect(told.map((one) => `${one.activation}:${one.loop}:${one.step}`)).toEqual(PLACES);
      own.forEach(({ effect, time }, at) => {
        const dueAt = own[at - 1]?.alert.escalation?.dueAt;
        if (effect === 'notified' && dueAt !== undefined) latenesses.push(time - dueAt);
      });
    }
    expect(latenesses.every((late) => late >= 0)).toBe(true);
    const sorted = latenesses.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? -1;
    const late = { median: at(0.5), p99: at(0.99), max: at(1) };
    const told = { kills: LEADER_KILLS, steps: sorted.length, lateMs: late, seed: SEED };
    process.stderr.write(`escalation test: ${JSON.stringify(told)}\n`);
  } catch (error) {
    throw TocsinError.is(error) ? new Error(`${error.code} SEED=${SEED}`, { cause: error }) : error;
  } finally {
    await client.close();
    await cluster.close();
  }
}, 240_000);
