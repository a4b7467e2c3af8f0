import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dashboardFeed } from '../../examples/dashboard-feed.ts';
import { escalate } from '../../examples/escalation-worker.ts';
import { forwardReports, type Report } from '../../examples/monitor-gateway.ts';
import { Board } from '../../examples/nurse-station.ts';
import {
  type Alert,
  type Client,
  type RaiseInput,
  TocsinError,
  type WatchMessage,
} from '../../src/client/index.ts';
import { MemoryCluster } from '../../src/testing/index.ts';

/** The examples, each against a cluster of real replicas in memory. */

let cluster: MemoryCluster;
let alerts: Client;
let stop: AbortController;

beforeEach(async () => {
  stop = new AbortController();
  cluster = await MemoryCluster.start();
  alerts = await cluster.connect({ name: 'example' });
});
afterEach(async () => {
  stop.abort();
  await cluster.close();
});

const alarm = (bed: string, changes: Partial<RaiseInput> = {}): RaiseInput => ({
  dedupKey: `bed:${bed}`,
  condition: 'HR:HI',
  priority: 'high',
  subject: { unit: 'ICU', bed },
  ...changes,
});

const openKeys = async (): Promise<string[]> =>
  (await alerts.list({ open: true })).value.alerts.map(({ dedupKey }) => dedupKey);

/** Looks again and again, with a bound that is far away. */
async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('it did not become so');
    await new Promise<void>((resolve) => setTimeout(resolve, 5));
  }
}

describe('the monitor gateway', () => {
  const report = (sequence: number, isPresent: boolean): Report => ({
    bed: 'B1',
    condition: 'HR:HI',
    priority: 'high',
    isPresent,
    sequence,
  });
  const stream = async function* (reports: readonly Report[]): AsyncGenerator<Report> {
    yield* reports;
  };

  test('forwards each report once, also when it reads them again after a restart', async () => {
    const reports = [report(1, true), report(2, false), report(3, true)];
    await forwardReports(alerts, stream(reports), stop.signal);
    await forwardReports(alerts, stream(reports), stop.signal);

    expect(await openKeys()).toEqual(['monitor:B1:HR:HI']);
    expect((await alerts.list({})).revision).toBe(3);
  });

  test('repeats what nobody knows the end of, and it happens once', async () => {
    let isFirst = true;
    const forgetful: Pick<Client, 'raise' | 'clear'> = {
      clear: (...args) => alerts.clear(...args),
      raise: async (...args) => {
        const done = await alerts.raise(...args);
        if (!isFirst) return done;
        isFirst = false;
        throw new TocsinError('OUTCOME_UNKNOWN', 'the answer was lost');
      },
    };
    await forwardReports(forgetful, stream([report(1, true)]), stop.signal);

    expect(await openKeys()).toEqual(['monitor:B1:HR:HI']);
    expect((await alerts.list({})).revision).toBe(1);
  });
});

describe('the monitor gateway and a cluster that refuses at once', () => {
  test('waits between its attempts, and ends as soon as it is told to', async () => {
    let attempts = 0;
    const refusing: Pick<Client, 'raise' | 'clear'> = {
      clear: (...args) => alerts.clear(...args),
      raise: (...args) => {
        attempts += 1;
        if (attempts === 3) setTimeout(() => stop.abort());
        // A loop without a pause would never let the timer have its turn: that one ends here.
        if (attempts === 1_000) return alerts.raise(...args);
        return Promise.reject(new TocsinError('OVERLOADED', 'too many wait'));
      },
    };
    const reports = (async function* (): AsyncGenerator<Report> {
      yield { bed: 'B1', condition: 'HR:HI', priority: 'high', isPresent: true, sequence: 1 };
    })();
    await forwardReports(refusing, reports, stop.signal);

    expect(attempts).toBe(3);
  });
});

describe('the nurse station', () => {
  test('shows what is open on its unit, the most urgent first, until somebody acknowledges it', async () => {
    const board = new Board(alerts, 'ICU');
    const following = board.follow(stop.signal, () => {});
    await alerts.raise(alarm('B1', { priority: 'low' }));
    await alerts.raise(alarm('B2'));
    await alerts.raise(alarm('B3', { subject: { unit: 'ED', bed: 'B3' } }));
    await until(() => board.rows.length === 2);
    expect(board.rows.map(({ subject }) => subject.bed)).toEqual(['B2', 'B1']);

    const [first] = board.rows;
    expect(await board.acknowledge(first!, 'kim')).toBe(true);
    await until(() => board.rows[0]?.subject.bed === 'B1');
    await alerts.clear({ target: { dedupKey: 'bed:B2' } });
    await until(() => board.rows.length === 1);
    expect(await board.acknowledge(first!, 'kim')).toBe(false);
    stop.abort();
    await following;
  });
});

describe('the escalation worker', () => {
  test('pages once for each alert that nobody acknowledges, and not for the others', async () => {
    const pages: string[] = [];
    const page = (_alert: unknown, key: string): void => void pages.push(key);
    const { alertId: taken } = await alerts.raise(alarm('B1'));
    await alerts.acknowledge({ target: { id: taken } });
    const { alertId: left } = await alerts.raise(alarm('B2'));
    await alerts.raise(alarm('B3', { priority: 'low' }));
    const working = escalate(alerts, { afterMs: 1, page }, stop.signal);
    await until(() => pages.length > 0);
    await alerts.raise(alarm('B2')); // The same life of the same alert.
    const { alertId: other } = await alerts.raise(alarm('B4'));
    await until(() => pages.includes(`${other}/1`));
    stop.abort();
    await working;

    expect(pages.toSorted()).toEqual([`${left}/1`, `${other}/1`].toSorted());
  });
});

describe('the escalation worker counts', () => {
  /** What is paged when the messages have been told, until the given one is. */
  async function pagesOf(
    messages: readonly WatchMessage[],
    afterMs: number,
    last: string,
  ): Promise<string[]> {
    const pages: string[] = [];
    const watch = async function* (): AsyncGenerator<WatchMessage> {
      yield* messages;
      await until(() => stop.signal.aborted);
    };
    const options = { afterMs, page: (_alert: Alert, key: string): void => void pages.push(key) };
    const working = escalate({ watch }, options, stop.signal);
    await until(() => pages.includes(last));
    stop.abort();
    await working;
    return pages;
  }

  async function raised(bed: string): Promise<Alert> {
    const { alertId: id } = await alerts.raise(alarm(bed));
    return (await alerts.get({ id })).value!;
  }

  const told = (alert: Alert): WatchMessage => ({
    type: 'event',
    event: {
      revision: alert.revision,
      index: 1 as never,
      time: Date.now() as never,
      observedAt: alert.observedAt,
      effect: 'raised',
      actor: 'example',
      alert,
    },
  });
  const compacted = (...left: readonly Alert[]): WatchMessage => ({
    type: 'compacted',
    revision: 9 as never,
    alerts: left,
  });

  test('no alert that is gone when events are left out', async () => {
    const gone = await raised('B1');
    const left = await raised('B2');
    const pages = await pagesOf([told(gone), compacted(left), told(left)], 100, `${left.id}/1`);

    expect(pages).toEqual([`${left.id}/1`]);
  });

  test('from the raise, however lately it was seen again', async () => {
    const alert = await raised('B1');
    const raisedAt = (alert.raisedAt - 3_600_000) as Alert['raisedAt'];
    const pages = await pagesOf([compacted({ ...alert, raisedAt })], 1_800_000, `${alert.id}/1`);

    expect(pages).toEqual([`${alert.id}/1`]);
  });

  test('a new activation anew, and the one before no more', async () => {
    const alert = await raised('B1');
    const again = { ...alert, activation: 2 };
    const pages = await pagesOf([told(alert), told(again)], 100, `${alert.id}/2`);

    expect(pages).toEqual([`${alert.id}/2`]);
  });
});

describe('the dashboard feed', () => {
  test('tells a browser the history, and goes on where it was cut off', async () => {
    const server = dashboardFeed(alerts);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const read = async (headers: Record<string, string>, last: string): Promise<string> => {
      const leave = new AbortController();
      const url = `http://127.0.0.1:${port}/alerts`;
      const { body } = await fetch(url, { headers, signal: leave.signal });
      let text = '';
      for await (const chunk of body!) {
        text += Buffer.from(chunk).toString();
        if (text.includes(last)) break;
      }
      leave.abort();
      return text;
    };
    try {
      await alerts.raise(alarm('B1'));
      await alerts.raise(alarm('B2'));
      const first = await read({}, 'id: 2\nevent: alert');
      const second = await read({ 'last-event-id': '1' }, 'id: 2\nevent: alert');

      expect(first).toContain('id: 1\nevent: alert\ndata: {"effect":"raised"');
      expect(second).not.toContain('id: 1\nevent: alert');
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
