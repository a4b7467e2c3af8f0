import type { Consistency } from '../../src/statemachine/alert-api.ts';
import { raiseOnly } from './alerts.ts';
import type { Row, Stage } from './stage.ts';

const ALERTS = 1_000;
const IN_FLIGHT = [64, 1_000, 1] as const;
const LEVELS: readonly Consistency[] = ['linearizable', 'lease', 'local'];
const PAGE = 100;

/** One alert by its key, at each level of consistency; and a page of a list. */
export async function reads(stage: Stage, told: (row: Row) => void): Promise<void> {
  const raise = raiseOnly(stage.client, 'read');
  await Promise.all(Array.from({ length: ALERTS }, (_, n) => raise(n)));
  for (const consistency of LEVELS)
    for (const inFlight of IN_FLIGHT)
      told(
        await stage.closed(
          {
            workload: `get-${consistency}-${inFlight}`,
            asks: `get, ${consistency}, ${inFlight} in flight`,
          },
          (n) => stage.client.get({ dedupKey: `read:${n % ALERTS}` }, { consistency }),
          inFlight,
        ),
      );
  told(
    await stage.closed(
      { workload: 'list-8', asks: `a page of ${PAGE} alerts, linearizable, 8 in flight` },
      () => stage.client.list({ open: true }, { limit: PAGE }),
      8,
    ),
  );
}
