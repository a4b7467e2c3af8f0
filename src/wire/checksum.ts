import { crc32 } from 'node:zlib';

/**
 * CRC-32 (ISO 3309, as in gzip). Below this many bytes a call into native code costs more than the
 * sum itself.
 */
const NATIVE_BYTES_MIN = 80;

const TABLE: Int32Array = new Int32Array(256).map((_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit += 1) sum = (sum & 1) === 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  return sum;
});

/** CRC-32 of the bytes `start` … `end`, continuing `before`. */
export function checksum(bytes: Uint8Array, start: number, end: number, before = 0): number {
  const length = end - start;
  // A piece of a buffer is an object of its own, dearer than the sum of a short text.
  if (length >= NATIVE_BYTES_MIN)
    return crc32(length === bytes.byteLength ? bytes : bytes.subarray(start, end), before);
  let sum = ~before;
  for (let i = start; i < end; i += 1)
    sum = (TABLE[(sum ^ (bytes[i] as number)) & 0xff] as number) ^ (sum >>> 8);
  return ~sum >>> 0;
}
