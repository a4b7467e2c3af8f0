import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  growthOf,
  heapsIn,
  livesIn,
  type Moment,
  memoryOf,
  OWN,
} from '../../bench/measure/memory.ts';
import { heapLine, livesLine } from '../../cli/trend/heaps.ts';

const MINUTE = 60_000;

const momentsOf = (mib: (minutes: number) => number, count: number, everyMs: number): Moment[] =>
  Array.from({ length: count }, (_, at) => ({
    at: at * everyMs,
    parts: new Map([[OWN, mib((at * everyMs) / MINUTE)]]),
  }));

describe('the growth of memory', () => {
  it('is what a minute adds, whatever was there and however often one looked', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: 0, max: 1_000 }),
        fc.integer({ min: 2, max: 200 }),
        fc.integer({ min: 100, max: 10_000 }),
        (aMinute, atFirst, count, everyMs) => {
          const moments = momentsOf((minutes) => atFirst + aMinute * minutes, count, everyMs);
          const [growth, ...more] = growthOf(moments, 0, Number.POSITIVE_INFINITY);
          expect(more).toEqual([]);
          expect(growth?.part).toBe(OWN);
          expect(growth?.lastMiB).toBe(moments.at(-1)?.parts.get(OWN));
          expect(growth?.mibAMinute).toBeCloseTo(aMinute, 3);
        },
      ),
    );
  });

  it('is none where memory swings about a level', () => {
    const moments = momentsOf((minutes) => 100 + 10 * Math.cos(2 * Math.PI * minutes), 61, 5_000);
    const [growth] = growthOf(moments, 0, 5 * MINUTE);
    expect(Math.abs(growth?.mibAMinute ?? Number.NaN)).toBeLessThan(0.5);
  });

  it('leaves out what was seen before and after', () => {
    const moments = momentsOf((minutes) => (minutes < 1 || minutes > 3 ? 1_000 : 7), 61, 5_000);
    expect(growthOf(moments, MINUTE, 3 * MINUTE)).toEqual([
      { part: OWN, lastMiB: 7, mibAMinute: 0 },
    ]);
  });

  it('is not known from one look', () => {
    expect(
      growthOf(
        momentsOf(() => 1, 1, 1),
        0,
        1,
      ),
    ).toEqual([]);
  });
});

test('what a thread says of its heap is found in a log, with the moment', () => {
  const before = Date.now();
  const log = `2026-01-01T00:00:00.000Z trend: ${heapLine('trends')}\nother words\n${heapLine('encoder')}\n`;
  const [trends, encoder, ...more] = heapsIn(log);
  expect(more).toEqual([]);
  expect(trends?.at).toBeGreaterThanOrEqual(before);
  expect(trends?.parts.get('heap of trends')).toBeGreaterThan(0);
  expect([...(encoder?.parts.keys() ?? [])]).toEqual(['heap of encoder', 'arrays of encoder']);
});

test('what lives is told without what is garbage, apart from what the heap has', () => {
  const garbage = Array.from({ length: 64 }, () => new Float64Array(2 ** 17));
  const full = process.memoryUsage().arrayBuffers;
  garbage.length = 0;
  const log = `${heapLine('trends')}\n${livesLine('trends')}\n`;
  expect(heapsIn(log)).toHaveLength(1);
  const [{ parts } = { parts: new Map<string, number>() }] = livesIn(log);
  expect([...parts.keys()]).toEqual(['what lives of trends', 'of it arrays of trends']);
  expect(parts.get('of it arrays of trends')).toBeLessThan(full / 2 ** 20 - 32);
});

const isTold = memoryOf(process.pid).parts.has(OWN);

test.skipIf(!isTold)(
  'what a process holds is told by the kernel (needs a Linux that tells)',
  () => {
    expect(memoryOf(process.pid).parts.get(OWN)).toBeGreaterThan(1);
  },
);

test('of a process that is gone nothing is told', () => {
  expect(memoryOf(0).parts.size).toBe(0);
});
