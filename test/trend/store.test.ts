import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  TREND_BLOCK_SAMPLES,
  TREND_FUTURE_MS_MAX,
  TREND_RAW_MS_MAX,
  TREND_SLAB_BLOCKS,
  TREND_WINDOW_MS,
  TREND_WINDOW_SAMPLES_MAX,
} from '../../src/base/trend-limits.ts';
import { type Chunk, joinChunks } from '../../src/trend/chunk.ts';
import { baseOf, SamplePool } from '../../src/trend/sample-pool.ts';
import { join, NO_SAMPLES, type Samples } from '../../src/trend/samples.ts';
import { TrendStore, VERDICT } from '../../src/trend/store.ts';
import { SampleWindow } from '../../src/trend/window.ts';
import { anyRow, type Row, START, samplesOf } from './arbitraries.ts';

const NOW = START + 600_000;

function storeOf(rows: readonly Row[]): TrendStore {
  const store = new TrendStore();
  store.receive(NOW);
  for (const { time, value, quality } of rows) store.append(0, time, value, quality);
  return store;
}

/** In several windows, with times that come again. */
const rows = fc.array(
  anyRow(9 * TREND_WINDOW_MS).map((row) => ({ ...row, time: row.time - (row.time % 5_000) })),
  { maxLength: 80 },
);

describe('a window', () => {
  it('holds the same whatever the order and however often samples come', () => {
    fc.assert(
      fc.property(fc.array(anyRow(50), { maxLength: 200 }), (all) => {
        const window = new SampleWindow(START, new SamplePool());
        for (const { time, value, quality } of all) window.append(time, value, quality, NOW);
        const expected = all.reduce((sum, row) => join(sum, samplesOf([row])), NO_SAMPLES);
        expect(window.samples()).toEqual(expected);
      }),
    );
  });

  it('refuses what it has no room for, and duplicates take none', () => {
    const window = new SampleWindow(START, new SamplePool());
    let taken = 0;
    for (let at = 0; at < TREND_WINDOW_SAMPLES_MAX; at += 1)
      taken += window.append(START + at, 1, 0, NOW) ? 1 : 0;
    expect(taken).toBe(TREND_WINDOW_SAMPLES_MAX);
    expect(window.append(START, 2, 0, NOW)).toBe(false);
    expect(window.samples().times.length).toBe(TREND_WINDOW_SAMPLES_MAX);
    const doubled = new SampleWindow(START, new SamplePool());
    for (let at = 0; at < TREND_WINDOW_SAMPLES_MAX + 10; at += 1)
      taken -= doubled.append(START + (at % 100), 1, 0, NOW) ? 1 : 0;
    expect(taken).toBe(-10);
    expect(doubled.samples().times.length).toBe(100);
  });
});

describe('the pool of windows', () => {
  it('gives what one window has to no other, and has all back in the end', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            window: fc.nat(3),
            rows: fc.array(anyRow(200), { maxLength: 150 }),
            looks: fc.boolean(),
            ends: fc.boolean(),
          }),
          { maxLength: 30 },
        ),
        (steps) => {
          const pool = new SamplePool();
          const windows = [0, 1, 2, 3].map(() => new SampleWindow(START, pool));
          const expected = windows.map(() => NO_SAMPLES);
          for (const { window: at, rows: some, looks, ends } of steps) {
            const window = windows[at] as SampleWindow;
            for (const { time, value, quality } of some) window.append(time, value, quality, NOW);
            expected[at] = some.reduce(
              (sum, row) => join(sum, samplesOf([row])),
              expected[at] as Samples,
            );
            if (looks) window.samples();
            if (!ends) continue;
            window.release();
            expected[at] = NO_SAMPLES;
          }
          for (const [at, window] of windows.entries())
            expect(window.samples()).toEqual(expected[at]);
          for (const window of windows) window.release();
          expect(pool.taken).toBe(0);
        },
      ),
    );
  });
});

/** Samples of one window that make a pool grow by a slab. */
const SLAB_SAMPLES = TREND_SLAB_BLOCKS * TREND_BLOCK_SAMPLES;

describe('what a pool has memory for', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ takes: fc.integer({ min: 1, max: 3 * TREND_SLAB_BLOCKS }) }),
      fc.record({ gives: fc.integer({ min: 1, max: 4 * TREND_SLAB_BLOCKS }), from: fc.nat() }),
      fc.constant('rest' as const),
    ),
    { maxLength: 30 },
  );

  it('is whoever took it to have, whatever comes and goes', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const pool = new SamplePool();
        const marks = new Map<number, number>();
        let next = 1;
        for (const step of all)
          if (step === 'rest') pool.rest();
          else if ('takes' in step)
            for (let left = step.takes; left > 0; left -= 1) {
              const block = pool.take();
              expect(marks.has(block)).toBe(false);
              pool.slabOf(block).values[baseOf(block)] = next;
              marks.set(block, next);
              next += 1;
            }
          else {
            const held = [...marks.keys()];
            const from = held.length === 0 ? 0 : step.from % held.length;
            for (const block of held.slice(from, from + step.gives)) {
              pool.give(block);
              marks.delete(block);
            }
          }
        expect(pool.taken).toBe(marks.size);
        expect(pool.room).toBeGreaterThanOrEqual(marks.size);
        for (const [block, mark] of marks)
          expect(pool.slabOf(block).values[baseOf(block)]).toBe(mark);
      }),
      { numRuns: 50 },
    );
  });

  it('stays while each minute needs as much, and goes when a backlog is over', () => {
    const pool = new SamplePool();
    const minute = (blocks: number): number => {
      const all = Array.from({ length: blocks }, () => pool.take());
      pool.rest();
      for (const block of all) pool.give(block);
      return pool.room / TREND_SLAB_BLOCKS;
    };
    const usual = 8 * TREND_SLAB_BLOCKS;
    expect([usual, usual - 500, usual - 900, usual].map(minute)).toEqual([8, 8, 8, 8]);
    expect(minute(100 * TREND_SLAB_BLOCKS)).toBe(100);
    expect([usual, usual, usual].map(minute).at(-1)).toBe(9);
  });

  it('is given back by a store some minutes after it held much', () => {
    const store = new TrendStore();
    const minute = (at: number, series: number): void => {
      const start = START + at * TREND_WINDOW_MS;
      store.receive(start);
      for (let place = 0; place < series; place += 1)
        for (let time = start; time < start + TREND_WINDOW_MS; time += 20)
          store.append(place, time, 1, 0);
      for (const leaving of store.takeEnded(start + TREND_WINDOW_MS)) store.written(leaving);
    };
    minute(0, 200);
    expect(store.room).toBeGreaterThan(200 * 3_000);
    for (let at = 1; at < 5; at += 1) minute(at, 1);
    expect(store.held).toBe(0);
    expect(store.room).toBe(SLAB_SAMPLES);
  });
});

describe('the store', () => {
  it('gives out, in memory and on the way to disk together, exactly what it took', () => {
    fc.assert(
      fc.property(rows, fc.array(fc.nat(10), { maxLength: 3 }), (all, cuts) => {
        const store = new TrendStore();
        store.receive(NOW);
        const disk = new Map<number, Chunk>();
        for (const [at, { time, value, quality }] of all.entries()) {
          expect(store.append(0, time, value, quality)).toBeLessThanOrEqual(VERDICT.behind);
          if (!cuts.includes(at % 11)) continue;
          for (const leaving of store.takeEnded(START + 3 * TREND_WINDOW_MS)) {
            const { start } = leaving.window;
            const chunk = leaving.window.chunk();
            expect(store.chunk(0, start)).toBeDefined();
            const before = disk.get(start);
            disk.set(start, before === undefined ? chunk : joinChunks(before, chunk));
            store.written(leaving);
          }
        }
        for (const start of store.windows(0)) {
          const chunk = store.chunk(0, start);
          const before = disk.get(start);
          if (chunk !== undefined)
            disk.set(start, before === undefined ? chunk : joinChunks(before, chunk));
        }
        const held = [...disk.values()].reduce(
          (sum, chunk) => join(sum, chunk.samples),
          NO_SAMPLES,
        );
        expect(held).toEqual(all.reduce((sum, row) => join(sum, samplesOf([row])), NO_SAMPLES));
      }),
    );
  });

  it('knows the latest by device time, however late the others come', () => {
    fc.assert(
      fc.property(
        rows.filter((all) => all.length > 0),
        (all) => {
          const latest = storeOf(all).latest(0);
          expect(latest?.time).toBe(Math.max(...all.map((row) => row.time)));
          expect(latest?.receivedAt).toBe(NOW);
        },
      ),
    );
  });

  it('tells what became of each sample', () => {
    const store = storeOf([]);
    expect(store.append(0, NOW, 1, 0)).toBe(VERDICT.inOrder);
    expect(store.append(0, NOW, 1, 0)).toBe(VERDICT.behind);
    expect(store.append(0, NOW - 3_600_000, 1, 0)).toBe(VERDICT.behind);
    expect(store.append(0, NOW - TREND_RAW_MS_MAX - 1, 1, 0)).toBe(VERDICT.tooOld);
    expect(store.append(0, NOW + TREND_FUTURE_MS_MAX + 1, 1, 0)).toBe(VERDICT.tooNew);
  });

  it('keeps how much later than its time a sample was received, least and most', () => {
    const store = new TrendStore();
    store.receive(START + 40);
    store.append(0, START + 10, 1, 0);
    store.receive(START + 15);
    store.append(0, START + 20, 1, 0);
    expect(store.chunk(0, START)?.delays).toEqual({ minMs: -5, maxMs: 30 });
  });

  it('counts what it holds, and forgets what was written', () => {
    const store = storeOf([{ time: START, value: 1, quality: 0 }]);
    expect(store.held).toBe(1);
    for (const leaving of store.takeEnded(NOW)) store.written(leaving);
    expect(store.held).toBe(0);
    expect(store.chunk(0, START)).toBeUndefined();
  });

  it('has as much room as before when all was written, also where samples came twice', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const store = storeOf([...all, ...all]);
        for (const start of store.windows(0)) store.chunk(0, start);
        for (const leaving of store.takeEnded(Infinity)) store.written(leaving);
        expect(store.held).toBe(0);
      }),
    );
  });
});
