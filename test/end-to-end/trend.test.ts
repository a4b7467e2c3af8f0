import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { recordings } from '../../bench/measure/recordings.ts';
import { SERVICES } from '../../cli/commands/services.ts';
import { shippedRules } from '../../cli/demo/shipped-rules.ts';
import {
  formatTransitions,
  type PatientTransition,
  transitionOfEvent,
} from '../../cli/input/transitions.ts';
import { LocalCluster } from '../../cli/local/local-cluster.ts';
import { BEHIND } from '../../cli/trend/own-thread.ts';
import { replicaId, revision } from '../../src/base/ids.ts';
import { connect } from '../../src/client/client.ts';
import { connectTrends } from '../../src/client/trend/trend-client.ts';
import { World } from '../cli/commands/world.ts';
import { EXPECTED_TEXT, folderOf, RESTLESS_AND_SLOW } from '../cli/replay/made-up.ts';
import { HR_HIGH } from '../hr-high.ts';

const DATA = recordings('bidmc');
const STAYS = recordings('physionet2012');
const hasData = existsSync(DATA);

// Processes take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

class LiveWorld extends World {
  override readonly services: typeof SERVICES = SERVICES;

  override wall(): number {
    return Date.now();
  }
}

async function start(
  trend: { readonly rules?: string } = { rules: shippedRules('bidmc.yaml') },
): Promise<LocalCluster> {
  const cluster = await LocalCluster.start({ trend });
  onTestFinished(() => cluster.close());
  await cluster.leader();
  return cluster;
}

/** What the cluster committed of the conditions, as soon as there are `count` transitions. */
async function committed(cluster: LocalCluster, origin: number, count: number): Promise<string> {
  const client = await connect({ endpoints: cluster.endpoints });
  onTestFinished(() => client.close());
  const transitions: PatientTransition[] = [];
  for await (const message of client.watch({ from: revision(1) })) {
    if (message.type !== 'event') continue;
    const transition = transitionOfEvent(message.event, origin);
    if (transition !== undefined) transitions.push(transition);
    if (transitions.length >= count) break;
  }
  return formatTransitions(transitions);
}

async function load(cluster: LocalCluster, folder: string, origin: number): Promise<string> {
  const world = new LiveWorld();
  const endpoints = cluster.trendEndpoints.join(',');
  const at = new Date(origin).toISOString();
  const { status, stdout } = await world.run(
    'trend',
    'load',
    folder,
    '--at',
    at,
    '--endpoints',
    endpoints,
  );
  expect(status).toBe(0);
  return stdout;
}

/** Bytes of all segments of the journal, and the name of the oldest: a later one once the samples before are in chunks. */
function journalOf(data: string): { readonly bytes: number; readonly oldest: string } {
  const folder = join(data, 'trend-journal');
  const names = readdirSync(folder).sort();
  const bytes = names.reduce((total, name) => total + statSync(join(folder, name)).size, 0);
  return { bytes, oldest: names[0] ?? '' };
}

/** NEWS2 of a folder, straight from the files or through the cluster. */
async function scores(folder: string, cluster?: LocalCluster): Promise<string> {
  const through = cluster === undefined ? [] : ['--through', cluster.trendEndpoints.join(',')];
  const { status, stdout } = await new LiveWorld().run('score', 'news2', folder, ...through);
  expect(status).toBe(0);
  return stdout;
}

const linesIn = (text: string): number => text.trimEnd().split('\n').length - 1;

describe('samples brought to the trend tier of a running cluster', () => {
  test('are judged by its rules, outlive a killed replica, and are told by every other one', async () => {
    const cluster = await start();
    const origin = Date.now() - 300_000;
    const folder = await folderOf(RESTLESS_AND_SLOW);
    const before = cluster.replicas.map((replica) => journalOf(replica.folder).oldest);
    expect(await load(cluster, folder, origin)).toBe(
      '800 samples taken, 0 refused, of 2 patients\n',
    );
    expect(await committed(cluster, origin, linesIn(EXPECTED_TEXT))).toBe(EXPECTED_TEXT);
    for (const { id, folder: folderOfReplica } of cluster.replicas) {
      const client = await connectTrends({ endpoints: [cluster.trendEndpoints[id - 1] as string] });
      onTestFinished(() => client.close());
      const count = async (): Promise<number> => {
        const query = { what: 'range', series: ['*/*/*'], from: origin, to: Date.now() } as const;
        const { series } = await client.query(query).catch(() => ({ series: [] }));
        return series.reduce((total, { columns }) => total + (columns['time']?.length ?? 0), 0);
      };
      await vi.waitFor(async () => expect(await count()).toBe(800), {
        timeout: 30_000,
        interval: 50,
      });
      if (id !== 1) continue;
      // A crash may take what the journal has not yet.
      await vi.waitFor(
        () => {
          const { bytes, oldest } = journalOf(folderOfReplica);
          expect(bytes > 800 * 17 || oldest > (before[id - 1] ?? '')).toBe(true);
        },
        { timeout: 30_000, interval: 50 },
      );
      await cluster.kill(id);
      await cluster.restart(id);
      await vi.waitFor(async () => expect(await count()).toBe(800), {
        timeout: 30_000,
        interval: 50,
      });
    }
  });

  test.skipIf(!existsSync('/proc/thread-self/schedstat'))(
    'are judged and encoded by threads that stand back behind that of alerts (needs Linux)',
    async () => {
      const cluster = await LocalCluster.start({ size: 1, trend: {} });
      onTestFinished(() => cluster.close());
      const { pid = 0 } = cluster.replicas[0] ?? {};
      const main = getPriority(pid);
      const steps = (): readonly number[] =>
        readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread)) - main);
      const behind = (by: number): number => Math.min(19 - main, by);
      await vi.waitFor(
        () =>
          expect(new Set(steps())).toEqual(
            new Set([0, behind(BEHIND.judging), behind(BEHIND.encoding)]),
          ),
        { timeout: 30_000, interval: 50 },
      );
    },
  );

  test('are judged by the rules in force on every replica, and alerts name the version of theirs', async () => {
    const cluster = await start({});
    const client = await connect({ endpoints: cluster.endpoints });
    onTestFinished(() => client.close());
    const rule = async (...words: readonly string[]): Promise<void> => {
      const endpoints = cluster.endpoints.join(',');
      const { status, stderr } = await new LiveWorld().run(
        'rule',
        ...words,
        '--endpoints',
        endpoints,
      );
      expect(status, stderr).toBe(0);
    };
    const causes = async (): Promise<readonly (readonly unknown[])[]> => {
      const { value } = await client.list({ open: true });
      return value.alerts
        .filter(({ dedupKey }) => !dedupKey.startsWith('tocsin:'))
        .map(({ subject, cause }) => [subject.patient, cause?.value, cause?.limit, cause?.rule])
        .sort();
    };
    await rule('load', shippedRules('bidmc.yaml'));
    const news2 =
      '{ id: news2, kind: news2, limit: 3, priority: high, validMinutes: 60, text: NEWS2 high }';
    await rule('add', '--rule', news2);
    const kept = await client.records('rule');
    const versions = new Map(kept.value.records.map(({ id, version }) => [id, version]));
    // Each replica is brought another patient: whoever judges, the same rules say the same.
    for (const [at, endpoint] of cluster.trendEndpoints.entries()) {
      const trends = await connectTrends({ endpoints: [endpoint] });
      onTestFinished(() => trends.close());
      const writer = trends.writer();
      const patient = `p${at}`;
      const series = writer.series({ patient, device: 'm', metric: 'HR', unit: '/min' });
      const feed = async (pulse: number): Promise<void> => {
        const from = Date.now() - 20_000;
        for (let second = 0; second < 20; second += 1)
          writer.add(series, from + second * 1_000, pulse);
        await writer.drain();
      };
      // What is in force reaches the thread of trends a little after it is committed.
      await vi.waitFor(
        async () => {
          await feed(140);
          const mine = (await causes()).filter(([name]) => name === patient);
          expect(mine).toEqual([
            [patient, 140, 131, `hr-high@${versions.get('hr-high')}`],
            [patient, 3, 3, `news2@${versions.get('news2')}`],
          ]);
        },
        { timeout: 30_000, interval: 1_000 },
      );
    }
    await rule('remove', 'news2');
    await vi.waitFor(
      async () => {
        const left = (await causes()).map(([, , , by]) => by);
        expect(left).toEqual(Array(3).fill(`hr-high@${versions.get('hr-high')}`));
      },
      { timeout: 30_000, interval: 100 },
    );
  });

  test('that never come again leave nothing open by a rule that is no longer in force', async () => {
    const cluster = await start({});
    const client = await connect({ endpoints: cluster.endpoints });
    onTestFinished(() => client.close());
    const trends = await connectTrends({ endpoints: cluster.trendEndpoints });
    onTestFinished(() => trends.close());
    const writer = trends.writer();
    const series = writer.series({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
    writer.add(series, Date.now(), 80);
    await writer.drain();
    // As its rule has left it that was removed while no replica judged.
    const raised = await client.raise({
      dedupKey: 'phys:p:m:HR:LO',
      condition: 'HR:LO',
      priority: 'high',
      subject: { patient: 'p', device: 'm' },
      cause: { metric: 'HR', value: 30, rule: 'hr-low@1' },
    });
    await client.keep({ type: 'set-rule', rule: { list: 'rules', ...HR_HIGH } });
    for await (const message of client.watch({ from: revision(1) })) {
      if (message.type !== 'event' || message.event.effect !== 'cleared') continue;
      expect(message.event.alert.id).toBe(raised.alertId);
      break;
    }
  });

  test('never touch the alerts: a folder of trends that cannot be used leaves the replica without trends', async () => {
    const cluster = await start({});
    const [first] = cluster.replicas;
    const { id, folder } = first ?? { id: replicaId(1), folder: '' };
    await cluster.kill(id);
    await rm(join(folder, 'trend-journal'), { recursive: true });
    await writeFile(join(folder, 'trend-journal'), 'in the way');
    await cluster.restart(id);
    const client = await connect({ endpoints: [cluster.endpoints[0] as string] });
    onTestFinished(() => client.close());
    const raised = await client.raise({ dedupKey: 'a', condition: 'A', priority: 'high' });
    expect(raised.effect).toBe('raised');
    expect(await readFile(`${folder}.err`, 'utf8')).toContain('trends do not run: DISK_FAILED');
  });

  test('are taken by a replica whose own can no longer be read, which sets those aside', async () => {
    const cluster = await start({});
    const [first] = cluster.replicas;
    const { id, folder } = first ?? { id: replicaId(1), folder: '' };
    await cluster.kill(id);
    await writeFile(join(folder, 'trend', 'CURRENT'), 'MANIFEST-nowhere');
    await cluster.restart(id);
    expect(await readFile(`${folder}.err`, 'utf8')).toContain('lies in trend-damaged now');
    const client = await connectTrends({ endpoints: [cluster.trendEndpoints[0] as string] });
    onTestFinished(() => client.close());
    const writer = client.writer();
    const series = writer.series({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
    writer.add(series, Date.now(), 80);
    await writer.drain();
    const query = { what: 'latest', series: ['p/*/*'] } as const;
    expect((await client.query(query)).series).toHaveLength(1);
  });

  test('give charted stays back in their order: scores are those of the files', async () => {
    const cluster = await start();
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-stays-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const rows = [
      '00:07,HR,131',
      '00:07,RespRate,16',
      '00:07,NISysABP,95',
      '00:07,SysABP,120',
      '47:30,Temp,39.05',
    ];
    for (const id of [7, 8])
      await writeFile(join(folder, `${id}.txt`), ['Time,Parameter,Value', ...rows, ''].join('\n'));
    expect(await scores(folder, cluster)).toBe(await scores(folder));
  });

  test.skipIf(!hasData)(
    'give 400 recorded stays their NEWS2, line for line, (needs the recordings)',
    async () => {
      const cluster = await start();
      const folder = await mkdtemp(join(tmpdir(), 'tocsin-stays-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      execFileSync('tar', ['xzf', join(STAYS, 'stays.tgz'), '-C', folder]);
      const expected = gunzipSync(await readFile(join(STAYS, 'expected-news2.csv.gz'))).toString();
      expect(await scores(join(folder, 'stays'), cluster)).toBe(expected);
    },
  );

  if (!hasData) process.stderr.write(`SKIPPED: no recordings in ${DATA}\n`);

  test.skipIf(!hasData)(
    'of 27 recorded patients give exactly the expected alarms, line for line (needs the recordings)',
    async () => {
      const cluster = await start();
      const origin = Date.now() - 600_000;
      expect(await load(cluster, DATA, origin)).toContain('51948 samples taken, 0 refused');
      const text = await readFile(join(DATA, 'expected-limit-alarms.csv'), 'utf8');
      const expected = text.replaceAll('\r', '');
      const told = await committed(cluster, origin, linesIn(expected));
      expect(told.trimEnd().split('\n')).toEqual(expected.trimEnd().split('\n'));
    },
  );
});
