import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex } from '../../src/base/ids.ts';
import { findDamage, RunCollector, repaired } from '../../src/storage/log/log-damage.ts';
import { withRange } from '../../src/storage/log/log-repair.ts';
import type { DamagedRange } from '../../src/storage/types.ts';
import { type EntryRecord, recordOf } from '../../src/wire/log/record.ts';
import { batches, emptyLogEnd } from './entries.ts';

const LENGTH = 12;

/** A log of entries 1 … LENGTH that is the same as any other up to entry `until`, and then another. */
function logOf(kind: number, until: number): EntryRecord[] {
  const bodies = Array.from({ length: LENGTH }, (_, at) => [
    Uint8Array.of(at, at < until ? 0 : kind),
  ]);
  return batches(bodies).map(recordOf);
}

const RIGHT = logOf(0, LENGTH);
const FORKS = [2, 5, 8].map((until) => logOf(until, until));

/** What stands in the place of an entry: itself, nothing, or one that was cut once and has come back. */
const places = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant('right' as const) },
    { weight: 2, arbitrary: fc.constant('gone' as const) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 2) },
  ),
  { minLength: LENGTH, maxLength: LENGTH },
);

type Disk = Map<number, EntryRecord>;

function diskOf(kinds: readonly ('right' | 'gone' | number)[]): Disk {
  const disk: Disk = new Map();
  for (const [at, kind] of kinds.entries()) {
    const log = typeof kind === 'number' ? FORKS[kind] : RIGHT;
    if (kind !== 'gone') disk.set(at + 1, log![at]!);
  }
  return disk;
}

function damageOn(disk: Disk, base: number): DamagedRange[] | undefined {
  const runs = new RunCollector([LENGTH, base]);
  for (let index = base + 1; index <= LENGTH; index += 1) {
    const record = disk.get(index);
    if (record !== undefined) runs.add(record);
  }
  const chainAt = (index: number): number => RIGHT[index - 1]?.chain ?? emptyLogEnd.chain;
  const place = (index: number) => ({ index: logIndex(index), chain: chainAt(index) });
  return findDamage(runs, place(base), place(LENGTH));
}

const isRight = (disk: Disk, index: number): boolean =>
  disk.get(index)?.chain === RIGHT[index - 1]!.chain;

test('whatever is gone or was cut once, the last range says what its last entry must be, and repaired from there all are right', () => {
  fc.assert(
    fc.property(
      places,
      fc.integer({ min: 0, max: LENGTH - 1 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: LENGTH, maxLength: LENGTH }),
      (kinds, base, sizes) => {
        const disk = diskOf(kinds);
        let ranges = damageOn(disk, base)!;
        for (const { from, to } of ranges) expect(from).toBeLessThanOrEqual(to);
        for (const size of sizes) {
          const [range] = ranges;
          if (range === undefined) break;
          expect(range.chainAfter).toBe(RIGHT[range.to - 1]!.chain);
          const from = Math.max(range.from, range.to - size + 1);
          for (let index = from; index <= range.to; index += 1) disk.set(index, RIGHT[index - 1]!);
          const before = from - 1 === base ? (RIGHT[base - 1] ?? emptyLogEnd) : disk.get(from - 1);
          ranges = repaired(ranges, logIndex(from), RIGHT[from - 1]!.previousChain, before?.chain);
        }
        expect(ranges).toEqual([]);
        for (let index = base + 1; index <= LENGTH; index += 1)
          expect(isRight(disk, index)).toBe(true);
      },
    ),
  );
});

test('of a log that is as it was nothing is damaged, and of one that lacks one entry that one alone', () => {
  const whole = diskOf(RIGHT.map(() => 'right'));
  for (let base = 0; base < LENGTH; base += 1) {
    expect(damageOn(whole, base)).toEqual([]);
    for (let lost = base + 1; lost <= LENGTH; lost += 1) {
      const disk = new Map(whole);
      disk.delete(lost);
      const chainAfter = RIGHT[lost - 1]!.chain;
      expect(damageOn(disk, base)).toEqual([{ from: lost, to: lost, chainAfter }]);
    }
  }
});

test('ranges that are found one after another are told as those of all that is lost, the last first, each once', () => {
  const found = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 5 }));
  fc.assert(
    fc.property(fc.array(found, { minLength: 1, maxLength: 8 }), (lost) => {
      const all = new Set<number>();
      let damage: ReturnType<typeof withRange> | undefined;
      for (const [from, more] of lost) {
        const to = from + more;
        for (let index = from; index <= to; index += 1) all.add(index);
        // The hash that entry `to` must have.
        damage = withRange(damage, {
          from: logIndex(from),
          to: logIndex(to),
          chainAfter: to * 1_000,
        });
      }
      const told: number[] = [];
      for (const { from, to, chainAfter } of damage!.ranges) {
        expect(chainAfter).toBe(to * 1_000);
        for (let index = to as number; index >= from; index -= 1) told.push(index);
      }
      expect(told).toEqual([...all].sort((a, b) => b - a));
    }),
  );
});
