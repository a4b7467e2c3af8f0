import fc from 'fast-check';
import { expect } from 'vitest';
import { codeOf, copyOf } from './helpers.ts';

/** A place in some bytes, and what stands there afterwards. */
export const change: fc.Arbitrary<[number, number]> = fc.tuple(
  fc.nat(),
  fc.integer({ min: 0, max: 255 }),
);

/** Whatever becomes of the bytes, `decode` returns or throws BODY_MALFORMED. */
export function survives(
  body: Uint8Array,
  decode: (body: Uint8Array) => unknown,
  changes: [number, number][],
): void {
  const bytes = copyOf(body);
  for (const [at, byte] of changes) bytes[at % bytes.byteLength] = byte;
  expect(['no error', 'BODY_MALFORMED']).toContain(codeOf(() => decode(bytes)));
  const short = bytes.subarray(0, (changes[0]?.[0] ?? 0) % bytes.byteLength);
  expect(['no error', 'BODY_MALFORMED']).toContain(codeOf(() => decode(short)));
}
