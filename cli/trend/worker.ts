import { parentPort, workerData } from 'node:worker_threads';
import type { AlertRequest } from '../../src/analytics/alerts.ts';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { type Client, connect } from '../../src/client/client.ts';
import { TrendJudge } from '../../src/replica/trend/judge.ts';
import { TrendReplica } from '../../src/replica/trend/trend-replica.ts';
import { openTrendDisk } from '../../src/storage/trend/trend-disk.ts';
import { openTrendJournal } from '../../src/storage/trend/trend-journal.ts';
import type { Identity, Member } from '../../src/storage/types.ts';
import { SystemClock } from '../../src/transport/system-clock.ts';
import { TcpTransport } from '../../src/transport/tcp-transport.ts';
import { SKETCHES } from '../../src/wire/trend/sketch.ts';
import { packageVersion } from '../commands/version.ts';
import { AlertSender } from '../pipeline/alert-sender.ts';
import { AlertOutlet } from './alert-outlet.ts';
import { FRAME_TIMES_VARIABLE, Handling } from './handling.ts';
import { tellHeap } from './heaps.ts';
import { LeftoverClearing } from './leftover-clearing.ts';
import type { FromWorker, ToWorker, TrendWorkerData } from './messages.ts';
import { OpenConditions } from './open-conditions.ts';
import { BEHIND, standBack } from './own-thread.ts';
import { PressThread } from './press-thread.ts';
import { rehearse } from './rehearsal.ts';

/**
 * The trend tier of a replica in a thread of its own: its own event loop, port, connections and folders. Alerts leave it
 * as any client's do, over a connection to the cluster.
 */

const port = must(parentPort, 'this file is started as a worker');
const tell = (message: FromWorker): void => port.postMessage(message);
const log = (line: string): void => tell({ type: 'log', line: `trend: ${line}` });

const CONNECT_MS = 30_000;

async function main(data: TrendWorkerData): Promise<void> {
  const clock = new SystemClock();
  const { rules, identity } = data;
  standBack(BEHIND.judging);
  await rehearse(rules);
  const client = await connectTo(identity);
  const emit = senderOf(client, identity);
  let judge: TrendJudge | undefined;
  const open = new OpenConditions(client, (one) => judge?.over(one));
  await open.start((error) => log(`open alerts are followed no longer: ${error.message}`));
  const press = new PressThread();
  const handling = process.env[FRAME_TIMES_VARIABLE] === '1' ? new Handling() : undefined;
  tellHeap('trends', log);
  const replica = new TrendReplica({
    identity,
    address: data.address,
    others: data.others,
    transport: new TcpTransport({ clock }),
    clock,
    disk: await openTrendDisk(data.folder, log),
    journal: await openTrendJournal(data.folder),
    sketches: SKETCHES,
    press,
    meter: handling,
    agent: `tocsin/${packageVersion()}`,
    judge: (registry) => {
      judge = new TrendJudge(rules, registry, open.book, emit);
      return judge;
    },
    log,
    onFault: fail,
  });
  await replica.start();
  const { registry } = replica.keeper;
  const leftovers = new LeftoverClearing({ client, book: open.book, registry, clock, log });
  port.on('message', (message: ToWorker) => {
    if (message.type === 'rules') {
      leftovers.use(message.rules);
      judge?.use(message.rules, clock.wall());
    } else if (message.type === 'others') replica.follow(message.others);
    else
      void replica
        .close()
        .then(() => leftovers.close())
        .then(() => open.close())
        .then(() => client.close())
        .then(() => press.close())
        .then(() => handling?.summary().forEach(log))
        .then(end, fail);
  });
  tell({ type: 'listening', address: must(replica.address, 'it listens') });
}

const connectTo = ({ members, clusterId, replicaId }: Identity): Promise<Client> =>
  connect({
    endpoints: members.map((member: Member) => member.address),
    clusterId,
    name: `rules@${replicaId}`,
    timeoutMs: CONNECT_MS,
  });

function senderOf(client: Client, { replicaId }: Identity): (request: AlertRequest) => void {
  const sender: AlertSender = new AlertSender({
    api: client,
    // A stream of its own each time: what an earlier run sent under way is settled by the dedup key.
    runId: `trend-${replicaId}-${Date.now()}`,
    onSettled: ({ request, dedupKey, told }) => {
      outlet.settled(request, told);
      if (TocsinError.is(told) && told.code !== 'ALERT_NOT_FOUND')
        log(`${dedupKey}: ${told.code}: ${told.message}`);
    },
  });
  const outlet: AlertOutlet = new AlertOutlet(sender);
  return (request) => outlet.send(request);
}

function fail(error: unknown): void {
  const code = TocsinError.is(error) ? error.code : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  tell({ type: 'fault', code, message });
  end();
}

function end(): void {
  port.close();
  process.exit();
}

await main(workerData as TrendWorkerData).catch(fail);
