import { expect, onTestFinished, test, vi } from 'vitest';
import { freePorts } from '../../cli/local/free-ports.ts';
import { connectTrends, type TrendClient } from '../../src/client/trend/trend-client.ts';
import { Operator } from './operator.ts';

const WAIT = { timeout: 60_000, interval: 100 };

async function trendsAt(address: string): Promise<TrendClient> {
  const client = await connectTrends({ endpoints: [address] });
  onTestFinished(() => client.close());
  return client;
}

async function bring(client: TrendClient, patient: string): Promise<void> {
  const writer = client.writer();
  const series = writer.series({ patient, device: 'm', metric: 'HR', unit: '/min' });
  for (let n = 0; n < 10; n += 1) writer.add(series, Date.now() - n * 1_000, 60 + n);
  await writer.drain();
}

async function patients(client: TrendClient): Promise<readonly string[]> {
  const query = { what: 'range', series: ['*/*/*'], from: 0, to: Date.now() } as const;
  const { series } = await client.query(query).catch(() => ({ series: [] }));
  return series.map(({ key }) => key.split('/')[0] ?? '').sort();
}

test('the trend tier of a replica that is added gets and gives samples, and no other replica is told of it or restarted', {
  timeout: 240_000,
}, async () => {
  const operator = await Operator.with(4);
  onTestFinished(() => operator.close());
  const places = (await freePorts(4)).map((port) => `/ip4/127.0.0.1/tcp/${port}`);
  const serve = (id: number): Promise<void> =>
    operator.serve(id, '--trend', places[id - 1] as string);
  const endpoints = ['--endpoints', operator.addresses.slice(0, 3).join(',')];
  await operator.format(3);
  await Promise.all([1, 2, 3].map(serve));
  const first = await trendsAt(places[0] as string);
  const second = await trendsAt(places[1] as string);
  await bring(first, 'before');

  await operator.formatJoining(4);
  await serve(4);
  const fourth = await trendsAt(places[3] as string);
  await bring(fourth, 'alone');
  expect(await patients(fourth)).toEqual(['alone']);
  await operator.ok('cluster', 'add', operator.addressOf(4), '--promote', ...endpoints);
  await bring(fourth, 'member');
  // What came before it was added is compared, a window at a time; what comes now is passed on at once.
  await vi.waitFor(async () => {
    await bring(fourth, 'member');
    await bring(first, 'before');
    expect(await patients(first)).toContain('member');
    expect(await patients(fourth)).toContain('before');
  }, WAIT);

  await operator.ok('cluster', 'remove', '4', '--confirm', '4', ...endpoints);
  let last = 0;
  await vi.waitFor(async () => {
    last += 1;
    await bring(first, `after${last}`);
    await vi.waitFor(async () => expect(await patients(second)).toContain(`after${last}`), WAIT);
    expect(await patients(fourth)).not.toContain(`after${last}`);
  }, WAIT);
});
