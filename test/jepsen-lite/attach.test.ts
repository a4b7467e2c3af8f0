import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { programPath } from '../../cli/local/program.ts';
import { TestCluster } from '../../jepsen-lite/cluster.ts';
import { ProxiedNetwork } from '../../jepsen-lite/network/proxied-network.ts';
import { Prng } from '../../src/base/prng.ts';
import { jepsen, startJepsen } from './harness.ts';

/** Somebody else's cluster, and a folder for what is run against it. */
async function withCluster(
  use: (cluster: TestCluster, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-attach-'));
  const cluster = await TestCluster.start({
    size: 3,
    folder,
    program: programPath(),
    network: new ProxiedNetwork(new Prng(1)),
    tools: { noInjection: 'not here', faketime: undefined, noImages: 'not here' },
    fakesClocks: false,
    hasImages: false,
    log: () => {},
  });
  try {
    await use(cluster, folder);
    expect(cluster.deaths).toEqual([]);
  } finally {
    await cluster.close();
    await rm(folder, { recursive: true, force: true });
  }
}

test(
  "somebody else's cluster is loaded and checked, twice with one seed, and nothing of it is broken",
  {
    timeout: 120_000,
  },
  () =>
    withCluster(async (cluster, folder) => {
      for (const seed of ['1', '2']) {
        const at = ['--attach', cluster.endpoints.join(','), '--out', join(folder, `run-${seed}`)];
        const load = ['--time', '3', '--rate', '50', '--minimum', '5', '--seed', seed, '--json'];
        const { status, printed } = await jepsen([...at, ...load]);
        const { verdict, faults, why } = JSON.parse(printed);
        const expected = { status: 0, verdict: 'valid', faults: {}, why: [] };
        expect({ status, verdict, faults, why }).toEqual(expected);
      }
    }),
);

test(
  'a cluster of which too little is heard makes the run void, and one that is not there says where it is not',
  {
    timeout: 120_000,
  },
  () =>
    withCluster(async (cluster, folder) => {
      const address = cluster.endpoints.join(',');
      const load = ['--time', '2', '--rate', '20', '--minimum', '100000', '--json'];
      const out = ['--out', join(folder, 'run')];
      const run = await jepsen(['--attach', address, ...load, ...out]);
      expect({ status: run.status, ...JSON.parse(run.printed) }).toMatchObject({
        status: 2,
        verdict: 'VOID',
        why: [expect.stringContaining('fewer than 100000')],
      });
      const again = startJepsen(['--attach', address, ...load, ...out]);
      expect((await again.ended).status).toBe(3);
      expect(again.said).toContain('is not empty: --out wants a folder of its own');
      const elsewhere = ['--out', join(folder, 'elsewhere')];
      const nobody = startJepsen(['--attach', '/ip4/127.0.0.1/tcp/1', ...elsewhere]);
      expect((await nobody.ended).status).toBe(3);
      expect(nobody.said).toContain('the cluster cannot be reached: UNAVAILABLE');
      expect(nobody.said).toContain('/ip4/127.0.0.1/tcp/1');
    }),
);
