import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { shippedRules } from '../../cli/demo/shipped-rules.ts';
import { raiseAndClear } from './alerts.ts';
import type { FeederInput } from './sample-feeder.ts';
import { type Row, Stage } from './stage.ts';

const SAMPLES_PER_SECOND = 100_000;
const IN_FLIGHT = [64, 1] as const;

/** Commands while vital signs flow into the trend tier of the same replicas, and rules judge every sample. */
export async function mixed(told: (row: Row) => void, seconds: number): Promise<void> {
  const stage = await Stage.open(3, seconds, { trend: { rules: shippedRules('bidmc.yaml') } });
  try {
    for (const inFlight of IN_FLIGHT) {
      const feeder = await startFeeder(stage.cluster.trendEndpoints);
      const asks = `${inFlight} in flight, ${SAMPLES_PER_SECOND} samples a second beside it`;
      const row = await stage.closed(
        { workload: `mixed-${inFlight}`, asks },
        raiseAndClear(stage.client, `mixed-${inFlight}`),
        inFlight,
      );
      told({ ...row, extra: { samplesPerSecond: await feeder.stop() } });
    }
  } finally {
    await stage.close();
  }
}

interface Feeder {
  /** Resolves to the samples a second that were taken. */
  stop(): Promise<number>;
}

/** In a thread of its own; resolves when samples flow. */
async function startFeeder(endpoints: readonly string[]): Promise<Feeder> {
  const input: FeederInput = { endpoints, perSecond: SAMPLES_PER_SECOND };
  const worker = new Worker(new URL('sample-feeder.js', import.meta.url), { workerData: input });
  const failed = once(worker, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  await Promise.race([once(worker, 'message'), failed]);
  return {
    stop: async () => {
      const answer = once(worker, 'message');
      worker.postMessage('stop');
      const [perSecond] = await Promise.race([answer, failed]);
      await worker.terminate();
      return Number(perSecond);
    },
  };
}
