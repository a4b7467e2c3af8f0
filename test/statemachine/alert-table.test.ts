import { expect, test } from 'vitest';
import { AlertTable } from '../../src/statemachine/alerts/alert-table.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import { Bench, clear, raise } from './commands.ts';

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
