import { join } from 'node:path';
import { freePorts } from '../../cli/local/free-ports.ts';
import { must } from '../../src/base/assert.ts';
import { EtcdClient } from './etcd-client.ts';
import { Processes, until, versionOf } from './processes.ts';
import { KEYS, type Store } from './store.ts';

const MEMBERS = 3;
const SESSIONS = 4;

/** etcd, from ETCD_BIN or the path; asked at its leader, which spares it the forwarding. */
export async function openEtcd(valueBytes: number): Promise<Store | string> {
  const program = process.env['ETCD_BIN'] ?? 'etcd';
  const version = versionOf(program, ['--version']);
  if (version === undefined)
    return `${program} is not installed (Debian: etcd-server; or name one in ETCD_BIN)`;
  const ports = await freePorts(MEMBERS * 2);
  const portOf = (at: number): number => must(ports[at], 'a port is missing');
  const urls = Array.from({ length: MEMBERS }, (_, n) => ({
    name: `m${n}`,
    peer: `http://127.0.0.1:${portOf(n)}`,
    client: `http://127.0.0.1:${portOf(n + MEMBERS)}`,
  }));
  const processes = await Processes.open('etcd');
  for (const { name, peer, client } of urls)
    processes.start(program, [
      ...['--name', name, '--data-dir', join(processes.folder, name), '--log-level', 'error'],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--initial-cluster', urls.map((one) => `${one.name}=${one.peer}`).join(',')],
    ]);
  const leader = await until(() => leaderOf(urls.map(({ client }) => client)));
  const clients = Array.from({ length: SESSIONS }, () => new EtcdClient(leader));
  const clientFor = (n: number): EtcdClient => must(clients[n % SESSIONS], 'no session');
  const keys = Array.from({ length: KEYS }, (_, n) => Buffer.from(`bench:${n}`));
  const keyOf = (n: number): Buffer => must(keys[n % KEYS], 'no key');
  const value = Buffer.alloc(valueBytes, 'x');
  return {
    name: 'etcd',
    version,
    promises: `synced on a majority; linearizable; ${SESSIONS} HTTP/2 sessions to the leader`,
    put: (n) => clientFor(n).put(keyOf(n), value),
    get: (n) => clientFor(n).get(keyOf(n)),
    pids: processes.pids,
    close: async () => {
      for (const client of clients) client.close();
      await processes.close();
    },
  };
}

/** By the JSON gateway that etcd brings. */
async function leaderOf(urls: readonly string[]): Promise<string> {
  for (const url of urls) {
    const response = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' });
    const status = (await response.json()) as { leader?: string; header?: { member_id?: string } };
    if (status.leader !== undefined && status.leader === status.header?.member_id) return url;
  }
  throw new Error('etcd has no leader yet');
}
