import { isUtf8 } from 'node:buffer';
import { TocsinError } from '../../base/errors.ts';
import { BODY_DEPTH_MAX, BODY_ITEMS_MAX, BODY_MAP_KEYS_MAX } from '../../base/limits.ts';
import { readU32Big } from '../bytes.ts';

/**
 * The look over a MessagePack body before it is decoded: one pass, no recursion, no allocation.
 * What passes is a single value of a JSON-like shape, bounded in depth and count, whose maps have
 * distinct text keys that cannot touch a prototype. Everything else is refused here, so that the
 * decoder behind never meets it.
 */

/**
 * Open containers, innermost last: values still to come, and for a map where its keys are noted.
 */
const pending = new Int32Array(BODY_DEPTH_MAX + 1);
/** Next key to note; -1 = the container is an array. */
const keyEnd = new Int32Array(BODY_DEPTH_MAX + 1);
const keyAt = new Int32Array((BODY_DEPTH_MAX + 1) * BODY_MAP_KEYS_MAX);
const keyLength = new Int32Array((BODY_DEPTH_MAX + 1) * BODY_MAP_KEYS_MAX);
/** Which hashes modulo 32 occurred among the keys of a map: most keys need no comparison. */
const keyBits = new Int32Array(BODY_DEPTH_MAX + 1);

/** Longer texts are handed to the native check; below, the call costs more than the loop. */
const NATIVE_UTF8_BYTES_MIN = 96;

const FORBIDDEN_KEYS: readonly Uint8Array[] = ['__proto__', 'constructor', 'prototype'].map((key) =>
  Buffer.from(key),
);

function fail(what: string, at: number): never {
  throw new TocsinError('BODY_MALFORMED', `${what} at byte ${at}`);
}

/**
 * Passes if the bytes `start` … `end` are exactly one well-formed value.
 * @throws TocsinError BODY_MALFORMED with the offset, counted from `start`
 */
export function scanBody(b: Uint8Array, start: number, end: number): void {
  let at = start;
  let depth = 0;
  let items = 0;
  pending[0] = 1;
  keyEnd[0] = -1;
  for (;;) {
    while (pending[depth] === 0) {
      if (depth === 0) {
        if (at !== end) fail(`${end - at} bytes too many`, at - start);
        return;
      }
      depth -= 1;
    }
    if (at >= end) fail('ends too early', at - start);
    pending[depth] = (pending[depth] as number) - 1;
    if ((keyEnd[depth] as number) >= 0) at = scanKey(b, at, end, start, depth);
    if (at >= end) fail('ends too early', at - start);

    const token = b[at] as number;
    if (token < 0x80 || token >= 0xe0) {
      at += 1;
      continue;
    }
    if (token >= 0xa0 && token < 0xc0) {
      at = scanText(b, at + 1, token & 0x1f, end, start);
      continue;
    }
    if (token >= 0xc0 && token < 0xdc) {
      at = scanScalar(b, at, token, end, start);
      continue;
    }
    // An array or a map.
    let count = token & 0x0f;
    let headerLength = 1;
    if (token >= 0xdc) {
      headerLength = (token & 1) === 0 ? 3 : 5;
      if (at + headerLength > end) fail('ends too early', end - start);
      count =
        headerLength === 3
          ? ((b[at + 1] as number) << 8) | (b[at + 2] as number)
          : readU32Big(b, at + 1);
    }
    const isMap = token < 0x90 || token >= 0xde;
    items += isMap ? 2 * count : count;
    if (isMap && count > BODY_MAP_KEYS_MAX) fail(`map of ${count} keys`, at - start);
    if ((isMap ? 2 * count : count) > end - at - headerLength)
      fail(`${count} items announced, too few bytes`, at - start);
    if (items > BODY_ITEMS_MAX) fail(`more than ${BODY_ITEMS_MAX} items`, at - start);
    if (depth === BODY_DEPTH_MAX) fail(`nested deeper than ${BODY_DEPTH_MAX}`, at - start);
    at += headerLength;
    depth += 1;
    pending[depth] = count;
    keyEnd[depth] = isMap ? depth * BODY_MAP_KEYS_MAX : -1;
    keyBits[depth] = 0;
  }
}

/**
 * nil, booleans, numbers and the longer texts; everything else between 0xc0 and 0xdb is refused.
 */
function scanScalar(b: Uint8Array, at: number, token: number, end: number, start: number): number {
  const after = at + 1 + (SCALAR_BYTES[token - 0xc0] as number);
  if (after <= at) fail(`type 0x${token.toString(16)} is not allowed`, at - start);
  if (after > end) fail('ends too early', end - start);
  switch (token) {
    case 0xca:
      if (((b[at + 1] as number) & 0x7f) === 0x7f && (b[at + 2] as number) >= 0x80)
        fail('not a finite number', at - start);
      if (readU32Big(b, at + 1) === 0x80000000) fail('negative zero', at - start);
      return after;
    case 0xcb:
      if (((b[at + 1] as number) & 0x7f) === 0x7f && (b[at + 2] as number) >= 0xf0)
        fail('not a finite number', at - start);
      if (readU32Big(b, at + 1) === 0x80000000 && readU32Big(b, at + 5) === 0)
        fail('negative zero', at - start);
      return after;
    case 0xcf:
      if (readU32Big(b, at + 1) > 0x1fffff) fail('integer beyond 2⁵³', at - start);
      return after;
    case 0xd3: {
      const value = (readU32Big(b, at + 1) | 0) * 2 ** 32 + readU32Big(b, at + 5);
      if (!Number.isSafeInteger(value)) fail('integer beyond ±2⁵³', at - start);
      return after;
    }
    case 0xd9:
      return scanText(b, after, b[at + 1] as number, end, start);
    case 0xda:
      return scanText(b, after, ((b[at + 1] as number) << 8) | (b[at + 2] as number), end, start);
    case 0xdb:
      return scanText(b, after, readU32Big(b, at + 1), end, start);
    default:
      return after;
  }
}

/**
 * Bytes after the token, from 0xc0 on; for a text only its length field. -2 = not allowed (0xc1,
 * bin, ext).
 */
const SCALAR_BYTES: readonly number[] = [
  0, -2, 0, 0, -2, -2, -2, -2, -2, -2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, -2, -2, -2, -2, -2, 1, 2, 4,
];

function scanKey(b: Uint8Array, at: number, end: number, start: number, depth: number): number {
  const token = b[at] as number;
  let from = at + 1;
  let length = 0;
  if (token >= 0xa0 && token < 0xc0) length = token & 0x1f;
  else if (token >= 0xd9 && token <= 0xdb) {
    from = scanScalarHeader(at, token, end, start);
    length =
      token === 0xd9
        ? (b[at + 1] as number)
        : token === 0xda
          ? ((b[at + 1] as number) << 8) | (b[at + 2] as number)
          : readU32Big(b, at + 1);
  } else fail('map key is not a text', at - start);

  const after = scanText(b, from, length, end, start);
  if (length === 9 || length === 11)
    for (const forbidden of FORBIDDEN_KEYS)
      if (length === forbidden.byteLength && sameBytes(b, from, forbidden, 0, length))
        fail('forbidden map key', at - start);
  noteKey(b, from, length, depth, at - start);
  return after;
}

function scanScalarHeader(at: number, token: number, end: number, start: number): number {
  const from = at + 1 + (SCALAR_BYTES[token - 0xc0] as number);
  if (from > end) fail('ends too early', end - start);
  return from;
}

/** Refuses a key that this map has had. */
function noteKey(b: Uint8Array, from: number, length: number, depth: number, offset: number): void {
  const first = length > 0 ? (b[from] as number) : 0;
  const last = length > 0 ? (b[from + length - 1] as number) : 0;
  const bit = 1 << ((first * 5 + last * 3 + length) & 31);
  const own = keyEnd[depth] as number;
  if (((keyBits[depth] as number) & bit) !== 0) {
    for (let i = depth * BODY_MAP_KEYS_MAX; i < own; i += 1)
      if (keyLength[i] === length && sameBytes(b, from, b, keyAt[i] as number, length))
        fail('map key occurs twice', offset);
  }
  keyBits[depth] = (keyBits[depth] as number) | bit;
  keyAt[own] = from;
  keyLength[own] = length;
  keyEnd[depth] = own + 1;
}

function sameBytes(
  a: Uint8Array,
  aAt: number,
  b: Uint8Array,
  bAt: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i += 1) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}

/** Checks that `length` bytes of UTF-8 follow; the offset after them. */
function scanText(b: Uint8Array, at: number, length: number, end: number, start: number): number {
  const after = at + length;
  if (after > end) fail(`text of ${length} bytes announced, ${end - at} left`, at - start);
  if (length >= NATIVE_UTF8_BYTES_MIN) {
    if (!isUtf8(b.subarray(at, after))) fail('text is not UTF-8', at - start);
    return after;
  }
  for (let i = at; i < after; i += 1)
    if ((b[i] as number) >= 0x80) {
      if (!isUtf8(b.subarray(i, after))) fail('text is not UTF-8', i - start);
      return after;
    }
  return after;
}
