import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Client, connect } from '../../src/client/client.ts';
import { Operator } from './operator.ts';

/** An operator's day, with real processes and nothing but the command line. */

const SNAPSHOT_EVERY = 60;

let operator: Operator;
const ok = (...argv: readonly string[]): Promise<string> => operator.ok(...argv);
const tocsin: Operator['tocsin'] = (...argv) => operator.tocsin(...argv);
const dataOf = (id: number): string => operator.dataOf(id);
const addressOf = (id: number): string => operator.addressOf(id);
const kill = (id: number): Promise<void> => operator.kill(id);
const serve = (id: number): Promise<void> =>
  operator.serve(id, '--snapshot-every', `${SNAPSHOT_EVERY}`);

beforeAll(async () => {
  operator = await Operator.with(4);
});

afterEach(() => operator.killAll());

afterAll(() => operator.close());

const endpoints = (): string[] => ['--endpoints', operator.addresses.slice(0, 3).join(',')];

async function raise(client: Client, names: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1)
    await client.raise({ dedupKey: `${names}${n}`, condition: 'HR:HI', priority: 'high' });
}

/** Until every member holds the same; what `tocsin wait --for ready` waits for. */
const ready = (): Promise<string> =>
  ok('wait', '--for', 'ready', '--timeout', '60s', ...endpoints());

test('format, grow by joining, fetch a snapshot, die at any moment, hand over, shrink, verify, recover alone', {
  timeout: 240_000,
}, async () => {
  const clusterId = await operator.format(3);
  await Promise.all([1, 2, 3].map(serve));
  await using client = await connect({ endpoints: operator.addresses.slice(0, 3), name: 'test' });
  await raise(client, 'before', 3 * SNAPSHOT_EVERY);

  // A fourth replica joins long after the log has forgotten its beginning.
  await operator.formatJoining(4);
  await serve(4);
  expect(await ok('cluster', 'add', addressOf(4), '--promote', ...endpoints())).toContain('done');
  await ready();
  const listed = JSON.parse(await ok('cluster', 'members', '-o', 'json', ...endpoints()));
  expect(listed.map(({ roles }: { roles: string[] }) => roles)).toEqual(Array(4).fill(['voter']));

  // Killed while it serves, takes and fetches snapshots; each time it comes back to the same.
  for (const id of [4, 1, 2]) {
    const raising = raise(client, `kill${id}-`, 2 * SNAPSHOT_EVERY);
    await pause(100 * id);
    await kill(id);
    await raising;
    await serve(id);
    await ready();
  }
  expect(await ok('cluster', 'digest', ...endpoints())).toContain('no two replicas differ');

  expect(await ok('cluster', 'transfer', '3', ...endpoints())).toBe('replica 3 leads\n');
  expect(await ok('cluster', 'drain', '3', ...endpoints())).toMatch(
    /^replica [124] leads; replica 3 leads no more\nwithout it 3 of 4 voters are there, and 3 are needed: it can be stopped\n$/,
  );

  const plan = await ok('cluster', 'plan', 'remove', '4', ...endpoints());
  expect(plan).toContain('before: 4 voters, 3 needed, 4 there: 1 more may fail');
  expect(await tocsin('cluster', 'remove', '4', ...endpoints())).toMatchObject({ status: 2 });
  expect(await ok('cluster', 'remove', '4', '--confirm', '4', ...endpoints())).toContain('done');
  expect(await tocsin('cluster', 'promote', '4', '--timeout', '1s', ...endpoints())).toMatchObject({
    status: 5,
  });

  // Whoever led may have been the one that left.
  await ready();
  expect(await ok('snapshot', 'save', ...endpoints())).toMatch(/^snapshot \S+: everything up to/);
  for (const id of [1, 2, 3, 4]) await kill(id);
  const found = JSON.parse(await ok('log', 'verify', '--data', dataOf(1), '-o', 'json'));
  expect(found.base, 'the log has forgotten its beginning').toBeGreaterThan(0);
  expect(found.damage).toBeUndefined();
  // A snapshot just taken may leave less than that of the log.
  const from = Math.max(found.base + 1, found.last - 2);
  const range = ['--from', `${from}`, '--to', `${found.last}`];
  const dumped = await ok('log', 'dump', '--data', dataOf(1), '-o', 'jsonl', ...range);
  expect(dumped.split('\n').length - 1).toBe(found.last - from + 1);

  await recoverAlone(clusterId);
});

/** Two of three are gone for good. */
async function recoverAlone(clusterId: string): Promise<void> {
  const recover = ['recover', '--data', dataOf(1)];
  expect(await tocsin(...recover)).toMatchObject({ status: 2 });
  await ok(...recover, '--dry-run');
  await ok(...recover, '--accept-loss', '--confirm', clusterId);
  await serve(1);
  await using alone = await connect({ endpoints: [addressOf(1)], name: 'test' });
  const again = await alone.raise({ dedupKey: 'before0', condition: 'HR:HI', priority: 'high' });
  expect(again).toMatchObject({ effect: 'continued', alertId: 'A1' });
}
