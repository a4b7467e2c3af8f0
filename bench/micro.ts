import benny from 'benny';
import { logIndex, term, unixMillis } from '../src/base/ids.ts';
import { newMachine } from '../src/replica/snapshots/machine-image.ts';
import type { Command } from '../src/statemachine/commands.ts';
import type { Applied } from '../src/statemachine/machine.ts';
import { CoreCluster } from '../src/testing/core-cluster.ts';
import { checkCommands, decodeSubmissions, encodeCommand } from '../src/wire/commands/commands.ts';
import { FrameReader, FrameType, frameHeader } from '../src/wire/frame.ts';
import { EntryRecord } from '../src/wire/log/record.ts';
import { raiseOfMonitor } from './workloads/alerts.ts';

/**
 * How fast the parts are, each alone: `npm run bench`. Rates of one core on this machine, now; compare them within one
 * run, and only within one.
 */

const BATCH = 100;
const TIME = unixMillis(1_790_000_000_000);

const command = (n: number): Command =>
  raiseOfMonitor(`phys:pt-7f3a:mon-01:HR:HI:${n % 10_000}`, 'pt-7f3a', 'B12', TIME);

function keyOf(n: number): Uint8Array {
  const key = Buffer.alloc(16);
  key.writeDoubleLE(n, 0);
  return key;
}

const records = Array.from({ length: BATCH }, (_, n) => encodeCommand(command(n), keyOf(n)));
const body = Buffer.concat(records);

function frames(): void {
  const reader = new FrameReader(body.byteLength);
  reader.push(frameHeader(FrameType.SUBMIT, 0 as never, 1, [body]));
  reader.push(body);
  if (reader.next() === undefined) throw new Error('no frame came out');
}

function seal(): void {
  const record = EntryRecord.draft('commands', TIME, BATCH, [body]);
  record.seal({ index: logIndex(1), term: term(1) }, 1);
  EntryRecord.parse(record.bytes);
}

/** Applies batches of fresh keys to one machine, as a leader would. */
function applier(): () => void {
  const machine = newMachine({ seed: 0 });
  const out: Applied = { replies: [], events: [] };
  let index = 0;
  return () => {
    const submissions = Array.from({ length: BATCH }, (_, n) => ({
      key: (index * BATCH + n).toString(16).padStart(32, '0'),
      fingerprint: n,
      command: command(n),
    }));
    index += 1;
    out.replies.length = 0;
    out.events.length = 0;
    machine.apply({ index: logIndex(index), time: TIME, submissions }, out);
  };
}

/** Three cores: one entry proposed, replicated, synced and committed on all. */
function agreement(): () => void {
  const cluster = new CoreCluster({ size: 3, seed: 1, raft: { logMemoryBytesMax: 0 } });
  const leader = cluster.elect();
  return () => {
    cluster.propose(leader, 'x');
    cluster.settle();
  };
}

await benny.suite(
  `batches of ${BATCH} commands, ${body.byteLength} bytes; one entry of the core`,
  benny.add('encode the commands', () => {
    for (let n = 0; n < BATCH; n += 1) encodeCommand(command(n), keyOf(n));
  }),
  benny.add('check the commands (server)', () => {
    checkCommands(body);
  }),
  benny.add('decode the commands (apply)', () => {
    decodeSubmissions(body);
  }),
  benny.add('frame them and read the frame', frames),
  benny.add('make the entry record and verify it', seal),
  benny.add('apply them', applier()),
  benny.add('agree on an entry, three cores', agreement()),
  benny.cycle(),
);
