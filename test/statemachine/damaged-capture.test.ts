import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import type { AlertMachine } from '../../src/statemachine/machine.ts';
import type { SnapshotItem } from '../../src/statemachine/snapshot/capture.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import { ReferenceModel } from './reference-model.ts';
import { play, SMALL_LIMITS, story, write } from './stories.ts';

/** States full of records of every kind, as the stories of the model leave them. */

const machineOf = (steps: Parameters<typeof write>[0]): AlertMachine =>
  play(write(steps, new ReferenceModel(SMALL_LIMITS))).machine;

/** Undefined = restored; else the code. Anything but a code is a bug. */
function codeOf(items: readonly SnapshotItem[]): string | undefined {
  const restorer = new MachineRestorer(SMALL_LIMITS);
  try {
    for (const item of items) restorer.add(item);
    restorer.finish();
    return undefined;
  } catch (error) {
    if (TocsinError.is(error)) return error.code;
    throw error;
  }
}

test('a capture that lacks any one item, or holds it twice, or two in the wrong order, is refused', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(story, fc.nat(), (steps, dice) => {
      const items = [...machineOf(steps).capture().items()];
      for (const { kind } of items) seen.add(kind);
      expect(codeOf(items)).toBeUndefined();
      const at = dice % items.length;
      const twice = items.toSpliced(at, 0, items[at] as SnapshotItem);
      expect(codeOf(items.toSpliced(at, 1)), `without ${at}`).toBe('DATA_CORRUPT');
      expect(codeOf(twice), `${at} twice`).toBe('DATA_CORRUPT');
      const before = items[at - 1];
      if (before !== undefined && before.kind !== items[at]?.kind)
        expect(codeOf(items.toSpliced(at - 1, 2, items[at] as SnapshotItem, before))).toBe(
          'DATA_CORRUPT',
        );
    }),
    { numRuns: 400 },
  );
  expect(seen.size, [...seen].join()).toBeGreaterThan(6);
});

test('records of every kind are looked through page by page, each once and in order, whatever the page', () => {
  const kinds = [
    'policy',
    'notification',
    'silence',
    'window',
    'source',
    'incident',
    'rule',
    'schedule',
    'session',
    'bed',
  ] as const;
  const counts = new Map<string, number>();
  fc.assert(
    fc.property(story, fc.integer({ min: 1, max: 5 }), (steps, countMax) => {
      const machine = machineOf(steps);
      for (const kind of kinds) {
        const whole = machine.records(kind, 0, 1_000);
        expect(whole.next).toBeUndefined();
        const found: unknown[] = [];
        for (let after: number | undefined = 0; after !== undefined; ) {
          const page: { records: readonly unknown[]; next: number | undefined } = machine.records(
            kind,
            after,
            countMax,
          );
          expect(page.records.length).toBeLessThanOrEqual(countMax);
          found.push(...page.records);
          after = page.next;
        }
        expect(found).toEqual(whole.records);
        counts.set(kind, (counts.get(kind) ?? 0) + found.length);
      }
    }),
    // Always the same stories, of which it is known that they hold some of every kind.
    { numRuns: 150, seed: 20_261_126 },
  );
  for (const kind of kinds) expect(counts.get(kind), kind).toBeGreaterThan(0);
});
