import { openLoop } from '../measure/load.ts';
import { inBatches, raiseAndClear } from './alerts.ts';
import type { Row, Stage } from './stage.ts';

/** One at a time last: the processes are as warm then as those that have served for a while. */
const IN_FLIGHT = [64, 1_000, 4_000, 1] as const;
const BATCH = 100;
const OPEN_LOOP_SHARE = 0.5;

/** Durable commands: single and in batches, as fast as they go, and at half that rate as users would send them. */
export async function commands(stage: Stage, told: (row: Row) => void): Promise<void> {
  let fastest = 0;
  for (const inFlight of IN_FLIGHT) {
    const row = await stage.closed(
      { workload: `commands-${inFlight}`, asks: `a command a call, ${inFlight} in flight` },
      raiseAndClear(stage.client, `single-${inFlight}`),
      inFlight,
    );
    fastest = Math.max(fastest, row.load.perSecond);
    told(row);
  }
  const batched = inBatches(stage.client, 'batch', BATCH);
  const asks = `batches of ${BATCH}, 40 batches in flight`;
  told(await stage.closed({ workload: 'batches', asks, size: BATCH }, batched, 40));
  const perSecond = Math.round(fastest * OPEN_LOOP_SHARE);
  told(
    await stage.measure(
      { workload: 'commands-open', asks: `open loop, ${perSecond} commands due a second` },
      () => openLoop(raiseAndClear(stage.client, 'open'), { perSecond, seconds: stage.seconds }),
    ),
  );
}
