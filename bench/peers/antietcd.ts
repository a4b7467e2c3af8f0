import { existsSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { freePorts } from '../../cli/local/free-ports.ts';
import { must } from '../../src/base/assert.ts';
import { Processes, until } from './processes.ts';
import { KEYS, type Store } from './store.ts';

const MEMBERS = 3;
const CONNECTIONS = 64;

/**
 * AntiEtcd, an etcd-like store in JavaScript, from the folder ANTIETCD_DIR (npm install antietcd, somewhere). It writes
 * its whole content to a file now and then; there is no log.
 */
export async function openAntietcd(valueBytes: number): Promise<Store | string> {
  const folder = process.env['ANTIETCD_DIR'] ?? '';
  const program = join(folder, 'node_modules', 'antietcd', 'antietcd-app.js');
  if (folder === '' || !existsSync(program))
    return 'antietcd is not installed (npm install antietcd in a folder, named in ANTIETCD_DIR)';
  const ports = await freePorts(MEMBERS);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const cluster = urls.map((url, at) => `node${at}=${url}`).join(',');
  const processes = await Processes.open('antietcd');
  for (const [at, port] of ports.entries())
    processes.start(process.execPath, [
      program,
      ...['--port', String(port), '--node_id', `node${at}`, '--cluster_key', 'bench'],
      ...['--cluster', cluster, '--data', `data${at}.gz`, '--persist_interval', '500'],
    ]);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const value = Buffer.alloc(valueBytes, 'x').toString('base64');
  const keyOf = (n: number): string => Buffer.from(`bench:${n % KEYS}`).toString('base64');
  const ask = (path: string, body: unknown): Promise<void> =>
    post(agent, must(ports[0], 'a port is missing'), path, JSON.stringify(body));
  await until(() => ask('/v3/kv/put', { key: keyOf(0), value }));
  return {
    name: 'antietcd',
    version: 'npm',
    promises: `in the memory of a majority, on a disk within 500 ms; ${CONNECTIONS} HTTP connections`,
    put: (n) => ask('/v3/kv/put', { key: keyOf(n), value }),
    get: (n) => ask('/v3/kv/range', { key: keyOf(n) }),
    pids: processes.pids,
    close: async () => {
      agent.destroy();
      await processes.close();
    },
  };
}

const post = (agent: Agent, port: number, path: string, body: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const asked = request({ agent, port, path, method: 'POST', headers }, (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 200
          ? resolve()
          : reject(new Error(`antietcd answered ${response.statusCode}`)),
      );
    });
    asked.once('error', reject);
    asked.end(body);
  });
