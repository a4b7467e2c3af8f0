import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TestCluster } from '../../jepsen-lite/cluster.ts';
import { Nemesis, type NemesisName } from '../../jepsen-lite/nemeses.ts';
import { Prng } from '../../src/base/prng.ts';

/** Formats and serves nothing, in the words of the real one; does not start where a file `FOLDER.spoilt` lies. */
const PROGRAM = `
import { existsSync } from 'node:fs';
const [, , verb, , data] = process.argv;
if (verb === 'format') console.log(JSON.stringify({ clusterId: 'c0ffee00c0ffee00c0ffee00c0ffee00' }));
else if (existsSync(data + '.spoilt')) {
  console.error('tocsin: DATA_DAMAGED: nothing can be read');
  process.exitCode = 1;
} else {
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGUSR2', () => process.exit(70));
  setInterval(() => {}, 1_000);
  console.error('last words');
  console.log('replica listens on nothing');
}
`;

let folder: string;
let cluster: TestCluster;
let logged: string[];
const log = (line: string): void => void logged.push(line);

async function start(size: number): Promise<void> {
  const program = join(folder, 'main.mjs');
  await mkdir(join(folder, 'local'));
  await writeFile(join(folder, 'local', 'parent-guard.js'), '');
  await writeFile(program, PROGRAM);
  cluster = await TestCluster.start({ size, folder, program, prng: new Prng(1), log });
}

/** Strikes until it has struck; answers with what was counted. */
async function strike(name: NemesisName): Promise<object> {
  const stop = new AbortController();
  const nemesis = new Nemesis(cluster, new Prng(2), () => performance.now(), log);
  const running = nemesis.run([name], 1, 1, stop.signal);
  await vi.waitFor(() => expect(nemesis.spans.some(({ to }) => to < Infinity)).toBe(true), 10_000);
  stop.abort();
  await running;
  return nemesis.counts;
}

beforeEach(async () => {
  logged = [];
  folder = await mkdtemp(join(tmpdir(), 'tocsin-deaths-'));
});

afterEach(async () => {
  await cluster.close();
  await rm(folder, { recursive: true, force: true });
});

test('replicas that a nemesis ends have not died; one that ends by itself has', async () => {
  await start(1);
  for (const name of ['kill', 'kill-all', 'restart'] as const)
    expect(await strike(name)).toEqual({ [name]: expect.any(Number) });
  expect(cluster.deaths).toEqual([]);
  const [site] = cluster.sites;
  process.kill(site?.process.pid ?? 0, 'SIGUSR2');
  await vi.waitFor(() => expect(cluster.deaths).toHaveLength(1), 10_000);
  expect(cluster.deaths[0]).toMatch(/^replica 1 ended by itself: exit 70: (.*\n)*last words$/);
  await cluster.heal();
  expect(cluster.running).toHaveLength(1);
});

test('a replica that does not start after a kill is noted with its reason', async () => {
  await start(1);
  await writeFile(join(folder, 'replica-1.spoilt'), '');
  await strike('kill');
  expect(cluster.deaths.join('\n')).toMatch(/replica 1 did not start again: .*DATA_DAMAGED/);
});

test('faults that break nothing of three replicas are neither drawn nor counted', async () => {
  await start(3);
  const nemesis = new Nemesis(cluster, new Prng(3), () => performance.now(), log);
  await nemesis.run(['ring'], 1, 1, AbortSignal.timeout(10_000));
  expect(nemesis.counts).toEqual({});
  expect(logged).toEqual(['ring breaks nothing of 3 replicas: left out']);
  for (const name of ['halves', 'bridge'] as const)
    expect(await strike(name)).toEqual({ [name]: expect.any(Number) });
});
