import { expect, test } from 'vitest';
import {
  decodeRepairAnswer,
  encodeRepairAnswer,
  type RepairAnswer,
} from '../../src/wire/peers/bulk-messages.ts';
import { codeOf, join } from './helpers.ts';

/** What a peer says of entries that were lost (FORMAT.md, "Bulk lane"). */

const SAID: readonly [number, Exclude<RepairAnswer['found'], 'entries'>][] = [
  [1, 'absent'],
  [2, 'damaged'],
  [3, 'compacted'],
  [4, 'unsure'],
];

test.each(SAID)('that there are no such entries is said by the number %i: %s', (code, found) => {
  expect([...join(encodeRepairAnswer({ found }))]).toEqual([code]);
  expect(decodeRepairAnswer(Uint8Array.of(code))).toEqual({ found });
});

test('an answer of a later version, whatever follows it, leaves open who has the entries', () => {
  for (let code = SAID.length + 1; code < 256; code += 1)
    for (const more of [[], [1, 2, 3]])
      expect(decodeRepairAnswer(Uint8Array.of(code, ...more))).toEqual({ found: 'unsure' });
});

test('no answer, entries without any, and known answers with something behind them are malformed', () => {
  const bodies = [[], [0], [0, 7], ...SAID.map(([code]) => [code, 0])];
  for (const body of bodies)
    expect(codeOf(() => decodeRepairAnswer(Uint8Array.from(body)))).toBe('BODY_MALFORMED');
});
