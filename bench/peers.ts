import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { closedLoop, type LoadResult, type Operation, warmUp } from './measure/load.ts';
import { measureMachine } from './measure/machine.ts';
import { lineOf, writeRun } from './measure/results.ts';
import { usageOf } from './measure/usage.ts';
import { openAntietcd } from './peers/antietcd.ts';
import { openEtcd } from './peers/etcd.ts';
import { openRedis } from './peers/redis.ts';
import type { Opener, Store } from './peers/store.ts';
import { openTocsin } from './peers/tocsin.ts';
import { PAYLOAD_BYTES } from './workloads/alerts.ts';
import type { Row } from './workloads/stage.ts';

/**
 * npm run bench:peers [-- --only NAME,… --seconds N --out FILE]
 *
 * The same work, the same payload, the same number in flight, given to this product and to others in turn, three members
 * each, all on this machine. What is not installed is skipped, and said.
 */

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'tocsin,etcd,redis,antietcd' },
    seconds: { type: 'string', default: '5' },
    out: { type: 'string', default: join('bench', 'results', 'peers.json') },
  },
});
const seconds = Number(values.seconds);
/** One at a time last: every store is warm then. */
const IN_FLIGHT = [64, 1_000, 1] as const;
const OPENERS: Readonly<Record<string, Opener>> = {
  tocsin: openTocsin,
  etcd: openEtcd,
  redis: openRedis,
  antietcd: openAntietcd,
};
const rows: Row[] = [];

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function measure(store: Store, what: string, ask: Operation): Promise<void> {
  for (const inFlight of IN_FLIGHT) {
    await warmUp(ask, { inFlight, seconds });
    const before = await Promise.all([usageOf(store.pids), usageOf([process.pid])]);
    const load = await closedLoop(ask, { inFlight, seconds });
    const after = await Promise.all([usageOf(store.pids), usageOf([process.pid])]);
    const cpuOf = (of: 0 | 1): number =>
      perCommand(after[of].cpuMs - before[of].cpuMs, load) * 1_000;
    const row: Row = {
      workload: `${store.name}-${what}-${inFlight}`,
      asks: `${what}, ${inFlight} in flight; ${store.promises}`,
      size: 1,
      load,
      cpuUs: Math.round(cpuOf(0) * 10) / 10,
      loadCpuUs: Math.round(cpuOf(1) * 10) / 10,
      writtenBytes: Math.round(
        perCommand((after[0].writtenBytes ?? 0) - (before[0].writtenBytes ?? 0), load),
      ),
    };
    rows.push(row);
    say(lineOf(row));
  }
}

const perCommand = (value: number, { done }: LoadResult): number => value / Math.max(1, done);

/** How many times as many as the others, in the same run. */
function sayRatios(): void {
  say('');
  for (const ours of rows.filter(({ workload }) => workload.startsWith('tocsin-'))) {
    const kind = ours.workload.slice('tocsin-'.length);
    for (const theirs of rows.filter(({ workload }) => workload.endsWith(`-${kind}`))) {
      if (theirs === ours) continue;
      const times = ours.load.perSecond / Math.max(1, theirs.load.perSecond);
      const p50 = ours.load.latencyMs.p50 / Math.max(0.001, theirs.load.latencyMs.p50);
      say(
        `${kind.padEnd(12)} ${times.toFixed(2)} x the rate of ${theirs.workload.split('-')[0]}, ${p50.toFixed(2)} x its p50`,
      );
    }
  }
}

const machine = await measureMachine();
say(`${machine.processor}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load}`);
say(`sync p50 ${machine.syncMs.p50} ms; round trip p50 ${machine.roundTripMs.p50} ms\n`);
for (const name of values.only.split(',')) {
  const open = OPENERS[name];
  if (open === undefined) throw new Error(`nothing is called ${name}: ${Object.keys(OPENERS)}`);
  const store = await open(PAYLOAD_BYTES);
  if (typeof store === 'string') {
    say(`SKIPPED ${name}: ${store}`);
    continue;
  }
  say(`${store.name}: ${store.version}; ${store.promises}`);
  try {
    await measure(store, 'put', store.put);
    if (store.get !== undefined) await measure(store, 'get', store.get);
  } finally {
    await store.close();
  }
}
sayRatios();
const at = new Date().toISOString();
await writeRun(values.out, { bench: 'peers', at, machine, seconds, rows });
say(`\nwritten to ${values.out}`);
