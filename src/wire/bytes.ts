import { assertWhole } from '../base/assert.ts';

/**
 * Little-endian integers in a byte array, without a DataView per read. 64-bit fields hold safe
 * integers only.
 */

export const readU16 = (b: Uint8Array, at: number): number =>
  (b[at] as number) | ((b[at + 1] as number) << 8);

export const readU32 = (b: Uint8Array, at: number): number =>
  ((b[at] as number) |
    ((b[at + 1] as number) << 8) |
    ((b[at + 2] as number) << 16) |
    ((b[at + 3] as number) << 24)) >>>
  0;

/** The value, or NaN when it is above 2⁵³−1. */
export function readU64(b: Uint8Array, at: number): number {
  const high = readU32(b, at + 4);
  return high > 0x1fffff ? Number.NaN : high * 2 ** 32 + readU32(b, at);
}

export function writeU16(b: Uint8Array, at: number, value: number): void {
  b[at] = value;
  b[at + 1] = value >>> 8;
}

export function writeU32(b: Uint8Array, at: number, value: number): void {
  b[at] = value;
  b[at + 1] = value >>> 8;
  b[at + 2] = value >>> 16;
  b[at + 3] = value >>> 24;
}

export function writeU64(b: Uint8Array, at: number, value: number): void {
  assertWhole(value, 'what is written');
  writeU32(b, at, value >>> 0);
  writeU32(b, at + 4, Math.floor(value / 2 ** 32));
}

/** Big-endian, as MessagePack writes its lengths. */
export const readU32Big = (b: Uint8Array, at: number): number =>
  (((b[at] as number) << 24) |
    ((b[at + 1] as number) << 16) |
    ((b[at + 2] as number) << 8) |
    (b[at + 3] as number)) >>>
  0;
