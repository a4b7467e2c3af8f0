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
const CALLERS_PER_CLIENT = 4;
/** Keeps the whole run within what the history holds. */
const PAUSE_MS_MAX = 60;
const KILL_PAUSE_MS_MAX = 80;
const KILL_AT_START_CHANCE = 0.2;
/** Of waiting until all run before the next kill. */
const WAIT_CHANCE = 0.7;

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
      told.push({
        dedupKey,
        outcome: error.outcome === 'none' ? 'none' : 'unknown',
        revision: undefined,
      });
    }
    await pause(prng.between(0, PAUSE_MS_MAX));
  }
  return told;
}

/**
 * Kills replicas and starts them again: while they run, while another one is still starting, and while they start
 * themselves. Answers with how many kills there were.
 */
async function rampage(cluster: LocalCluster, prng: Prng): Promise<number> {
  const ids = cluster.replicas.map(({ id }) => id);
  const starting = new Map<ReplicaId, Promise<void>>();
  let kills = 0;
  const kill = async (victim: ReplicaId): Promise<void> => {
    await pause(prng.between(0, KILL_PAUSE_MS_MAX));
    await cluster.kill(victim);
    kills += 1;
  };
  const restart = async (id: ReplicaId): Promise<void> => {
    const started = cluster.restart(id).then(
      () => true,
      (error: unknown) => error,
    );
    const isKilledAgain = kills < KILLS && prng.chance(KILL_AT_START_CHANCE);
    if (isKilledAgain) await kill(id);
    const how = await started;
    if (how !== true && !isKilledAgain) throw how;
    if (how !== true) await restart(id);
    else if (isKilledAgain) await cluster.restart(id);
  };
  while (kills < KILLS) {
    const running = ids.filter((id) => !starting.has(id));
    const victim = prng.pick(running);
    await kill(victim);
    const restarted = restart(victim).then(() => void starting.delete(victim));
    restarted.catch(() => {}); // It is awaited below.
    starting.set(victim, restarted);
    if (starting.size === ids.length || prng.chance(WAIT_CHANCE))
      await Promise.all(starting.values());
  }
  await Promise.all(starting.values());
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
    expect(await raging).toBeGreaterThanOrEqual(KILLS);
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
    const counts = { told: told.length, done: done.length, kills: await raging };
    process.stderr.write(`kill test: ${JSON.stringify({ ...counts, seed: SEED })}\n`);
  } finally {
    stop.abort();
    clearInterval(noting);
    notePids();
    await Promise.all(clients.map((client) => client.close()));
    await cluster.close();
  }
  expect([...pids].filter(isAlive)).toEqual([]);
}, 180_000);
