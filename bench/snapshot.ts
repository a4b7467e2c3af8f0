import { logIndex, unixMillis } from '../src/base/ids.ts';
import { TURN_MS_MAX } from '../src/base/limits.ts';
import { layoutOf } from '../src/replica/snapshots/machine-image.ts';
import type { Submission } from '../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../src/statemachine/machine.ts';
import type { SnapshotItem } from '../src/statemachine/snapshot/capture.ts';
import { MachineRestorer } from '../src/statemachine/snapshot/restore.ts';
import { ChunkPacker, decodeChunk } from '../src/wire/log/snapshot-items.ts';
import { raiseOfMonitor } from './workloads/alerts.ts';

/**
 * What a snapshot of very many open alerts costs the event loop: `npm run bench:snapshot -- ALERTS`. Every line is the longest
 * time that one piece of the work held the loop, so that no other work could run.
 */

const ALERTS = Number(process.argv[2] ?? 1_000_000);
const BATCH = 100;
const TIME = unixMillis(1_790_000_000_000);
const out: Applied = { replies: [], events: [] };
let index = 0;

const submission = (n: number): Submission => {
  const patient = `pt-${n % ALERTS}`;
  return {
    key: (index * BATCH + n).toString(16).padStart(32, '0'),
    fingerprint: n,
    command: raiseOfMonitor(`phys:${patient}:mon-01:HR:HI`, patient, `B${n % 500}`, TIME),
  };
};

function applyBatch(machine: AlertMachine, from: number): void {
  index += 1;
  const submissions = Array.from({ length: BATCH }, (_, n) => submission(from + n));
  out.replies.length = 0;
  out.events.length = 0;
  machine.apply({ index: logIndex(index), time: TIME, submissions }, out);
}

class Stopwatch {
  readonly #what: string;
  #longest = 0;
  #total = 0;

  constructor(what: string) {
    this.#what = what;
  }

  time<T>(work: () => T): T {
    const began = performance.now();
    const result = work();
    const took = performance.now() - began;
    this.#total += took;
    this.#longest = Math.max(this.#longest, took);
    return result;
  }

  print(): void {
    const total = `${Math.round(this.#total).toLocaleString('en-US').padStart(8)} ms in all`;
    console.log(`${this.#what.padEnd(38)} ${this.#longest.toFixed(2).padStart(7)} ms ${total}`);
  }
}

/** Takes items until a slice is over; false when there are no more. */
function packSlice(
  items: Iterator<SnapshotItem>,
  packer: ChunkPacker,
  chunks: Uint8Array[],
): boolean {
  const end = performance.now() + TURN_MS_MAX;
  do {
    const { done, value } = items.next();
    if (done) return false;
    const chunk = packer.add(value);
    if (chunk !== undefined) chunks.push(chunk);
  } while (performance.now() < end);
  return true;
}

function restoreSlice(items: Iterator<SnapshotItem>, restorer: MachineRestorer): boolean {
  const end = performance.now() + TURN_MS_MAX;
  do {
    const { done, value } = items.next();
    if (done) return false;
    restorer.add(value);
  } while (performance.now() < end);
  return true;
}

const layout = layoutOf({ seed: 0 });
const machine = new AlertMachine({}, layout);
const filling = new Stopwatch(`apply ${BATCH} raises`);
for (let n = 0; n < ALERTS; n += BATCH) filling.time(() => applyBatch(machine, n));
filling.print();

const capturing = new Stopwatch('capture');
const capture = capturing.time(() => machine.capture());
capturing.print();

const packing = new Stopwatch('write out a slice');
const meanwhile = new Stopwatch(`apply ${BATCH} commands in between`);
const packer = new ChunkPacker();
const chunks: Uint8Array[] = [];
const items = capture.items();
for (let n = 0, more = true; more; n = (n + 7_919 * BATCH) % ALERTS) {
  more = packing.time(() => packSlice(items, packer, chunks));
  meanwhile.time(() => applyBatch(machine, n));
}
const last = packer.end();
if (last !== undefined) chunks.push(last);
packing.print();
meanwhile.print();
const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
console.log(`${chunks.length} chunks, ${(bytes / 2 ** 20).toFixed(0)} MiB`);

const restoring = new Stopwatch('restore a slice');
const restorer = new MachineRestorer({}, layout);
for (const chunk of chunks) {
  const decoded = decodeChunk(chunk);
  while (restoring.time(() => restoreSlice(decoded, restorer)));
}
const finishing = new Stopwatch('finish the restored machine');
const restored = finishing.time(() => restorer.finish());
restoring.print();
finishing.print();
console.log(`${restored.openCount.toLocaleString('en-US')} alerts are open again`);
