import { crc32 } from 'node:zlib';
import { readU32, writeU32 } from '../wire/bytes.ts';

/**
 * The frame of a small record that stands by itself: magic number, version, length of the body and CRC-32 (of everything
 * else), each 4 bytes, then the body. It stays the same in all versions, so that an old program can tell what is newer
 * from what is damaged.
 */
export const SEAL_HEADER_BYTES = 16;

export interface Unsealed {
  readonly version: number;
  readonly body: Uint8Array;
}

export function seal(magic: number, version: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(SEAL_HEADER_BYTES + body.byteLength);
  bytes.set(body, SEAL_HEADER_BYTES);
  writeU32(bytes, 0, magic);
  writeU32(bytes, 4, version);
  writeU32(bytes, 8, body.byteLength);
  writeU32(bytes, 12, checksumOf(bytes));
  return bytes;
}

/** How long the record is that begins so, its header included; undefined = these are too few bytes to tell. */
export const sealedBytes = (header: Uint8Array): number | undefined =>
  header.byteLength < SEAL_HEADER_BYTES ? undefined : SEAL_HEADER_BYTES + readU32(header, 8);

/** The record that fills `bytes`, or what is wrong with it. */
export function unseal(magic: number, bytes: Uint8Array): Unsealed | string {
  if (bytes.byteLength < SEAL_HEADER_BYTES) return `only ${bytes.byteLength} bytes`;
  if (readU32(bytes, 0) !== magic) return 'wrong magic number';
  if (readU32(bytes, 8) !== bytes.byteLength - SEAL_HEADER_BYTES) return 'wrong length';
  if (readU32(bytes, 12) !== checksumOf(bytes)) return 'wrong checksum';
  return { version: readU32(bytes, 4), body: bytes.subarray(SEAL_HEADER_BYTES) };
}

/** Of all but the checksum's own place. */
const checksumOf = (bytes: Uint8Array): number =>
  crc32(bytes.subarray(SEAL_HEADER_BYTES), crc32(bytes.subarray(0, 12)));
