import { replicaId } from '../../src/base/ids.ts';
import { METRIC_NAMES } from '../../src/base/rules/metrics.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import { connectTrends } from '../../src/client/trend/trend-client.ts';
import { TrendJudge } from '../../src/replica/trend/judge.ts';
import { OpenBook } from '../../src/replica/trend/open-book.ts';
import { TrendReplica } from '../../src/replica/trend/trend-replica.ts';
import { MemoryTrendDisk } from '../../src/storage/trend/trend-disk.ts';
import { MemoryJournal } from '../../src/storage/trend/trend-journal.ts';
import { MemoryNetwork } from '../../src/transport/memory-transport.ts';
import { SystemClock } from '../../src/transport/system-clock.ts';
import { SKETCHES } from '../../src/wire/trend/sketch.ts';

/** What 100,000 samples a second are in two or three of them. */
const FRAMES = 200;
const FRAME_SAMPLES = 1_024;
const SERIES = 256;
/** So that each series begins a minute as often as in half an hour. */
const STEP_MS = 2_000;

const ADDRESS = '/memory/1';
const CLUSTER_ID = '0'.repeat(32);

/**
 * Judges samples of nobody by these rules, in a replica of nothing but memory, and tells how many. A thread compiles what it
 * does often: without this it would do so while it judges the first seconds of patients, ten times as slowly. Whatever
 * happens, nothing of it is left.
 */
export async function rehearse(
  rules: RuleSet,
  connect: typeof connectTrends = connectTrends,
): Promise<number> {
  const clock = new SystemClock();
  const network = new MemoryNetwork();
  let judged = 0;
  const replica = new TrendReplica({
    identity: { clusterId: CLUSTER_ID, replicaId: replicaId(1), incarnation: 1 },
    address: ADDRESS,
    others: [],
    transport: network.transport('replica'),
    clock,
    disk: new MemoryTrendDisk(),
    journal: new MemoryJournal(),
    sketches: SKETCHES,
    agent: 'rehearsal',
    judge: (registry) => new TrendJudge(rules, registry, new OpenBook(), () => {}),
    meter: {
      begin: () => {},
      end: (samples) => {
        judged += samples;
      },
    },
    log: () => {},
    onFault: () => {},
  });
  try {
    await replica.start();
    const transport = network.transport('monitor');
    const monitor = await connect({ endpoints: [ADDRESS], transport, clock });
    await play(monitor.writer(), clock.wall()).finally(() => monitor.close());
  } finally {
    await replica.abandon();
  }
  return judged;
}

async function play(
  writer: ReturnType<Awaited<ReturnType<typeof connectTrends>>['writer']>,
  end: number,
): Promise<void> {
  const series = Array.from({ length: SERIES }, (_, at) => {
    const patient = `rehearsal-${Math.floor(at / METRIC_NAMES.length)}`;
    const metric = METRIC_NAMES[at % METRIC_NAMES.length] as string;
    return writer.series({ patient, device: 'none', metric, unit: '' });
  });
  const steps = (FRAMES * FRAME_SAMPLES) / SERIES;
  for (let step = 0; step < steps; step += 1) {
    const time = end - (steps - step) * STEP_MS;
    for (const [at, slot] of series.entries()) {
      // Up and down past the limits of most metrics, with gaps.
      const isMissing = (step + at) % 97 === 0;
      writer.add(slot, time, isMissing ? Number.NaN : 90 + 80 * Math.sin((step + at) / 20));
    }
    if (((step + 1) * SERIES) % FRAME_SAMPLES === 0) await writer.drain();
  }
  await writer.drain();
}
