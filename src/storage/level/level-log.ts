import { readU16, readU32 } from '../../wire/bytes.ts';
import { crc32c, masked } from './crc32c.ts';

/**
 * LevelDB's log format (its document `log_format.md`): blocks of 32 KiB, records cut into
 * checksummed fragments.
 */

export const LOG_BLOCK_BYTES = 32_768;
/** CRC, length, type. */
export const LOG_HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

/**
 * Damage in the middle of a log file; undefined = there is none. What is torn at the end is no
 * damage: that write was never acknowledged. It is damage when another write begins behind it, for
 * each write is synced before the next one starts. Only the beginning of a record counts: of the
 * fragments of one torn write, any may have reached the disk.
 */
export const findLogDamage = (bytes: Uint8Array): string | undefined => atOnce(logDamage(bytes));

/** The same, a block at each step. */
export function* logDamage(bytes: Uint8Array): Generator<undefined, string | undefined> {
  let damagedAt: number | undefined;
  let at = 0;
  let stepAt = LOG_BLOCK_BYTES;
  while (at + LOG_HEADER_BYTES <= bytes.byteLength) {
    if (at >= stepAt) {
      stepAt += LOG_BLOCK_BYTES;
      yield;
    }
    const blockLeft = LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES);
    if (blockLeft < LOG_HEADER_BYTES) {
      at += blockLeft;
      continue;
    }
    if (!isFragment(bytes, at, blockLeft)) {
      damagedAt ??= at;
      at += 1; // its length is not to be trusted
      continue;
    }
    const type = bytes[at + 6];
    if (damagedAt !== undefined && (type === FULL || type === FIRST))
      return `damaged at byte ${damagedAt}, and whole again at ${at}`;
    at += LOG_HEADER_BYTES + readU16(bytes, at + 4);
  }
  return undefined;
}

/** What comes of all steps, made at once. */
export function atOnce<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Whether a whole fragment begins at `at`, where its block has `blockLeft` bytes left. */
export function isFragment(bytes: Uint8Array, at: number, blockLeft: number): boolean {
  const type = bytes[at + 6] as number;
  if (type < FULL || type > LAST) return false;
  const length = LOG_HEADER_BYTES + readU16(bytes, at + 4);
  if (length > blockLeft || at + length > bytes.byteLength) return false;
  return readU32(bytes, at) === masked(crc32c(bytes, at + 6, at + length));
}

/**
 * The records of a log file, each in one piece; a torn one at the end is left out. The text says
 * what is wrong.
 */
export function readLogRecords(bytes: Uint8Array): readonly Uint8Array[] | string {
  const records: Uint8Array[] = [];
  let pieces: Uint8Array[] = [];
  let at = 0;
  while (at + LOG_HEADER_BYTES <= bytes.byteLength) {
    const blockLeft = LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES);
    if (blockLeft < LOG_HEADER_BYTES) {
      at += blockLeft;
      continue;
    }
    const end = at + LOG_HEADER_BYTES + readU16(bytes, at + 4);
    if (end > bytes.byteLength) return records;
    if (!isFragment(bytes, at, blockLeft)) return `damaged at byte ${at}`;
    const type = bytes[at + 6] as number;
    if ((type === MIDDLE || type === LAST) !== pieces.length > 0)
      return `a fragment without its record at byte ${at}`;
    pieces.push(bytes.subarray(at + LOG_HEADER_BYTES, end));
    if (type === FULL || type === LAST) {
      records.push(Buffer.concat(pieces));
      pieces = [];
    }
    at = end;
  }
  return records;
}
