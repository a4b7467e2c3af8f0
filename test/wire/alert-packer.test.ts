import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AlertPacker } from '../../src/wire/log/alert-packer.ts';
import { alert } from './arbitraries.ts';

test('an alert comes back as it was, out of the midst of others, and so does its dedup key alone', () => {
  fc.assert(
    fc.property(fc.array(alert, { minLength: 1, maxLength: 8 }), (alerts) => {
      const packer = new AlertPacker();
      const bytes = Buffer.concat(
        alerts.map((one) => Buffer.from(packer.encoded.subarray(0, packer.encode(one)))),
      );
      const ends: number[] = [];
      for (const one of alerts) ends.push((ends.at(-1) ?? 0) + packer.encode(one));
      for (const [at, one] of alerts.entries()) {
        const [from, to] = [ends[at - 1] ?? 0, ends[at] ?? 0];
        expect(packer.decode(bytes, from, to)).toEqual(one);
        expect(packer.dedupKeyOf(bytes, from, to)).toBe(one.dedupKey);
      }
    }),
  );
});
