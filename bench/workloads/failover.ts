import { setTimeout as pause } from 'node:timers/promises';
import type { ReplicaId } from '../../src/base/ids.ts';
import { Latencies } from '../measure/latencies.ts';
import type { LoadResult } from '../measure/load.ts';
import { raiseAndClear } from './alerts.ts';
import type { Row, Stage } from './stage.ts';

const KILLS = 20;
const PAUSES = 8;
const SETTLE_MS = 500;
const PROBE_MS = 2;

/**
 * The leader is killed (SIGKILL), or falls silent (SIGSTOP), under a light load; how long until a command sent after
 * that moment is done. The client's own search for the new leader is part of it.
 */
export async function failover(stage: Stage, told: (row: Row) => void): Promise<void> {
  const { cluster } = stage;
  told(
    await stage.measure(
      { workload: 'failover-killed', asks: `the leader killed, ${KILLS} times` },
      () =>
        afterEach(stage, 'killed', KILLS, async (leader) => {
          await cluster.kill(leader);
          return () => cluster.restart(leader);
        }),
    ),
  );
  told(
    await stage.measure(
      { workload: 'failover-silent', asks: `the leader stopped, ${PAUSES} times` },
      () =>
        afterEach(stage, 'silent', PAUSES, async (leader) => {
          await cluster.pause(leader);
          return () => cluster.resume(leader);
        }),
    ),
  );
}

/** Strikes the leader `times` times and measures each time until the next command is done. */
async function afterEach(
  stage: Stage,
  name: string,
  times: number,
  strike: (leader: ReplicaId) => Promise<() => Promise<void>>,
): Promise<LoadResult> {
  const latencies = new Latencies();
  const command = raiseAndClear(stage.client, name);
  const began = performance.now();
  let n = 0;
  for (let time = 0; time < times; time += 1) {
    const leader = await stage.cluster.leader();
    for (let probe = 0; probe < 10; probe += 1) {
      await command(n);
      n += 1;
      await pause(PROBE_MS);
    }
    const struck = performance.now();
    const striking = strike(leader);
    await command(n);
    n += 1;
    latencies.add(performance.now() - struck);
    const mend = await striking;
    await mend();
    await stage.cluster.converge();
    await pause(SETTLE_MS);
  }
  const seconds = (performance.now() - began) / 1_000;
  const perSecond = Math.round(n / seconds);
  const latencyMs = latencies.summary();
  return { done: times, perSecond, failed: 0, firstFailure: undefined, seconds, latencyMs };
}
