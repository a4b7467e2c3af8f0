import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import type { CallEvent, ConnectionEvent, RaiseInput } from '../../src/client/index.ts';
import { MemoryCluster } from '../../src/testing/index.ts';

const alarm = (dedupKey: string): RaiseInput => ({
  dedupKey,
  priority: 'high',
  condition: 'HR:HI',
});

describe('a cluster in memory', () => {
  test('of one replica answers as a real one', async () => {
    await using cluster = await MemoryCluster.start();
    await using alerts = await cluster.connect({ name: 'monitor' });
    const { alertId } = await alerts.raise(alarm('bed:1'));
    const { value } = await alerts.get({ dedupKey: 'bed:1' });

    expect(value).toMatchObject({ id: alertId, presence: 'present' });
    await expect(alerts.clear({ target: { id: 'A99' } })).rejects.toMatchObject({
      code: 'ALERT_NOT_FOUND',
      retryable: false,
      outcome: 'none',
    });
  });

  test('of three goes on without its leader, and takes it back', async () => {
    await using cluster = await MemoryCluster.start({ replicas: 3 });
    await using alerts = await cluster.connect();
    await alerts.raise(alarm('bed:1'));
    const old = await cluster.leader();
    cluster.kill(old);
    await alerts.raise(alarm('bed:2'), { timeoutMs: 20_000 });

    expect(await cluster.leader()).not.toBe(old);
    await cluster.restart(old);
    expect((await alerts.list({ open: true })).value.alerts).toHaveLength(2);
  });

  test('keeps on its disks what was answered, through a cut of the power everywhere', async () => {
    await using cluster = await MemoryCluster.start({ replicas: 3 });
    await using alerts = await cluster.connect();
    await alerts.raise(alarm('bed:1'));
    for (const id of [1, 2, 3]) cluster.kill(id);
    for (const id of [1, 2, 3]) await cluster.restart(id);

    const { value } = await alerts.get({ dedupKey: 'bed:1' }, { timeoutMs: 20_000 });
    expect(value?.dedupKey).toBe('bed:1');
  });

  test('heals after a cut', async () => {
    await using cluster = await MemoryCluster.start({ replicas: 3 });
    await using alerts = await cluster.connect();
    cluster.cut(1, 2);
    cluster.cut(2, 3);
    cluster.cut(1, 3);
    cluster.heal();

    await alerts.raise(alarm('bed:1'), { timeoutMs: 20_000 });
    expect((await alerts.list()).value.alerts).toHaveLength(1);
  });

  test('has no more replicas than a cluster may have', async () => {
    await expect(MemoryCluster.start({ replicas: 0 })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
  });
});

describe('a client tells what becomes of its connections', () => {
  test('from whom it takes for the leader to whoever comes after', async () => {
    await using cluster = await MemoryCluster.start({ replicas: 3 });
    await using alerts = await cluster.connect();
    await alerts.raise(alarm('bed:1')); // By now it knows the leader.
    const old = `/memory/${await cluster.leader()}`;
    const stop = new AbortController();
    const seen: ConnectionEvent[] = [];
    const listening = (async () => {
      for await (const event of alerts.events({ signal: stop.signal })) seen.push(event);
    })();
    cluster.kill(await cluster.leader());
    await alerts.raise(alarm('bed:2'), { timeoutMs: 20_000 });
    stop.abort();
    await listening;

    expect(seen[0]).toEqual({ type: 'leader', address: old });
    expect(seen).toContainEqual(expect.objectContaining({ type: 'disconnected', address: old }));
    const lost = seen.findIndex((event) => event.type === 'leader' && event.address === undefined);
    const next = seen.findLast((event) => event.type === 'leader');
    expect(lost).toBeGreaterThan(0);
    expect(next?.type === 'leader' && next.address).not.toBe(old);
  });

  test('ends with the client, and says how much a slow listener missed', async () => {
    await using cluster = await MemoryCluster.start();
    const alerts = await cluster.connect();
    const events = alerts.events();
    await alerts.close();
    for await (const event of events) expect(['leader', 'disconnected']).toContain(event.type);
    const late: ConnectionEvent[] = [];
    for await (const event of alerts.events()) late.push(event);

    expect(late.map(({ type }) => type)).toEqual(['leader']);
  });
});

describe('a client that must not wait', () => {
  test('is refused at once while nobody is there, and goes on when somebody is', async () => {
    await using cluster = await MemoryCluster.start();
    await using alerts = await cluster.connect({ offlineQueue: false });
    await alerts.raise(alarm('bed:1'));
    const gone = nextDisconnect(alerts.events());
    cluster.kill(1);
    await gone;
    const write = await alerts.raise(alarm('bed:2')).catch((error: unknown) => error);
    const read = await alerts.list().catch((error: unknown) => error);

    for (const error of [write, read]) {
      expect(error).toMatchObject({ code: 'UNAVAILABLE', outcome: 'none', retryable: true });
      expect((error as Error).message).toContain('offlineQueue is off');
    }
    await cluster.restart(1);
    await untilAnswered(() => alerts.raise(alarm('bed:2')));
    expect((await alerts.list()).value.alerts).toHaveLength(2);
  });
});

describe('instruments', () => {
  test('are told of each call how long it took and how it ended', async () => {
    await using cluster = await MemoryCluster.start();
    await using alerts = await cluster.connect({ name: 'gauge' });
    const told: CallEvent[] = [];
    const listener = (event: unknown): void => void told.push(event as CallEvent);
    subscribe('tocsin:client:call', listener);
    try {
      await alerts.raise(alarm('bed:1'));
      await alerts.clear({ target: { id: 'A99' } }).catch(() => {});
      await alerts.list();
    } finally {
      unsubscribe('tocsin:client:call', listener);
    }

    expect(told).toMatchObject([
      { client: 'gauge', call: 'raise', code: undefined },
      { client: 'gauge', call: 'clear', code: 'ALERT_NOT_FOUND', outcome: 'none' },
      { client: 'gauge', call: 'list', code: undefined },
    ]);
    for (const { ms } of told) expect(ms).toBeGreaterThanOrEqual(0);
  });
});

describe('keys of repetitions', () => {
  test('differ, sort as they are made, and give the first answer again', async () => {
    await using cluster = await MemoryCluster.start();
    await using alerts = await cluster.connect();
    const keys = Array.from({ length: 100 }, () => alerts.newIdempotencyKey());
    const [idempotencyKey = ''] = keys;
    const first = await alerts.raise(alarm('bed:1'), { idempotencyKey });
    const again = await alerts.raise(alarm('bed:1'), { idempotencyKey });

    expect(new Set(keys).size).toBe(100);
    expect(keys.toSorted()).toEqual(keys);
    expect(again).toEqual(first);
  });
});

async function nextDisconnect(events: AsyncIterable<ConnectionEvent>): Promise<void> {
  for await (const event of events) if (event.type === 'disconnected') return;
}

async function untilAnswered(call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if (!TocsinError.is(error) || !error.retryable) throw error;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}
