import { ALERTS_GROUP, revision } from '../../src/base/ids.ts';
import { connect } from '../../src/client/client.ts';
import { TcpTransport } from '../../src/transport/tcp-transport.ts';
import { encodeWatch } from '../../src/wire/clients/client-messages.ts';
import { FrameType } from '../../src/wire/frame.ts';
import type { Hello } from '../../src/wire/handshake.ts';
import { Latencies } from '../measure/latencies.ts';
import { openLoop } from '../measure/load.ts';
import { raiseAndClear } from './alerts.ts';
import type { Row, Stage } from './stage.ts';

const CONNECTIONS = 10;
const WATCHES_PER_CONNECTION = 100;
const EVENTS_PER_SECOND = 700;

const HELLO: Hello = {
  role: 'client',
  lane: 'client',
  clusterId: '',
  replicaId: undefined,
  incarnation: 0,
  agent: 'bench-stuck',
};
const IN_FLIGHT = 64;

/** Many watchers that read, and one that does not. */
export async function watch(stage: Stage, told: (row: Row) => void): Promise<void> {
  await manyWatchers(stage, told);
  await stuckWatcher(stage, told);
}

/** Commands before, beside and after a watcher of the leader that reads nothing: the faster of those without counts. */
async function stuckWatcher(stage: Stage, told: (row: Row) => void): Promise<void> {
  const run = (name: string): Promise<Row> => {
    const asks = `a command a call, ${IN_FLIGHT} in flight, beside a watcher that does not read`;
    const what = { workload: 'watch-stuck', asks };
    return stage.closed(what, raiseAndClear(stage.client, name), IN_FLIGHT);
  };
  const before = await run('before');
  const address = await stage.leaderAddress();
  const channel = await new TcpTransport().dial(address, HELLO, AbortSignal.timeout(5_000));
  channel.onFrame = () => {};
  channel.send(FrameType.WATCH, ALERTS_GROUP, 1, [
    encodeWatch({ from: revision(1), filter: undefined }),
  ]);
  channel.pause();
  let row: Row;
  try {
    row = await run('stuck');
  } finally {
    channel.close();
  }
  const after = await run('after');
  const free = Math.max(1, before.load.perSecond, after.load.perSecond);
  const times = Math.round((row.load.perSecond / free) * 100) / 100;
  told({ ...row, extra: { timesTheRateWithout: times } });
}

/** A thousand watchers of everything, over ten connections, while commands come at a steady rate. */
async function manyWatchers(stage: Stage, told: (row: Row) => void): Promise<void> {
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
