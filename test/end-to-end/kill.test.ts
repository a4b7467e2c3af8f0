import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readReplica } from '../../cli/demo/read-replica.ts';
import { LocalCluster } from '../../cli/local/local-cluster.ts';
import { TocsinError } from '../../src/base/errors.ts';
import type { ReplicaId } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import { type Client, connect } from '../../src/client/client.ts';
import { isAlive } from '../cli/local/processes.ts';

const KILLS = 50;
const CLIENTS = 3;
const CALLERS_PER_CLIENT = 8;
/** Keeps the whole run within what the history holds. */
const PAUSE_MS_MAX = 60;
const KILL_PAUSE_MS_MAX = 100;
const SECOND_KILL_CHANCE = 0.2;

const SEED = Number(process.env['SEED'] ?? Date.now());

interface Told {
  readonly dedupKey: string;
  readonly outcome: 'done' | 'none' | 'unknown';
  /** As told with done. */
  readonly revision: number | undefined;
}

/** Raises one alert after the other, each under a key of its own, until told to stop. */
async function call(client: Client, name: string, prng: Prng, stop: AbortSignal): Promise<Told[]> {
  const told: Told[] = [];
  for (let count = 0; !stop.aborted; count += 1) {
    const dedupKey = `${name}:${count}`;
    try {
      const { revision } = await client.raise({ dedupKey, condition: 'HR:HI', priority: 'high' });
      told.push({ dedupKey, outcome: 'done', revision });
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      told.push({ dedupKey, outcome: error.outcome, revision: undefined });
    }
    await pause(prng.between(0, PAUSE_MS_MAX));
  }
  return told;
}

/** Kills and restarts replicas, sometimes two at a time; answers with how many it has killed. */
async function rampage(cluster: LocalCluster, prng: Prng): Promise<number> {
  const ids = cluster.replicas.map(({ id }) => id);
  let kills = 0;
  const killOne = async (victims: readonly ReplicaId[]): Promise<ReplicaId> => {
    await pause(prng.between(0, KILL_PAUSE_MS_MAX));
    const victim = prng.pick(victims);
    await cluster.kill(victim);
    kills += 1;
    return victim;
  };
  while (kills < KILLS) {
    const dead = [await killOne(ids)];
    if (kills < KILLS && prng.chance(SECOND_KILL_CHANCE))
      dead.push(await killOne(ids.filter((id) => !dead.includes(id))));
    await Promise.all(dead.map((id) => cluster.restart(id)));
  }
  return kills;
}

test(`no answered command is lost or doubled by ${KILLS} kills (SEED=${SEED})`, async () => {
  const prng = new Prng(SEED);
  const stop = new AbortController();
  const cluster = await LocalCluster.start();
  const pids = new Set<number>();
  const notePids = (): void => {
    for (const { pid } of cluster.replicas) if (pid !== undefined) pids.add(pid);
  };
  const noting = setInterval(notePids, 20);
  const clients: Client[] = [];
  const told: Told[] = [];
  try {
    const { endpoints, clusterId } = cluster;
    for (let at = 0; at < CLIENTS; at += 1) clients.push(await connect({ endpoints, clusterId }));
    const calling = clients.flatMap((client, at) =>
      Array.from({ length: CALLERS_PER_CLIENT }, (_, caller) =>
        call(client, `${at}:${caller}`, prng.fork(at * CALLERS_PER_CLIENT + caller), stop.signal),
      ),
    );
    const raging = rampage(cluster, prng.fork(1_000)).finally(() => stop.abort());
    for (const one of await Promise.all(calling)) told.push(...one);
    expect(await raging).toBe(KILLS);
    expect(await cluster.converge()).toBe(true);

    const done = told.filter(({ outcome }) => outcome === 'done');
    expect(done.length).toBeGreaterThan(KILLS);
    const all = AbortSignal.timeout(30_000);
    for (const replica of cluster.replicas) {
      const { events, alerts } = await readReplica(replica, clusterId, all);
      const revisions = new Map<string, number[]>();
      for (const { revision, alert } of events)
        revisions.set(alert.dedupKey, [...(revisions.get(alert.dedupKey) ?? []), revision]);
      const held = (dedupKey: string): readonly number[] => revisions.get(dedupKey) ?? [];
      const lost = done.filter(({ dedupKey, revision }) => !held(dedupKey).includes(revision ?? 0));
      const doubled = told.filter(({ dedupKey }) => held(dedupKey).length > 1);
      const denied = told.filter((one) => one.outcome === 'none' && held(one.dedupKey).length > 0);
      expect({ lost, doubled, denied }).toEqual({ lost: [], doubled: [], denied: [] });
      expect(alerts).toHaveLength(revisions.size);
    }
    const counts = { told: told.length, done: done.length, pids: pids.size };
    process.stderr.write(`kill test: ${JSON.stringify({ ...counts, kills: KILLS, seed: SEED })}\n`);
  } finally {
    stop.abort();
    clearInterval(noting);
    notePids();
    await Promise.all(clients.map((client) => client.close()));
    await cluster.close();
  }
  expect([...pids].filter(isAlive)).toEqual([]);
}, 180_000);
