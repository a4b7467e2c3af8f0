import { must } from '../../src/base/assert.ts';
import { raiseAndClear } from '../workloads/alerts.ts';
import { Stage } from '../workloads/stage.ts';
import { KEYS, type Store } from './store.ts';

/** This product, through its public client. */
export async function openTocsin(valueBytes: number): Promise<Store | string> {
  const stage = await Stage.open(3, 1);
  const { client, cluster } = stage;
  const put = raiseAndClear(client, 'bench', valueBytes);
  await client.raise({ dedupKey: 'read', priority: 'low', condition: 'HR:HI' });
  return {
    name: 'tocsin',
    version: must((await client.status()).agent, 'no version'),
    promises:
      'synced on a majority; linearizable; exactly once under its key; one connection to the leader',
    put: (n) => put(n % (KEYS * 2)),
    get: () => client.get({ dedupKey: 'read' }),
    pids: cluster.replicas.map(({ pid }) => must(pid, 'a replica does not run')),
    close: () => stage.close(),
  };
}
