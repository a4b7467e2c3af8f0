import { Latencies } from '../measure/latencies.ts';
import type { LoadResult } from '../measure/load.ts';
import { raiseAndClear } from './alerts.ts';
import type { Row, Stage } from './stage.ts';

const TRANSFERS = 20;
/** Commands before each, so that the client knows who leads. */
const PROBES = 10;

/** The leader hands over in good order; how long until a command sent at that moment is done. */
export async function transfer(stage: Stage, told: (row: Row) => void): Promise<void> {
  const command = raiseAndClear(stage.client, 'transfer');
  const latencies = new Latencies();
  let n = 0;
  const next = async (): Promise<void> => {
    await command(n);
    n += 1;
  };
  const run = async (): Promise<LoadResult> => {
    const began = performance.now();
    for (let time = 0; time < TRANSFERS; time += 1) {
      for (let probe = 0; probe < PROBES; probe += 1) await next();
      const asked = performance.now();
      await stage.client.operator.transfer(undefined);
      await next();
      latencies.add(performance.now() - asked);
      await stage.cluster.converge();
    }
    const seconds = (performance.now() - began) / 1_000;
    return {
      done: TRANSFERS,
      perSecond: Math.round(n / seconds),
      failed: 0,
      firstFailure: undefined,
      seconds,
      latencyMs: latencies.summary(),
    };
  };
  const asks = `the leader hands over, ${TRANSFERS} times`;
  told(await stage.measure({ workload: 'transfer', asks }, run));
}
