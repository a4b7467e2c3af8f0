import { connect } from '../../src/client/client.ts';
import { Latencies } from '../measure/latencies.ts';
import { openLoop } from '../measure/load.ts';
import { raiseAndClear } from './alerts.ts';
import type { Row, Stage } from './stage.ts';

const CONNECTIONS = 10;
const WATCHES_PER_CONNECTION = 100;
const EVENTS_PER_SECOND = 700;

/** A thousand watchers of everything, over ten connections, while commands come at a steady rate. */
export async function watch(stage: Stage, told: (row: Row) => void): Promise<void> {
  const { endpoints } = stage.cluster;
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => connect({ endpoints, name: 'bench-watch' })),
  );
  const stop = new AbortController();
  const latencies = new Latencies();
  let delivered = 0;
  let ready = 0;
  const follow = async (client: (typeof clients)[number]): Promise<void> => {
    for await (const message of client.watch({ signal: stop.signal })) {
      if (message.type === 'progress') ready += 1;
      if (message.type !== 'event') continue;
      delivered += 1;
      latencies.add(Date.now() - message.event.time);
    }
  };
  const watchers = clients.flatMap((client) =>
    Array.from({ length: WATCHES_PER_CONNECTION }, () => follow(client)),
  );
  try {
    while (ready < CONNECTIONS * WATCHES_PER_CONNECTION)
      await new Promise((resolve) => setImmediate(resolve));
    const { length } = watchers;
    const row = await stage.measure(
      { workload: 'watch', asks: `${length} watchers, ${EVENTS_PER_SECOND} commands a second` },
      () =>
        openLoop(raiseAndClear(stage.client, 'watch'), {
          perSecond: EVENTS_PER_SECOND,
          seconds: stage.seconds,
        }),
    );
    const perSecond = Math.round(delivered / row.load.seconds);
    const { p50, p99 } = latencies.summary();
    told({ ...row, extra: { deliveredPerSecond: perSecond, toldMsP50: p50, toldMsP99: p99 } });
  } finally {
    stop.abort();
    await Promise.all(watchers);
    await Promise.all(clients.map((client) => client.close()));
  }
}
