import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Alert, Glance } from '../../src/statemachine/types.ts';
import { AlertPacker } from '../../src/wire/log/alert-packer.ts';
import { RecentTexts } from '../../src/wire/log/recent-texts.ts';
import { alert } from './arbitraries.ts';

const glanceOf = (one: Alert): Glance => {
  const { id, kind, priority, activatedAt, condition, subject, presence } = one;
  const { acknowledged, latching, revision } = one;
  return {
    id,
    kind,
    priority,
    activatedAt,
    condition,
    subject,
    presence,
    acknowledged,
    latching,
    staleSince: one.staleSince === undefined ? undefined : true,
    resolution: one.resolution === undefined ? undefined : true,
    revision,
  };
};

/** Each in bytes of its own, between others, and where it lies in them. */
function written(packer: AlertPacker, alerts: readonly Alert[]) {
  const parts = alerts.map((one) => Buffer.from(packer.encoded.subarray(0, packer.encode(one))));
  return alerts.map((one, at) => {
    const from = parts.slice(0, at).reduce((sum, { length }) => sum + length, 0);
    return { one, bytes: Buffer.concat(parts), from, to: from + (parts[at]?.length ?? 0) };
  });
}

test('an alert comes back as it was, out of the midst of others, and so do its dedup key and what a look wants alone', () => {
  fc.assert(
    fc.property(fc.array(alert, { minLength: 1, maxLength: 8 }), (alerts) => {
      const packer = new AlertPacker();
      const all = written(packer, alerts);
      // What was read before, there or elsewhere, does not show.
      for (const { one, bytes, from, to } of [...all, ...all.toReversed()]) {
        expect(packer.glanceAt(bytes, from, to)).toEqual(glanceOf(one));
        expect(packer.decode(bytes, from, to)).toEqual(one);
        expect(packer.dedupKeyOf(bytes, from, to)).toBe(one.dedupKey);
      }
    }),
  );
});

test('a text that recurs is the same, and one that shares its place with another is its own', () => {
  const texts = new RecentTexts();
  const ascii = fc.string({ unit: fc.constantFrom('A', 'B', 'a', '1', ':'), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(ascii, { maxLength: 50 }), ascii, (all, before) => {
      const from = before.length;
      for (const text of all) {
        const bytes = Buffer.from(`${before}${text}${before}`);
        expect(texts.of(bytes, from, from + text.length)).toBe(text);
      }
    }),
  );
});
