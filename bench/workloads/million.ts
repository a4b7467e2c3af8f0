import { setTimeout as pause } from 'node:timers/promises';
import { must } from '../../src/base/assert.ts';
import { Latencies } from '../measure/latencies.ts';
import type { LoadResult } from '../measure/load.ts';
import { closedLoop, type Operation, openLoop } from '../measure/load.ts';
import { usageOf } from '../measure/usage.ts';
import { raiseOnly } from './alerts.ts';
import type { Row, Stage } from './stage.ts';

const IN_FLIGHT = 8_000;

/** Many open alerts: what they weigh, and how long a replica takes to come back with them. */
export async function million(
  stage: Stage,
  told: (row: Row) => void,
  alerts: number,
): Promise<void> {
  const raise = raiseOnly(stage.client, 'many');
  let next = 0;
  const row = await stage.measure(
    { workload: 'raise-many', asks: `${alerts} alerts raised and left open` },
    async (): Promise<LoadResult> => {
      const began = performance.now();
      let result: LoadResult | undefined;
      while (next < alerts) {
        const from = next;
        const before = performance.now();
        result = await closedLoop((n) => raise(from + n), { inFlight: IN_FLIGHT, seconds: 2 });
        next = from + result.done + result.failed;
        if (performance.now() - before < 1) break;
      }
      const seconds = (performance.now() - began) / 1_000;
      return {
        ...must(result, 'no alerts were asked for'),
        done: next,
        seconds,
        perSecond: Math.round(next / seconds),
      };
    },
  );
  await stage.cluster.converge();
  const snapshot = await duringSnapshot(stage);
  await stage.cluster.converge();
  const { residentBytes } = await usageOf(stage.pids);
  const leader = await stage.cluster.leader();
  const follower = must(
    stage.cluster.replicas.find(({ id }) => id !== leader),
    'a cluster of one has nobody to restart',
  );
  await stage.cluster.kill(follower.id);
  const began = performance.now();
  await stage.cluster.restart(follower.id);
  const listensMs = Math.round(performance.now() - began);
  await stage.cluster.converge();
  const appliedMs = Math.round(performance.now() - began);
  const mebibytes = Math.round(residentBytes / stage.pids.length / 2 ** 20);
  told({
    ...row,
    extra: {
      mebibytesAReplica: mebibytes,
      ...snapshot,
      restartListensMs: listensMs,
      restartAppliedMs: appliedMs,
    },
  });
}

const READS_PER_SECOND = 500;
const SNAPSHOT_SECONDS_MAX = 30;

/** How long the leader's loop lets reads wait while it takes a snapshot, as whoever reads sees it. */
async function duringSnapshot(stage: Stage): Promise<Record<string, number>> {
  const { client } = stage;
  const address = await stage.leaderAddress();
  const read: Operation = () => client.get({ id: 'A1' }, { consistency: 'local' });
  await openLoop(read, { perSecond: READS_PER_SECOND, seconds: 1 });
  const began = performance.now();
  let isTaken = false;
  const taking = client.operator
    .snapshot(address, { timeoutMs: SNAPSHOT_SECONDS_MAX * 1_000 })
    .finally(() => {
      isTaken = true;
    });
  const waits = new Latencies();
  while (!isTaken) {
    const asked = performance.now();
    await read(0);
    waits.add(performance.now() - asked);
    await pause(1_000 / READS_PER_SECOND);
  }
  await taking;
  const { p99, max } = waits.summary();
  return {
    snapshotMs: Math.round(performance.now() - began),
    readMsP99Meanwhile: p99,
    readMsMaxMeanwhile: max,
  };
}
