import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { programPath } from '../../cli/local/program.ts';
import { TestCluster } from '../../jepsen-lite/cluster.ts';
import { ProxiedNetwork } from '../../jepsen-lite/network/proxied-network.ts';
import { Prng } from '../../src/base/prng.ts';

test("somebody else's cluster is loaded and checked, and nothing of it is broken", {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-attach-'));
  const program = programPath();
  const cluster = await TestCluster.start({
    size: 3,
    folder,
    program,
    network: new ProxiedNetwork(new Prng(1)),
    tools: { noInjection: 'not here', faketime: undefined, noImages: 'not here' },
    fakesClocks: false,
    hasImages: false,
    log: () => {},
  });
  try {
    const main = join(program, '..', '..', 'jepsen-lite', 'main.js');
    const load = ['--time', '3', '--rate', '50', '--minimum', '5', '--json'];
    const at = ['--attach', cluster.endpoints.join(','), '--out', join(folder, 'run')];
    const child = spawn(process.execPath, [main, ...at, ...load], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += String(chunk);
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    const { verdict, faults, why } = JSON.parse(printed);
    const expected = { status: 0, verdict: 'valid', faults: {}, why: [] };
    expect({ status, verdict, faults, why }).toEqual(expected);
    expect(cluster.deaths).toEqual([]);
  } finally {
    await cluster.close();
    await rm(folder, { recursive: true, force: true });
  }
});
