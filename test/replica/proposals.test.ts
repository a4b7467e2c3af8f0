import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { logIndex, millis, term, unixMillis } from '../../src/base/ids.ts';
import {
  COMMANDS_PER_FRAME_MAX,
  ENTRY_BYTES_MAX,
  PROPOSAL_QUEUE_BYTES_MAX,
  PROPOSAL_QUEUE_URGENT_BYTES,
} from '../../src/base/limits.ts';
import type { Entry } from '../../src/raft/types.ts';
import { Proposals } from '../../src/replica/pipeline/proposals.ts';
import type { Reply } from '../../src/statemachine/types.ts';
import { EntryRecord, RECORD_HEADER_BYTES } from '../../src/wire/log/record.ts';
import { VirtualClock } from '../client/virtual-clock.ts';

const TIME = unixMillis(1_700_000_000_000);
const NOT_WRITTEN = new TocsinError('UNAVAILABLE', 'not written');
const MAYBE = new TocsinError('OUTCOME_UNKNOWN', 'maybe');

const repliesOf = (count: number, text: string): Reply[] =>
  Array.from({ length: count }, (_, at) => ({
    ok: false,
    code: 'ALERT_NOT_FOUND',
    message: `${text}${at}`,
  }));

const entryOf = (index: number, inTerm: number): Entry => ({
  index: logIndex(index),
  term: term(inTerm),
  payload: EntryRecord.draft('noop', TIME, 0, []),
});

interface Told {
  readonly outcomes: string[];
  readonly add: (bytes: number, count?: number, urgency?: number, deadlineMs?: number) => number;
}

/** Proposals that write down what they are told. */
function toldOf(proposals: Proposals): Told {
  const outcomes: string[] = [];
  let next = 0;
  return {
    outcomes,
    add: (bytes, count = 1, urgency = 0, deadlineMs = 1e9) => {
      const id = next;
      next += 1;
      proposals.add({
        commands: new Uint8Array(bytes),
        count,
        urgency,
        takesRoom: true,
        deadline: millis(deadlineMs),
        settle: (outcome) =>
          outcomes.push(
            `${id} ${outcome instanceof TocsinError ? outcome.code : outcome.map((r) => (r.ok ? '' : r.message)).join()}`,
          ),
      });
      return id;
    },
  };
}

const aStep = fc.oneof(
  fc.record({ do: fc.constant('add' as const), count: fc.nat(3), urgency: fc.nat(2) }),
  fc.record({ do: fc.constant('add late' as const), wait: fc.nat(5) }),
  fc.constantFrom(
    { do: 'cut' as const },
    { do: 'cut and refuse' as const },
    { do: 'apply' as const },
    { do: 'apply another' as const },
    { do: 'abandon' as const },
    { do: 'wait' as const },
  ),
);

test('every proposal is settled exactly once, whatever happens to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { maxLength: 60 }), async (steps) => {
      const clock = new VirtualClock();
      const proposals = new Proposals(clock);
      const told = toldOf(proposals);
      const placed: { index: number; term: number; count: number }[] = [];
      let added = 0;
      let index = 0;
      let inTerm = 1;
      for (const step of [...steps, { do: 'abandon' as const }]) {
        if (step.do === 'add') added = told.add(40, step.count + 1, step.urgency) + 1;
        else if (step.do === 'add late')
          added = told.add(40, 1, 0, clock.monotonic() + step.wait) + 1;
        else if (step.do === 'wait') await clock.run(3);
        else if (step.do === 'abandon') {
          proposals.abandon(NOT_WRITTEN, MAYBE);
          placed.length = 0;
          inTerm += 1;
        } else if (step.do === 'cut' || step.do === 'cut and refuse') {
          const cut = proposals.cut(TIME);
          if (cut === undefined) continue;
          if (step.do === 'cut and refuse') proposals.refused(cut.batch, NOT_WRITTEN);
          else {
            index += 1;
            proposals.placed({ index: logIndex(index), term: term(inTerm) }, cut.batch);
            placed.push({ index, term: inTerm, count: cut.record.count });
          }
        } else {
          const entry = placed.shift();
          if (entry === undefined) continue;
          const isOurs = step.do === 'apply';
          const applied = entryOf(entry.index, entry.term + (isOurs ? 0 : 1));
          proposals.applied(applied, isOurs ? repliesOf(entry.count, 'r') : []);
        }
        expect(told.outcomes.length).toBeLessThanOrEqual(added);
      }
      const ids = told.outcomes.map((line) => Number(line.split(' ')[0])).sort((a, b) => a - b);
      expect(ids).toEqual(Array.from({ length: added }, (_, at) => at));
      expect([proposals.queued, proposals.pending]).toEqual([0, 0]);
    }),
  );
});

test('each caller gets the replies to its own commands, in the order they were handed in', () => {
  const proposals = new Proposals(new VirtualClock());
  const told = toldOf(proposals);
  told.add(30, 2);
  told.add(30, 1);
  const cut = proposals.cut(TIME);
  proposals.placed({ index: logIndex(7), term: term(2) }, cut?.batch ?? []);
  proposals.applied(entryOf(6, 2), repliesOf(3, 'x'));
  proposals.applied(entryOf(7, 2), repliesOf(3, 'r'));
  expect(told.outcomes).toEqual(['0 r0,r1', '1 r2']);
});

test('a caller whose entry another leader replaced is told so, though as many replies came with that', () => {
  const proposals = new Proposals(new VirtualClock());
  const told = toldOf(proposals);
  told.add(30, 1);
  proposals.placed({ index: logIndex(7), term: term(2) }, proposals.cut(TIME)?.batch ?? []);
  proposals.applied(entryOf(7, 3), repliesOf(1, 'r'));
  expect(told.outcomes).toEqual(['0 NOT_LEADER']);
});

test('a batch never passes what an entry may hold, and one that just fits is not split', () => {
  const proposals = new Proposals(new VirtualClock());
  const told = toldOf(proposals);
  const half = (ENTRY_BYTES_MAX - RECORD_HEADER_BYTES) / 2;
  for (const bytes of [half, half, 25, 25, ENTRY_BYTES_MAX - RECORD_HEADER_BYTES]) told.add(bytes);
  const lengths: number[] = [];
  for (let cut = proposals.cut(TIME); cut !== undefined; cut = proposals.cut(TIME))
    lengths.push(cut.record.byteLength);
  const header = RECORD_HEADER_BYTES;
  expect(lengths).toEqual([ENTRY_BYTES_MAX, header + 50, ENTRY_BYTES_MAX]);
});

test('a batch never passes what a frame of replies may hold', () => {
  const proposals = new Proposals(new VirtualClock());
  const told = toldOf(proposals);
  for (const count of [COMMANDS_PER_FRAME_MAX - 1, 1, 1, COMMANDS_PER_FRAME_MAX])
    told.add(25, count);
  const counts: number[] = [];
  for (let cut = proposals.cut(TIME); cut !== undefined; cut = proposals.cut(TIME))
    counts.push(cut.record.count);
  expect(counts).toEqual([COMMANDS_PER_FRAME_MAX, 1, COMMANDS_PER_FRAME_MAX]);
});

test('the less urgent is refused first, and room comes back whichever way a proposal leaves', async () => {
  const clock = new VirtualClock();
  const proposals = new Proposals(clock);
  const piece = 2 ** 19;
  for (const leave of ['cut', 'expire', 'abandon'] as const) {
    const told = toldOf(proposals);
    const routine = (PROPOSAL_QUEUE_BYTES_MAX - PROPOSAL_QUEUE_URGENT_BYTES) / piece;
    const due = clock.monotonic() + 5;
    for (let n = 0; n < routine; n += 1) told.add(piece, 1, 1, due);
    expect(told.outcomes).toEqual([]);
    const over = told.add(1, 1, 1, due);
    expect(told.outcomes).toEqual([`${over} OVERLOADED`]);
    for (let n = 0; n < PROPOSAL_QUEUE_URGENT_BYTES / piece; n += 1) told.add(piece, 1, 0, due);
    expect(told.outcomes).toHaveLength(1);
    const full = told.add(1, 1, 0, due);
    expect(told.outcomes.at(-1)).toBe(`${full} OVERLOADED`);
    if (leave === 'cut') while (proposals.cut(TIME) !== undefined);
    else if (leave === 'abandon') proposals.abandon(NOT_WRITTEN, MAYBE);
    else {
      await clock.run(5);
      proposals.expire();
    }
  }
});

test('who asks again while being told no is queued like anyone else', () => {
  const proposals = new Proposals(new VirtualClock());
  const outcomes: string[] = [];
  const proposal = {
    commands: new Uint8Array(30),
    count: 1,
    urgency: 0,
    takesRoom: true,
    deadline: millis(1e9),
    settle: (outcome: unknown): void => {
      outcomes.push(outcome instanceof TocsinError ? outcome.code : 'done');
      if (outcomes.length < 3) proposals.add(proposal);
    },
  };
  proposals.add(proposal);
  proposals.abandon(NOT_WRITTEN, MAYBE);
  expect(proposals.queued).toBe(1);
  const cut = proposals.cut(TIME);
  proposals.placed({ index: logIndex(1), term: term(1) }, cut?.batch ?? []);
  proposals.add(proposal);
  proposals.abandon(NOT_WRITTEN, MAYBE);
  expect(outcomes).toEqual(['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'UNAVAILABLE']);
  expect([proposals.queued, proposals.pending]).toEqual([1, 0]);
});
