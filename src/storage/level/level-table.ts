import { readU32 } from '../../wire/bytes.ts';
import { crc32c, masked } from './crc32c.ts';
import { atOnce } from './level-log.ts';
import { VarintCursor } from './varint.ts';

/** Two handles and padding, then the magic number. */
const FOOTER_BYTES = 48;
const FOOTER_HANDLES_BYTES = 40;
const TABLE_MAGIC_LOW = 0x8b80fb57;
const TABLE_MAGIC_HIGH = 0xdb477524;
/** Compression type and CRC behind each block. */
const TRAILER_BYTES = 5;

/** Where a block lies; the trailer is not counted. */
export interface Block {
  readonly at: number;
  readonly length: number;
}

/** Damage anywhere in a table; undefined = every byte of it is vouched for. */
export const findTableDamage = (bytes: Uint8Array): string | undefined =>
  atOnce(tableDamage(bytes));

/** The same, a block at each step but the first, which takes in the indexes. */
export function* tableDamage(bytes: Uint8Array): Generator<undefined, string | undefined> {
  const blocks = blocksOf(bytes);
  if (typeof blocks === 'string') return blocks;
  return yield* findUncovered(bytes, blocks);
}

/** Where the blocks lie that the footer and the indexes list, those of the indexes verified; or what is wrong. */
export function blocksOf(bytes: Uint8Array): readonly Block[] | string {
  const footerAt = bytes.byteLength - FOOTER_BYTES;
  if (footerAt < 0) return `only ${bytes.byteLength} bytes`;
  const magicAt = footerAt + FOOTER_HANDLES_BYTES;
  const magicLow = readU32(bytes, magicAt);
  if (magicLow !== TABLE_MAGIC_LOW || readU32(bytes, magicAt + 4) !== TABLE_MAGIC_HIGH)
    return 'wrong magic number';
  const footer = new VarintCursor(bytes, footerAt, magicAt);
  const metaIndex = readHandle(footer);
  const index = readHandle(footer);
  if (!footer.restIsZero()) return 'damaged footer';

  const blocks: Block[] = [];
  for (const block of [metaIndex, index]) {
    const problem = findBlockDamage(bytes, block);
    if (problem !== undefined) return problem;
    const listed = handlesIn(bytes, block);
    if (listed === undefined) return `damaged index at byte ${block.at}`;
    for (const each of listed) blocks.push(each);
    blocks.push(block);
  }
  return blocks.sort((a, b) => a.at - b.at);
}

/** Each block must be whole, and together they must be the file: an index could leave some out. */
function* findUncovered(
  bytes: Uint8Array,
  blocks: readonly Block[],
): Generator<undefined, string | undefined> {
  let at = 0;
  for (const block of blocks) {
    yield;
    if (block.at !== at) return `byte ${at} belongs to no block`;
    const problem = findBlockDamage(bytes, block);
    if (problem !== undefined) return problem;
    at = block.at + block.length + TRAILER_BYTES;
  }
  return at === bytes.byteLength - FOOTER_BYTES ? undefined : `byte ${at} belongs to no block`;
}

export function findBlockDamage(bytes: Uint8Array, block: Block): string | undefined {
  const typeAt = block.at + block.length;
  if (!(typeAt + TRAILER_BYTES <= bytes.byteLength - FOOTER_BYTES))
    return 'a block outside the file';
  if (readU32(bytes, typeAt + 1) !== masked(crc32c(bytes, block.at, typeAt + 1)))
    return `wrong checksum of the block at byte ${block.at}`;
  return undefined;
}

/** The handles that an index block lists; undefined if it is not one. */
function handlesIn(bytes: Uint8Array, block: Block): readonly Block[] | undefined {
  const end = block.at + block.length;
  if (block.length < 4) return undefined;
  const restartsAt = end - 4 - 4 * readU32(bytes, end - 4);
  if (restartsAt < block.at) return undefined;
  const handles: Block[] = [];
  const cursor = new VarintCursor(bytes, block.at, restartsAt);
  while (!cursor.done) {
    cursor.varint(); // what the key shares with the one before
    const keyLength = cursor.varint();
    cursor.varint(); // length of the handle, which ends itself
    cursor.skip(keyLength);
    const handle = readHandle(cursor);
    if (!(handle.at + handle.length <= bytes.byteLength)) return undefined;
    handles.push(handle);
  }
  return handles;
}

const readHandle = (cursor: VarintCursor): Block => ({
  at: cursor.varint(),
  length: cursor.varint(),
});
