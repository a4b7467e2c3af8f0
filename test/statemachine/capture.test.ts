import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, revision, unixMillis } from '../../src/base/ids.ts';
import type { Batch } from '../../src/statemachine/commands.ts';
import type { AlertMachine, Applied } from '../../src/statemachine/machine.ts';
import type { SnapshotItem } from '../../src/statemachine/snapshot/capture.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import { ChunkPacker, decodeChunk } from '../../src/wire/log/snapshot-items.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { packed } from './packing.ts';
import { ReferenceModel } from './reference-model.ts';
import { play, SMALL_LIMITS, story, write } from './stories.ts';

/** A snapshot's bytes, of items that are taken while other things go on in between. */
function pack(items: Iterator<SnapshotItem, undefined>, meanwhile: () => void): Uint8Array {
  const packer = new ChunkPacker();
  const chunks: Uint8Array[] = [];
  for (let { done, value } = items.next(); !done && value; { done, value } = items.next()) {
    const chunk = packer.add(value);
    if (chunk !== undefined) chunks.push(chunk);
    meanwhile();
  }
  const last = packer.end();
  if (last !== undefined) chunks.push(last);
  return Buffer.concat(chunks);
}

function unpack(bytes: Uint8Array, limits = SMALL_LIMITS, seed = 0): AlertMachine {
  const restorer = new MachineRestorer(limits, packed(seed, 2));
  for (const item of decodeChunk(bytes)) restorer.add(item);
  return restorer.finish();
}

const everything = (machine: AlertMachine): unknown => machine.list({}, { limit: 1_000 });

const answers = (machine: AlertMachine, batches: readonly Batch[]): Applied => {
  const out: Applied = { replies: [], events: [] };
  for (const batch of batches) machine.apply(batch, out);
  return out;
};

/** The whole log once more, behind its own end. */
const repeated = (batches: readonly Batch[]): Batch[] => {
  const end = batches.at(-1)?.index ?? 0;
  return batches.map((batch, i) => ({ ...batch, index: logIndex(end + 1 + i) }));
};

describe('a capture', () => {
  test('restored anywhere in a story, while the story went on, goes on like the machine it was taken of', () => {
    fc.assert(
      fc.property(story, fc.nat(40), fc.nat(), (steps, at, seed) => {
        const batches = write(steps, new ReferenceModel(SMALL_LIMITS));
        const cut = Math.min(at, batches.length);
        const { machine } = play(batches.slice(0, cut));
        const listed = everything(machine);
        const capture = machine.capture();
        const out: Applied = { replies: [], events: [] };
        const rest = batches.slice(cut);
        let next = 0;
        const bytes = pack(capture.items(), () => {
          const batch = rest[next];
          if (batch !== undefined) machine.apply(batch, out);
          next += 1;
        });
        for (const batch of rest.slice(next)) machine.apply(batch, out);

        const again = unpack(bytes, SMALL_LIMITS, seed);
        expect(everything(again)).toEqual(listed);
        expect(answers(again, rest)).toEqual(out);
        expect(answers(again, repeated(batches))).toEqual(answers(machine, repeated(batches)));
        expect(again.digest).toBe(machine.digest);
        expect([again.time, again.revision, again.applied]).toEqual([
          machine.time,
          machine.revision,
          machine.applied,
        ]);
        expect(everything(again)).toEqual(everything(machine));
      }),
      { numRuns: 300 },
    );
  });

  test('has the same bytes on every replica, also on one that was itself restored', () => {
    fc.assert(
      fc.property(story, fc.nat(40), (steps, at) => {
        const batches = write(steps, new ReferenceModel(SMALL_LIMITS));
        const first = play(batches.slice(0, at)).machine;
        const restored = unpack(
          pack(first.capture().items(), () => undefined),
          SMALL_LIMITS,
          7,
        );
        for (const machine of [first, restored]) answers(machine, batches.slice(at));
        const whole = play(batches).machine;
        const bytes = [first, restored, whole].map((machine) =>
          pack(machine.capture().items(), () => undefined),
        );
        expect(bytes[1]).toEqual(bytes[0]);
        expect(bytes[2]).toEqual(bytes[0]);
      }),
      { numRuns: 200 },
    );
  });

  test('is cut into chunks of whole items, within the bound', () => {
    const bench = new Bench();
    for (let i = 0; i < 3_000; i += 1)
      bench.done(raise({ dedupKey: `k${i}`, text: `${i}`.padEnd(900, 'x') }));
    const packer = new ChunkPacker();
    const chunks: Uint8Array[] = [];
    for (const item of bench.machine.capture().items()) {
      const chunk = packer.add(item);
      if (chunk !== undefined) chunks.push(chunk);
    }
    chunks.push(packer.end() as Uint8Array);
    expect(chunks.length).toBeGreaterThan(2);
    const restorer = new MachineRestorer();
    for (const chunk of chunks) {
      expect(chunk.byteLength).toBeLessThanOrEqual(1024 * 1024);
      for (const item of decodeChunk(chunk)) restorer.add(item);
    }
    expect(restorer.finish().openCount).toBe(3_000);
    expect(packer.end()).toBeUndefined();
  });
});

describe('a restorer', () => {
  const bench = new Bench(SMALL_LIMITS);
  for (const dedupKey of ['a', 'b', 'c', 'd']) bench.done(raise({ dedupKey }));
  bench.done(acknowledge({ target: { dedupKey: 'b' } }));
  for (const dedupKey of ['a', 'c']) bench.done(clear({ target: { dedupKey } }));
  bench.do(clear({ target: { id: 'A99' } }));
  const items = [...bench.machine.capture().items()];
  const header = items[0] as SnapshotItem & { kind: 'header' };
  const of = <K extends SnapshotItem['kind']>(kind: K): (SnapshotItem & { kind: K })[] =>
    items.filter((item): item is SnapshotItem & { kind: K } => item.kind === kind);
  const [b, d] = of('open');
  const [a] = of('resolved');
  if (b === undefined || d === undefined || a === undefined) throw new Error('nothing captured');
  const restore = (changed: readonly SnapshotItem[]): AlertMachine => {
    const restorer = new MachineRestorer(SMALL_LIMITS);
    for (const item of changed) restorer.add(item);
    return restorer.finish();
  };
  const withHeader = (changes: object): SnapshotItem[] => [
    { kind: 'header', header: { ...header.header, ...changes } },
    ...items.slice(1),
  ];
  const swap = (from: SnapshotItem, ...to: SnapshotItem[]): SnapshotItem[] =>
    items.flatMap((item) => (item === from ? to : [item]));

  test('takes what a capture gives', () => {
    expect(restore(items).openCount).toBe(2);
  });

  test.each<[string, readonly SnapshotItem[]]>([
    ['nothing', []],
    ['no header', items.slice(1)],
    ['two headers', [header, ...items]],
    ['items out of order', [header, ...items.slice(1).toReversed()]],
    ['an open alert too few', swap(b)],
    ['a resolved alert too few', swap(a)],
    ['a remembered condition too few', swap(of('remembered')[0] as SnapshotItem)],
    ['a reply too few', swap(of('reply')[0] as SnapshotItem)],
    ['open alerts out of order', swap(b, d, b)],
    ['an open alert twice', swap(b, b, b)],
    ['two alerts open under one key', swap(d, { ...d, alert: { ...d.alert, dedupKey: 'b' } })],
    ['a resolved alert among the open', swap(b, { ...b, alert: a.alert })],
    ['an open alert among the resolved', swap(a, { ...a, alert: b.alert })],
    ['a resolved alert twice', swap(a, a, a)],
    ['an alert from the future', swap(b, { ...b, alert: { ...b.alert, revision: revision(99) } })],
    ['an id that is none', swap(b, { ...b, alert: { ...b.alert, id: 'A02' as 'A2' } })],
    [
      'a condition that is open and remembered',
      swap(of('remembered')[0] as SnapshotItem, {
        kind: 'remembered',
        dedupKey: 'b',
        last: { id: 'A1', occurrence: 1, endedAt: unixMillis(1), flaps: 0 },
      }),
    ],
    ['a reply twice', [...items, items.at(-1) as SnapshotItem]],
    ['more resolved alerts than the limit', withHeader({ resolved: 4 })],
    ['more remembered conditions than the limit', withHeader({ remembered: 4 })],
    ['more replies than the limit', withHeader({ replies: 9 })],
  ])('refuses %s', (_, changed) => {
    expect(() => restore(changed)).toThrow(expect.objectContaining({ code: 'DATA_CORRUPT' }));
  });

  test.each([
    [99, 'DATA_NEWER_FORMAT'],
    [1, 'DATA_OLDER_FORMAT'],
  ])('refuses a machine of version %i: %s', (machineVersion, code) => {
    expect(() => restore(withHeader({ machineVersion }))).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test('refuses a notification that was not made yet', () => {
    const told = new Bench();
    const steps = [{ targets: ['user:anna'], delaySeconds: 60 }];
    const policy = { steps, repeat: 0, minPriority: 'low', confirmSeconds: 9 } as const;
    const asked = { actor: 'charge', observedAt: unixMillis(1) };
    told.do({ type: 'set-policy', id: 'default', ...policy, ...asked });
    told.done(raise());
    const captured = [...told.machine.capture().items()];
    expect(() => restore(captured)).not.toThrow();
    const early = captured.map((item) =>
      item.kind === 'header' ? { ...item, header: { ...item.header, notificationsMade: 0 } } : item,
    );
    expect(() => restore(early)).toThrow(expect.objectContaining({ code: 'DATA_CORRUPT' }));
  });
});

describe('a view', () => {
  test('shows the alerts of one revision, whatever is applied while it is read', () => {
    const bench = new Bench();
    for (let i = 0; i < 2_000; i += 1) bench.done(raise({ dedupKey: `k${i}` }));
    for (let i = 0; i < 50; i += 1) bench.done(clear({ target: { dedupKey: `k${i * 3}` } }));
    const filter = { priorities: ['medium' as const] };
    const expected = [
      ...bench.machine.list({ ...filter, open: true }, { limit: 1_000 }).alerts,
      ...bench.machine.list({ ...filter, open: true }, { limit: 1_000, after: 'A1050' }).alerts,
    ].filter((alert, i, all) => all.indexOf(alert) === i);
    const resolved = bench.machine.list({ open: false }, { limit: 1_000 }).alerts;
    const view = bench.machine.view();
    expect(view.revision).toBe(bench.machine.revision);
    const seen: unknown[] = [];
    let turn = 0;
    for (const alert of view.matching(filter)) {
      if (alert !== undefined) seen.push(alert);
      const dedupKey = `k${1_999 - turn}`;
      if (turn < 1_000) bench.do(clear({ target: { dedupKey } }));
      turn += 1;
    }
    expect(seen).toEqual([...expected, ...resolved]);
    expect([...view.matching({ priorities: ['high'] })].some(Boolean)).toBe(false);
  });
});
