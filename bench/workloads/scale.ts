import { raiseAndClear } from './alerts.ts';
import { type Row, Stage } from './stage.ts';

const REPLICAS = [1, 3, 5] as const;
const PAYLOADS = [256, 1_024] as const;
const IN_FLIGHT = 1_000;

/** How a command's cost grows with the number of replicas and with its size. */
export async function scale(told: (row: Row) => void, seconds: number): Promise<void> {
  for (const replicas of REPLICAS) {
    const stage = await Stage.open(replicas, seconds);
    try {
      for (const payload of PAYLOADS)
        told(
          await stage.closed(
            {
              workload: `replicas-${replicas}-bytes-${payload}`,
              asks: `${replicas} replicas, ${payload} bytes, ${IN_FLIGHT} in flight`,
            },
            raiseAndClear(stage.client, `scale-${payload}`, payload),
            IN_FLIGHT,
          ),
        );
    } finally {
      await stage.close();
    }
  }
}
