import { expect, test } from 'vitest';
import { AlertTable } from '../../src/statemachine/alerts/alert-table.ts';
import type { Alert } from '../../src/statemachine/types.ts';

/** As much of an alert as the table looks at. */
const alertOf = (text: string, resolution?: object, number = 1): Alert =>
  ({
    id: `A${number}`,
    dedupKey: 'HR:HI',
    text,
    labels: {},
    acknowledgements: [],
    subject: {},
    resolution,
  }) as unknown as Alert;

const OVER = { how: 'auto' };
const first = alertOf('first');
const second = alertOf('second');

function tableWith(opened: Alert): AlertTable {
  const table = new AlertTable({ resolvedAlertsMax: 10, dedupKeysRememberedMax: 1 }, 1);
  table.open(opened, 0);
  return table;
}

test.each([
  ['goes on', alertOf('third')],
  ['is over', alertOf('third', OVER)],
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
  const over = alertOf('over', OVER);
  const table = tableWith(first);
  table.replace(first, over);
  const corrected = alertOf('corrected', OVER);
  expect(() => table.correct(first, corrected)).toThrow('A1 has changed since');
  table.correct(over, corrected);
  expect(table.find({ id: 'A1' })).toBe(corrected);
});

test('an alert is replaced by no other alert', () => {
  expect(() => tableWith(first).replace(first, alertOf('other', undefined, 2))).toThrow(
    'A2 replaces A1',
  );
});
