import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, type Revision, unixMillis } from '../../src/base/ids.ts';
import { FRAME_BYTES_MAX, REFUSAL_CHARS_MAX, UNIX_MILLIS_MAX } from '../../src/base/limits.ts';
import type { Batch, Command, Submission } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import type { SnapshotItem } from '../../src/statemachine/snapshot/capture.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import type { AlertEvent, Reply } from '../../src/statemachine/types.ts';
import { toText } from '../../src/wire/check.ts';
import { decodeListAnswer, encodeListAnswer } from '../../src/wire/clients/answers.ts';
import { decodeHistoryAnswer, encodeHistoryAnswer } from '../../src/wire/clients/history-query.ts';
import {
  decodeRecordsAnswer,
  encodeRecordsAnswer,
  QUERY_KINDS,
} from '../../src/wire/clients/record-queries.ts';
import { decodeReplies, encodeReplies } from '../../src/wire/clients/replies.ts';
import { encodeWatchMessages, WatchReader } from '../../src/wire/clients/watch-messages.ts';
import { decodeSubmissions, encodeCommand } from '../../src/wire/commands/commands.ts';
import { parseCommand } from '../../src/wire/commands/parse.ts';
import { ChunkPacker, decodeChunk } from '../../src/wire/log/snapshot-items.ts';
import { codeOf, join } from '../wire/helpers.ts';
import { packed } from './packing.ts';
import { ReferenceModel } from './reference-model.ts';
import { SMALL_LIMITS, type Step, story, write } from './stories.ts';
import { isLate, later, type Stretch, stretch, stretched } from './stretching.ts';

/** What the machine makes of the longest that clients may say is read back by everybody who reads it. */

const said = ({ type, ...rest }: Command): Command => parseCommand(type, rest);

/** What every story begins with, so that alerts are offered to whoever is on call. */
const atOnce = { newBatch: true, advanceMs: 1_500, skipped: 0, actor: 'nurse-1' };
const BEGINNING: readonly Step[] = [
  {
    ...atOnce,
    do: 'record',
    deed: {
      type: 'set-schedule',
      id: 'icu',
      shifts: [{ user: 'nurse-2', afterMs: 0, forMs: 86_400_000 }],
    },
  },
  {
    ...atOnce,
    do: 'record',
    deed: {
      type: 'set-policy',
      id: 'default',
      steps: [{ targets: ['schedule:icu', 'user:nurse-1'], delaySeconds: 1 }],
      repeat: 9,
      minPriority: 'none',
      confirmSeconds: 86_400,
    },
  },
  {
    ...atOnce,
    do: 'raise',
    key: 0,
    guard: 'none',
    command: {
      type: 'raise',
      kind: 'physiological',
      priority: 'high',
      condition: 'HR:HI',
      text: 'Heart rate high',
      subject: { unit: 'icu-1', bed: '1', device: 'm1' },
      latching: false,
      acknowledgementRequired: true,
      actor: 'monitor-7',
      observedAt: unixMillis(1),
    },
  },
  { ...atOnce, do: 'malformed' },
];

/** As it comes from the log; undefined if no client could have sent it. */
function sent(submission: Submission, how: Stretch): Submission | undefined {
  const { command, key } = submission;
  if (command === undefined || codeOf(() => said(command)) !== 'no error') return undefined;
  const encoded = (as: Stretch) =>
    encodeCommand(said(stretched(command, as)), Buffer.from(key, 'hex'));
  // What is full everywhere, and of long characters, may be more than one command may be.
  const fits = codeOf(() => encoded(how)) === 'no error';
  return decodeSubmissions(encoded(fits ? how : { ...how, fills: false }))[0];
}

function stretchedBatches(batches: readonly Batch[], how: Stretch): Batch[] {
  return batches.map((batch) => ({
    ...batch,
    time: unixMillis(later(batch.time, how)),
    submissions: batch.submissions.flatMap((one) => sent(one, how) ?? []),
  }));
}

function fitsFrame(parts: readonly Uint8Array[]): Uint8Array {
  const body = join(parts);
  expect(body.byteLength).toBeLessThan(FRAME_BYTES_MAX);
  return body;
}

/** Messages of refusals are for people, and longer ones end early. */
const cut = (reply: Reply): Reply =>
  reply.ok ? reply : { ...reply, message: toText(reply.message, REFUSAL_CHARS_MAX) };

/** What watchers are told of an event: not what only the replica needs. */
const told = (one: AlertEvent): AlertEvent => {
  const { revision, index, time, observedAt, effect, actor, alert } = one;
  return { revision, index, time, observedAt, effect, actor, alert };
};

/** Clients read the replies, what watchers are told, and every alert and record. */
function clientsRead(machine: AlertMachine, { replies, events }: Applied): void {
  for (const reply of replies)
    expect(decodeReplies(fitsFrame([encodeReplies([reply])]))).toEqual([cut(reply)]);
  const messages = events.map((event) => ({ type: 'event' as const, event: told(event) }));
  const reader = new WatchReader();
  for (const message of messages)
    expect(reader.read(fitsFrame(encodeWatchMessages([message])))).toEqual([message]);
  const { revision } = machine;
  const value = { events: events.slice(-8).map(told), next: undefined, isCompacted: false };
  const history = decodeHistoryAnswer(fitsFrame(encodeHistoryAnswer({ value, revision })));
  expect(history.value?.events).toEqual(value.events.slice(-(history.value?.events.length ?? 0)));
  for (const alert of machine.list({}, { limit: 1_000 }).alerts) {
    const page = { alerts: [{ ...alert, badges: machine.badgesOf(alert) }], next: undefined };
    const body = fitsFrame(encodeListAnswer({ value: page, revision }));
    expect(decodeListAnswer(body).value).toEqual(page);
  }
  for (const kind of QUERY_KINDS) recordsRead(machine, kind, revision);
}

function recordsRead(
  machine: AlertMachine,
  kind: (typeof QUERY_KINDS)[number],
  revision: Revision,
): void {
  for (const record of machine.records(kind, 0, 1_000).records) {
    const value = { records: [record], next: undefined };
    const body = fitsFrame(encodeRecordsAnswer(kind, { value, revision } as never, () => 0));
    expect(decodeRecordsAnswer(kind, body).value).toEqual(value);
  }
}

/** A snapshot is read back, and the machine of it is the same. */
function snapshotRead(machine: AlertMachine): void {
  const items: SnapshotItem[] = [...machine.capture().items()];
  const packer = new ChunkPacker();
  const chunks = items.map((item) => packer.add(item));
  const back = [...chunks, packer.end()].flatMap((chunk) =>
    chunk === undefined ? [] : [...decodeChunk(fitsFrame([chunk]))],
  );
  expect(back).toEqual(items);
  const restorer = new MachineRestorer(SMALL_LIMITS, packed());
  for (const item of back) restorer.add(item);
  expect(restorer.finish().digest).toBe(machine.digest);
}

/** What is due by the last moment of all is carried out once, a little with each entry, and then there is nothing left. */
function toTheEnd(machine: AlertMachine): void {
  const time = unixMillis(UNIX_MILLIS_MAX);
  for (let entries = 0; machine.nextDue <= time; entries += 1) {
    expect(entries, 'entries after which something is still due').toBeLessThan(200);
    const index = logIndex(machine.applied + 1);
    machine.apply({ index, time, submissions: [] }, { replies: [], events: [] });
  }
}

test('whatever clients may say, what becomes of it is read back from the heap, from snapshots and by clients', () => {
  fc.assert(
    fc.property(story, stretch, (steps, how) => {
      const batches = stretchedBatches(
        write([...BEGINNING, ...steps], new ReferenceModel(SMALL_LIMITS)),
        how,
      );
      // As few alerts as can be stay objects, so that nearly all that is read was packed.
      const machine = new AlertMachine(SMALL_LIMITS, packed());
      const all: Applied = { replies: [], events: [] };
      for (const batch of batches) machine.apply(batch, all);
      clientsRead(machine, all);
      snapshotRead(machine);
      if (!isLate(how)) return;
      toTheEnd(machine);
      snapshotRead(machine);
    }),
    { numRuns: 300 },
  );
});
