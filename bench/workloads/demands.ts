import { setTimeout as pause } from 'node:timers/promises';
import { type Client, connect } from '../../src/client/client.ts';
import type { BatchedCommand } from '../../src/client/command-batch.ts';
import type { AlertFilter, ListCursor } from '../../src/client/index.ts';
import type { RaiseCommand } from '../../src/statemachine/types.ts';
import { SystemClock } from '../../src/transport/system-clock.ts';
import { raiseOfMonitor } from './alerts.ts';

/**
 * The largest and worst that clients and operators may ask of a replica beside what is asked of it every day: as much in one request, or as many at
 * once, as the limits let through.
 */
export interface Demand {
  readonly title: string;
  ask(client: Client, address: string): Promise<void>;
}

const clock = new SystemClock();
const IN_FLIGHT = 8;
const GET_SIZE = 128;
const LONG_UNIT = 'u'.repeat(60);
const local = { consistency: 'local' } as const;

const keyOf = (n: number): string => `phys:pt-${n}:mon-01:HR:HI`;
const raiseAs = (n: number, key: string, changes: Partial<RaiseCommand> = {}): BatchedCommand => ({
  ...raiseOfMonitor(key, `pt-${n}`, `B${n % 500}`, clock.wall()),
  ...changes,
});

/** All labels, and text as long as it may be. */
const longRaise = (n: number, key = `long:${n}`): BatchedCommand =>
  raiseAs(n, key, {
    text: 'ü'.repeat(1_024),
    subject: { unit: LONG_UNIT, bed: `B${n}`, patient: `pt-${n}` },
    labels: Object.fromEntries(
      Array.from({ length: 32 }, (_, i) => [`${'k'.repeat(20)}${i}`, `${'v'.repeat(100)}${n}`]),
    ),
  });

/** `count` commands, `size` in each call. Answers what was kept. */
async function sendAll(
  client: Client,
  count: number,
  size: number,
  commandAt: (n: number) => BatchedCommand,
): Promise<string[]> {
  const ids: string[] = [];
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next += size;
      const length = Math.min(size, count - from);
      const commands = Array.from({ length }, (_, i) => commandAt(from + i));
      for (const reply of await client.batch(commands)) {
        if (!reply.ok) throw new Error(`${reply.code}: ${reply.message}`);
        ids.push('id' in reply ? reply.id : reply.alertId);
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  return ids;
}

async function getAll(client: Client, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += GET_SIZE)
    await Promise.all(
      keys.slice(at, at + GET_SIZE).map((dedupKey) => client.get({ dedupKey }, local)),
    );
}

async function listAll(client: Client, filter: AlertFilter, pagesMax: number): Promise<void> {
  for (let after: ListCursor | undefined, pages = 0; pages < pagesMax; pages += 1) {
    const page = await client.list(filter, { limit: 1_000, ...(after && { after }) });
    after = page.value.next;
    if (after === undefined) break;
  }
}

async function recordsOf(client: Client, kind: Parameters<Client['records']>[0]): Promise<void> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: { readonly value: { readonly next: number | undefined } } = await client.records(
      kind,
      { limit: 1_000, after },
    );
    after = page.value.next;
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

async function longAlerts(client: Client): Promise<void> {
  const count = 1_500;
  await sendAll(client, count, 70, longRaise);
  await getAll(
    client,
    numbers(count).map((n) => `long:${n}`),
  );
  await listAll(client, { unit: LONG_UNIT }, 20);
  await sendAll(client, 1_000, 70, () => longRaise(1, 'long:1'));
  const { value } = await client.get({ dedupKey: 'long:1' });
  if (value !== undefined) await client.history(value.id, { limit: 1_000 });
}

async function incidents(client: Client): Promise<void> {
  const { value } = await client.list({ open: true }, { limit: 256 });
  const alerts = value.alerts.map(({ id }) => id);
  const title = 't'.repeat(1_000);
  const ids = await sendAll(client, 500, 50, () => ({
    type: 'open-incident',
    title,
    severity: 'high',
    alerts,
  }));
  await sendAll(client, 255 * 8, 255, (n) => ({
    type: 'change-incident',
    id: (ids[n % 8] ?? 'C1') as `C${number}`,
    note: title,
  }));
  await recordsOf(client, 'incident');
}

async function escalations(client: Client): Promise<void> {
  const targets = numbers(10).map((n) => `user:${'u'.repeat(100)}${n}`);
  const steps = [1, 60].map((delaySeconds) => ({ targets, delaySeconds }));
  const policy = { steps, repeat: 0, minPriority: 'low', confirmSeconds: 2 } as const;
  await client.keep({ type: 'set-policy', id: 'all-at-once', ...policy });
  await sendAll(client, 3_000, 500, (n) => raiseAs(n, `due:${n}`, { policy: 'all-at-once' }));
  await pause(4_000);
  await recordsOf(client, 'notification');
}

/** Each with a filter of its own, so that none goes on with another. */
async function watches(client: Client, address: string): Promise<void> {
  const clients = await Promise.all(
    numbers(40).map((n) => connect({ endpoints: [address], name: `watcher-${n}` })),
  );
  for (const [at, watcher] of clients.entries())
    for (const n of numbers(250)) {
      const watch = watcher.watch({ filter: { bed: `B${n}`, unit: `U${at}` } });
      const follow = async (): Promise<void> => {
        for await (const _ of watch);
      };
      follow().catch(() => undefined); // it ends with its client
    }
  await pause(2_000);
  await sendAll(client, 2_000, 500, (n) => raiseAs(n, `watched:${n}`));
  await pause(1_000);
  await Promise.all(clients.map((watcher) => watcher.close()));
}

async function silences(client: Client): Promise<void> {
  const values = [...numbers(63).map((n) => `device-${n}`), 'mon-01'];
  const ids = await sendAll(client, 256, 64, () => ({
    type: 'silence',
    matchers: [{ field: 'device', values }],
    seconds: 3_600,
    reason: 'r'.repeat(1_000),
  }));
  await getAll(client, numbers(512).map(keyOf));
  await listAll(client, { open: true }, 2);
  await recordsOf(client, 'silence');
  const id = (n: number): `S${number}` => (ids[n] ?? 'S1') as `S${number}`;
  await sendAll(client, ids.length, 256, (n) => ({ type: 'unsilence', id: id(n) }));
  await pause(2_000);
}

/** All alerts are of one device, and it falls silent; then it says what is present. */
async function gateway(client: Client): Promise<void> {
  const beat = { type: 'heartbeat', source: 'mon-01' } as const;
  await client.keep({ ...beat, leaseSeconds: 1 });
  await pause(5_000);
  const present = numbers(256).map(keyOf);
  for (let n = 0; n < 100; n += 1) await client.keep({ ...beat, leaseSeconds: 3_600, present });
}

/** Each with so many open alerts as a transaction may take along. */
async function patients(client: Client): Promise<void> {
  const alerts = 512;
  const place = (n: number) => ({ unit: 'W', bed: `${n}` });
  await sendAll(client, 40, 40, (n) => ({ type: 'set-bed', ...place(n) }));
  await sendAll(client, 20, 20, (n) => ({ type: 'admit-patient', patient: `p${n}`, ...place(n) }));
  await sendAll(client, 20 * alerts, 500, (n) =>
    raiseAs(n, `of:${n}`, { subject: { patient: `p${Math.floor(n / alerts)}` } }),
  );
  const asked = { actor: 'bench', observedAt: clock.wall() };
  await sendAll(client, 20, 20, (n) => ({
    type: 'transaction',
    guards: [],
    commands: [{ type: 'move-patient', patient: `p${n}`, ...place(n + 20), devices: [], ...asked }],
  }));
  await pause(1_000);
}

async function sessions(client: Client): Promise<void> {
  await sendAll(client, 1_000, 500, () => ({ type: 'open-session', leaseSeconds: 2, window: 64 }));
  await pause(3_000);
}

export const DEMANDS: readonly Demand[] = [
  {
    title: '128 alerts in each read',
    ask: (client) => getAll(client, numbers(20 * GET_SIZE).map(keyOf)),
  },
  { title: 'the longest alerts', ask: longAlerts },
  { title: 'the longest incidents', ask: incidents },
  { title: '3,000 escalations at one instant', ask: escalations },
  { title: '10,000 watches', ask: watches },
  { title: '256 silences of every alert', ask: silences },
  { title: 'a device with every alert is lost', ask: gateway },
  { title: '20 patients move, 512 alerts each', ask: patients },
  { title: '1,000 sessions run out at once', ask: sessions },
];
