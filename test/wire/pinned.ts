import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { groupId } from '../../src/base/ids.ts';
import { decodeTime } from '../../src/wire/clients/deadline.ts';
import { FrameReader, type FrameType, frameHeader } from '../../src/wire/frame.ts';
import { copyOf, join } from './helpers.ts';

/**
 * The bytes of wire version 1, pinned: what one release writes, every later one that speaks version
 * 1 writes and reads. `UPDATE=1` rewrites the files; a changed file needs a new version, not a new
 * pin, once a release is out.
 */
export const FOLDER: URL = new URL('./fixtures/v1/', import.meta.url);
const UPDATE = process.env['UPDATE'] === '1';

export function pinned(name: string, bytes: Uint8Array): Uint8Array {
  const file = new URL(`${name}.hex`, FOLDER);
  const hex = Buffer.from(bytes)
    .toString('hex')
    .replace(/.{1,64}/g, '$&\n');
  if (UPDATE || !existsSync(file)) {
    if (!UPDATE) throw new Error(`no fixture ${name}: run once with UPDATE=1`);
    writeFileSync(file, hex);
  }
  const kept = readFileSync(file, 'utf8');
  expect(hex).toBe(kept);
  return copyOf(Buffer.from(kept.replace(/\s/g, ''), 'hex'));
}

export const names: string[] = [];

/** Decodes what follows the time that the caller allowed. */
export const timed =
  <T>(decode: (request: Uint8Array) => T) =>
  (body: Uint8Array): T =>
    decode(decodeTime(body).request);

/**
 * The frame of `parts` has the pinned bytes, and the pinned bytes give back what `decode` is to
 * give.
 */
export function frame<T>(
  name: string,
  type: FrameType,
  parts: readonly Uint8Array[],
  decode: (body: Uint8Array) => T,
  expected: T,
): void {
  names.push(name);
  test(name, () => {
    const bytes = pinned(name, join([frameHeader(type, groupId(0), 513, parts), ...parts]));
    const reader = new FrameReader(4096);
    reader.push(bytes);
    const read = reader.next();
    expect(read).toMatchObject({ type, group: 0, id: 513 });
    expect(decode(read?.body ?? new Uint8Array(0))).toEqual(expected);
  });
}
