import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AlertTable } from '../../src/statemachine/alerts/alert-table.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import { Bench, clear, raise } from './commands.ts';
import { packed } from './packing.ts';

const bench = new Bench();
bench.done(raise());
const over = bench.alert(bench.done(clear()));
const first: Alert = { ...over, resolution: undefined };
const second: Alert = { ...first, text: 'second' };

function tableWith(opened: Alert): AlertTable {
  const table = new AlertTable({ resolvedAlertsMax: 10, dedupKeysRememberedMax: 1 }, { seed: 1 });
  table.open(opened, 0);
  return table;
}

test.each([
  ['goes on', { ...first, text: 'third' }],
  ['is over', { ...over, text: 'third' }],
])('an alert that %s follows from the newest record, never from an older one', (_, third) => {
  const table = tableWith(first);
  table.replace(first, second);
  expect(() => table.replace(first, third)).toThrow('A1 has changed since');
  const other = tableWith(first);
  other.replace(first, second);
  other.replace(second, third);
  expect(other.find({ id: 'A1' })).toBe(third);
});

test('a resolved alert is corrected from its newest record, never from an older one', () => {
  const table = tableWith(first);
  table.replace(first, over);
  const corrected = { ...over, text: 'corrected' };
  expect(() => table.correct(first, corrected)).toThrow('A1 has changed since');
  table.correct(over, corrected);
  expect(table.find({ id: 'A1' })).toBe(corrected);
});

test('an alert is replaced by no other alert', () => {
  expect(() => tableWith(first).replace(first, { ...first, id: 'A2' })).toThrow('A2 replaces A1');
});

/** What happens to a table, step by step: which of its alerts, and what of it. */
const steps = fc.array(
  fc.record({
    does: fc.constantFrom('open', 'open', 'change', 'resolve', 'correct'),
    which: fc.nat(),
    length: fc.oneof(fc.nat(60), fc.nat(900)),
    count: fc.nat(12),
  }),
  { maxLength: 60 },
);

test('a table of few objects and small slabs holds what a map would, whatever moves beside what', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 6 }), (all, unpackedMax) => {
      const limits = { resolvedAlertsMax: 7, dedupKeysRememberedMax: 7 };
      const table = new AlertTable(limits, packed(1, unpackedMax, 1_024));
      const dropped: string[] = [];
      table.onDropped = ({ id }) => dropped.push(id);
      const open = new Map<number, Alert>();
      const resolved = new Map<number, Alert>();
      let newest = 0;
      const among = (map: Map<number, Alert>, which: number): Alert | undefined =>
        [...map.values()][which % Math.max(1, map.size)];
      for (const { does, which, length, count } of all)
        for (let turn = 0; turn <= count; turn += 1) {
          newest += 1;
          const revision = newest as Alert['revision'];
          const text = `${newest}`.padEnd(length + 1, 'x');
          const here = among(does === 'correct' ? resolved : open, which + turn * 7);
          if (does === 'open') {
            const alert = {
              ...first,
              id: `A${newest}`,
              dedupKey: `k${newest}`,
              text,
              revision,
            } as const;
            table.open(alert, newest);
            open.set(newest, alert);
          } else if (here !== undefined) {
            const number = Number(here.id.slice(1));
            const before = table.find({ id: here.id }) ?? here;
            const after = { ...before, text, revision };
            if (does === 'correct') {
              table.correct(before, after);
              resolved.set(number, after);
            } else if (does === 'change') {
              table.replace(before, after);
              open.set(number, after);
            } else {
              const over = {
                ...after,
                resolution: { how: 'auto', by: 'x', at: first.raisedAt },
              } as const;
              table.replace(before, over);
              open.delete(number);
              resolved.set(number, over);
              const oldest = [...resolved.keys()][0] ?? 0;
              if (resolved.size > limits.resolvedAlertsMax) resolved.delete(oldest);
            }
          }
        }
      for (const map of [open, resolved])
        for (const [number, alert] of map) expect(table.find({ id: `A${number}` })).toEqual(alert);
      for (const { dedupKey, id } of open.values()) expect(table.openUnder(dedupKey)?.id).toBe(id);
      expect([table.openCount, table.resolvedCount]).toEqual([open.size, resolved.size]);
      expect(new Set(dropped).size).toBe(dropped.length);
    }),
    { numRuns: 400 },
  );
});
