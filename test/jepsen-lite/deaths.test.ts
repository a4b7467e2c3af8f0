import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TestCluster } from '../../jepsen-lite/cluster.ts';
import { Nemesis } from '../../jepsen-lite/nemeses/nemesis.ts';
import type { NemesisName } from '../../jepsen-lite/nemeses/table.ts';
import { ProxiedNetwork } from '../../jepsen-lite/network/proxied-network.ts';
import type { Site } from '../../jepsen-lite/site.ts';
import type { Tools } from '../../jepsen-lite/tools.ts';
import { must } from '../../src/base/assert.ts';
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
  process.on('SIGHUP', () => {
    console.error('tocsin: DISK_FAILED: it does not write');
    process.exit(1);
  });
  setInterval(() => {}, 1_000);
  console.error('last words');
  console.log('replica listens on nothing');
}
`;

const NO_TOOLS: Tools = { noInjection: 'not here', faketime: undefined, noImages: 'not here' };

let folder: string;
let cluster: TestCluster;
let logged: string[];
const log = (line: string): void => void logged.push(line);

async function start(size: number): Promise<void> {
  const program = join(folder, 'main.mjs');
  await mkdir(join(folder, 'local'));
  await writeFile(join(folder, 'local', 'parent-guard.js'), '');
  await writeFile(program, PROGRAM);
  const network = new ProxiedNetwork(new Prng(1));
  cluster = await TestCluster.start({
    size,
    folder,
    program,
    network,
    tools: NO_TOOLS,
    fakesClocks: false,
    hasImages: false,
    log,
  });
}

const nemesisOf = (seed: number): Nemesis =>
  new Nemesis({ cluster, prng: new Prng(seed), now: () => performance.now(), log });

/** Strikes until it has struck; answers with what was counted. */
async function strike(name: NemesisName): Promise<object> {
  const stop = new AbortController();
  const nemesis = nemesisOf(2);
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
  for (const name of ['kill', 'kill-all', 'restart', 'rolling'] as const)
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
  const nemesis = nemesisOf(3);
  await nemesis.run(['ring'], 1, 1, AbortSignal.timeout(10_000));
  expect(nemesis.counts).toEqual({});
  expect(logged).toEqual(['ring left out: breaks nothing of 3 replicas']);
  for (const name of ['halves', 'bridge'] as const)
    expect(await strike(name)).toEqual({ [name]: expect.any(Number) });
});

const only = (): Site => must(cluster.sites[0], 'there is a replica');

/** Waits for the process to stand still, or to go on, by the state in /proc. */
const stateIs = ({ pid }: Site, isStopped: boolean): Promise<void> =>
  vi.waitFor(() => {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
    expect(state === 'T').toBe(isStopped);
  }, 10_000);

test.skipIf(process.platform !== 'linux')(
  'a replica stands still until the last of those ended that stopped it (needs /proc)',
  async () => {
    await start(1);
    const [site] = cluster.sites;
    if (site?.pid === undefined) throw new Error('it does not run');
    const first = site.pause();
    const second = site.pause();
    await first();
    await first();
    await stateIs(site, true);
    await second();
    await stateIs(site, false);
    const old = site.pause();
    await site.end('SIGKILL');
    await site.start();
    const last = site.pause();
    await old();
    await stateIs(site, true);
    await last();
  },
);

test('who stops and says why is excused in a life in which something was done to it, and in no other', async () => {
  await start(1);
  const site = only();
  site.excuse();
  process.kill(site.pid ?? 0, 'SIGHUP');
  await vi.waitFor(() => expect(site.pid).toBeUndefined(), 10_000);
  expect(cluster.deaths).toEqual([]);
  await site.start();
  site.excuse();
  process.kill(site.pid ?? 0, 'SIGUSR2');
  await vi.waitFor(() => expect(cluster.deaths).toHaveLength(1), 10_000);
  await site.start();
  process.kill(site.pid ?? 0, 'SIGHUP');
  await vi.waitFor(() => expect(cluster.deaths).toHaveLength(2), 10_000);
});
