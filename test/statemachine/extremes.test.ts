import { expect, test } from 'vitest';
import { revision, unixMillis } from '../../src/base/ids.ts';
import { parseCommand } from '../../src/wire/commands/parse.ts';
import { AlertPacker } from '../../src/wire/log/alert-packer.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import { Bench, raise } from './commands.ts';

const trip = (alert: Alert) => {
  const p = new AlertPacker();
  const n = p.encode(alert);
  const padded = new Uint8Array(n + 10); padded.set(p.encoded.subarray(0, n), 5);
  const back = p.decode(padded, 5, 5 + n);
  expect(back).toStrictEqual(alert);
  expect(JSON.stringify(back)).toBe(JSON.stringify(alert));
  expect(Object.keys(back)).toEqual(Object.keys(alert));
  expect(p.dedupKeyOf(padded, 5, 5 + n)).toBe(alert.dedupKey);
};
const MAX = 8_640_000_000_000_000;
const astral = '\u{1F6D1}';
test('extremes', () => {
  const labels: Record<string, string> = {};
  for (let i = 0; i < 32; i += 1) labels[`${i % 2 ? '\u00e9' : astral.slice(0, 0)}${i}`.padEnd(128, '\uffff')] = i % 3 ? '' : '\uffff'.repeat(128);
  for (const l of [labels, { 7: 'a', b: '', 3: 'c', toString: 'x', hasOwnProperty: 'y', valueOf: '' }, {}])
    for (const text of ['', astral.repeat(512), '\uffff'.repeat(1024), 'a\tb\nc', '\ufeffx', 'x'.repeat(1024), '\u0800'.repeat(1024), '\u200e'])
      for (const value of [-0.5, 5e-324, 1.7976931348623157e308, null, -1, 0, 2 ** 53])
        for (const observedAt of [0, 1, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32, 2 ** 40, MAX]) {
          const bench = new Bench();
          const cmd = parseCommand('raise', { ...raise(), text, labels: l, observedAt, actor: '\ufeff' + 'a', dedupKey: '\uffff'.repeat(255), condition: '\uffff'.repeat(128), cause: { metric: '\ufeff', value, limit: 0, unit: '\u00a0', rule: 'r' },
            subject: { device: '__proto__', unit: 'constructor', bed: '\uffff'.repeat(128) } });
          const a = bench.alert(bench.done(cmd as never));
          trip(a);
          for (const r of [2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32, 2 ** 35, 2 ** 40, 2 ** 49, Number.MAX_SAFE_INTEGER])
            trip({ ...a, id: `A${r}`, previous: `A${r}`, activatedAt: revision(r), revision: revision(r), count: r, version: r, occurrence: r, flaps: r });
          if (value !== null) break;
        }
  const bench = new Bench();
  const a = bench.alert(bench.done(raise()));
  const at = unixMillis(MAX);
  trip({ ...a, activation: 2 ** 32 - 1, acknowledgements: Array.from({ length: 32 }, (_, i) => ({ by: '\uffff'.repeat(128), at, activation: 2 ** 32 - 1, ...(i % 2 ? { note: i % 3 ? '' : astral.repeat(512) } : {}) })) });
  trip({ ...a, responsibility: { state: 'offered', to: Array.from({ length: 10 }, () => '\uffff'.repeat(128)), at } });
  trip({ ...a, responsibility: { state: 'offered', to: [], at } });
  for (const how of ['auto', 'acknowledged', 'manual', 'discharged', 'entered-in-error'] as const)
    trip({ ...a, resolution: { how, by: 'x', at, reason: '', confirmedBy: 'y' } });
  trip({ ...a, escalation: { policy: 'p', version: 2 ** 50, loop: 2 ** 40, step: 3, dueAt: undefined, exhausted: true }, staleSince: at, pausedUntil: at, acknowledgedUntil: at, clearedAt: at, acknowledgementSeconds: 86400 });
});
for (const [name, bad] of Object.entries({ proto: { labels: JSON.parse('{"__proto__":"x"}') }, lone: { text: '\ud800' }, lone2: { condition: 'a\udc00' }, del: { text: 'a\x7f' }, del2: { dedupKey: 'a\x7f' }, nul: { text: '\0' }, neg: { observedAt: -1 }, big: { observedAt: MAX + 1 }, c1: { text: '\u0085' } }))
  test(`refused: ${name}`, () => { expect(() => parseCommand('raise', { ...raise(), ...bad })).toThrow(/must|cannot/); });
