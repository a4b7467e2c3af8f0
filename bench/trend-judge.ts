import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shippedRules } from '../cli/demo/shipped-rules.ts';
import { loadRules } from '../cli/input/rules-file.ts';
import { ThreadTimes } from '../cli/trend/thread-times.ts';
import { millis } from '../src/base/ids.ts';
import { METRIC_NAMES } from '../src/base/rules/metrics.ts';
import { TrendJudge } from '../src/replica/trend/judge.ts';
import { TrendKeeper } from '../src/replica/trend/keeper.ts';
import { OpenBook } from '../src/replica/trend/open-book.ts';
import { MemoryTrendDisk } from '../src/storage/trend/trend-disk.ts';
import { openTrendJournal } from '../src/storage/trend/trend-journal.ts';
import { SystemClock } from '../src/transport/system-clock.ts';
import { VERDICT } from '../src/trend/store.ts';
import { windowOf } from '../src/trend/window.ts';
import { SKETCHES } from '../src/wire/trend/sketch.ts';
import { BatchBuilder, decodeSamples } from '../src/wire/trend/trend-samples.ts';

/**
 * node dist/bench/trend-judge.js: what the trend thread does with a frame of samples, from its bytes to the last rule, in one
 * process without sockets; by the clock, which on a shared machine counts what others do, and without what the thread had to
 * wait for a core. A sample has been judged when its frame has, so the frame's time is the sample's at most.
 */

const SERIES = 800;
const STEP_MS = 8;
const SECONDS = 150;
/** Windows that have their size by then. */
const WARM_SECONDS = 70;
/** What 100,000 samples a second bring in 10 ms. */
const FRAME_SAMPLES = 1_000;
const STEPS_PER_CHECKPOINT = 7_750;
const STEPS_PER_SYNC = 1_000 / STEP_MS;

const clock = new SystemClock();
const thread = new ThreadTimes();
const folder = await mkdtemp(join(tmpdir(), 'tocsin-judge-'));
const journal = await openTrendJournal(folder);
const keeper = new TrendKeeper({ disk: new MemoryTrendDisk(), journal, clock, sketches: SKETCHES });
await keeper.load();

for (const name of ['bidmc.yaml', 'ward.yaml', 'trends.yaml']) {
  const rules = await loadRules(shippedRules(name));
  let transitions = 0;
  const judge = new TrendJudge(rules, keeper.registry, new OpenBook(), () => {
    transitions += 1;
  });
  const places = Array.from({ length: SERIES }, (_, at) => {
    const metric = METRIC_NAMES[at % METRIC_NAMES.length] as string;
    return keeper.register({ patient: `${name}-${at}`, device: 'bench', metric, unit: '' }).place;
  });
  const times: number[] = [];
  const ownTimes: number[] = [];
  const begin = windowOf(clock.wall() - 2 * SECONDS * 1_000);
  const builder = new BatchBuilder();
  const handle = (): void => {
    const body = builder.take();
    thread.look();
    const waitedBefore = thread.waitedNs;
    const before = performance.now();
    judge.receive(clock.wall());
    keeper.ingest(decodeSamples(body), (place, time, value, quality, verdict) => {
      if (verdict === VERDICT.inOrder) judge.judge(place, time, value, quality, true);
    });
    const elapsed = performance.now() - before;
    times.push(elapsed);
    thread.look();
    ownTimes.push(elapsed - (thread.waitedNs - waitedBefore) / 1e6);
  };
  for (let step = 0; step < (SECONDS * 1_000) / STEP_MS; step += 1) {
    for (const [at, place] of places.entries()) {
      builder.add(place, begin + step * STEP_MS, 80 + 30 * Math.sin((step + at * 37) / 40), 0);
      if (builder.count === FRAME_SAMPLES) handle();
    }
    if (step % STEPS_PER_CHECKPOINT === 0) await keeper.checkpoint();
    else if (step % STEPS_PER_SYNC === 0) await keeper.sync();
  }
  report(`${name}, wall`, times, transitions);
  report(`${name}, own`, ownTimes, transitions);
  await new Promise<void>((resolve) => {
    clock.after(millis(1), resolve);
  });
}

await journal.close();
await rm(folder, { recursive: true });

function report(name: string, times: readonly number[], transitions: number): void {
  const warm = (WARM_SECONDS / SECONDS) * times.length;
  const sorted = Float64Array.from(times.slice(warm)).sort();
  const at = (q: number): string =>
    (sorted[Math.floor(q * sorted.length)] ?? Number.NaN).toFixed(3);
  const total = sorted.reduce((sum, one) => sum + one, 0);
  const each = ((total / sorted.length / FRAME_SAMPLES) * 1e6).toFixed(0);
  console.log(
    `${name.padEnd(18)} frames of ${FRAME_SAMPLES}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms; ` +
      `${each} ns a sample; ${transitions} transitions`,
  );
}
