import { connect } from '../../src/client/client.ts';
import type { AlertFilter } from '../../src/statemachine/types.ts';
import { closedLoop } from '../measure/load.ts';
import { raiseAndClear, raiseOnly } from './alerts.ts';
import type { Row, Stage } from './stage.ts';

const IN_FLIGHT = 64;
const ALERTS = [10_000, 100_000] as const;
const FILL_IN_FLIGHT = 2_000;
const WATCHERS = [10, 100] as const;
const WATCHERS_OF_NOTHING = 1_000;
const WATCHES_PER_CONNECTION = 100;
const PAYLOADS = [512, 1_024] as const;

/** What else there is makes a command dearer, or not: open alerts, watchers, its own size. */
export async function growth(stage: Stage, told: (row: Row) => void): Promise<void> {
  const measure = async (workload: string, what: string, bytes?: number): Promise<void> =>
    told(
      await stage.closed(
        { workload, asks: `${IN_FLIGHT} in flight, ${what}` },
        raiseAndClear(stage.client, workload, bytes),
        IN_FLIGHT,
      ),
    );
  await measure('growth-none', 'nothing else');
  for (const bytes of PAYLOADS)
    await measure(`growth-bytes-${bytes}`, `${bytes} bytes each`, bytes);
  for (const count of WATCHERS)
    await watched(stage, count, {}, () =>
      measure(`growth-watchers-${count}`, `${count} watchers of everything`),
    );
  const nothing: AlertFilter = { bed: 'nobody’s' };
  await watched(stage, WATCHERS_OF_NOTHING, nothing, () =>
    measure(
      `growth-filters-${WATCHERS_OF_NOTHING}`,
      `${WATCHERS_OF_NOTHING} watchers of another bed`,
    ),
  );
  let open = 0;
  for (const alerts of ALERTS) {
    const raise = raiseOnly(stage.client, 'growth-open');
    while (open < alerts) {
      const from = open;
      const { done } = await closedLoop((n) => raise(from + n), {
        inFlight: FILL_IN_FLIGHT,
        seconds: 1,
      });
      open += done;
    }
    await measure(`growth-alerts-${alerts}`, `${alerts} alerts open, or more`);
  }
}

/** Runs something while so many watch. */
async function watched(
  stage: Stage,
  count: number,
  filter: AlertFilter,
  run: () => Promise<void>,
): Promise<void> {
  const { endpoints } = stage.cluster;
  const connections = Math.ceil(count / WATCHES_PER_CONNECTION);
  const clients = await Promise.all(
    Array.from({ length: connections }, () => connect({ endpoints, name: 'bench-watch' })),
  );
  const stop = new AbortController();
  let ready = 0;
  const follow = async (client: (typeof clients)[number]): Promise<void> => {
    for await (const { type } of client.watch({ filter, signal: stop.signal }))
      if (type === 'progress') ready += 1;
  };
  const watchers = Array.from({ length: count }, (_, at) =>
    follow(clients[at % connections] as (typeof clients)[number]),
  );
  try {
    while (ready < count) await new Promise((resolve) => setImmediate(resolve));
    await run();
  } finally {
    stop.abort();
    await Promise.all(watchers);
    await Promise.all(clients.map((client) => client.close()));
  }
}
