import { Level } from 'level';
import { BugError } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { LEVEL_BUFFER_BYTES } from '../../base/limits.ts';
import { foundNoRoom } from '../../base/no-room.ts';

/**
 * The door to LevelDB: its options, its keys and what its errors mean. Binary keys and values,
 * nothing else. Of what it can do, the log needs only this much.
 */
export interface Database {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  put(key: Uint8Array, value: Uint8Array): Promise<void>;
  del(key: Uint8Array): Promise<void>;
  batch(): Batch;
  iterator(range: ScanRange): Scan;
  keys(range: KeyRange & { readonly limit: number }): { all(): Promise<Uint8Array[]> };
  clear(range: KeyRange): Promise<void>;
  close(): Promise<void>;
}

/** All that LevelDB can do. */
export type LevelDatabase = Level<Uint8Array, Uint8Array>;

/** All of it or nothing. */
export interface Batch {
  put(key: Uint8Array, value: Uint8Array): unknown;
  del(key: Uint8Array): unknown;
  write(options: { readonly sync: boolean }): Promise<void>;
}

export interface KeyRange {
  readonly gte: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  /** The last first. */
  readonly reverse?: boolean;
}

interface ScanRange extends KeyRange {
  readonly fillCache: boolean;
  readonly highWaterMarkBytes: number;
}

/** Keys and values in order, some at a time; none at the end. */
interface Scan {
  nextv(count: number): Promise<[Uint8Array, Uint8Array][]>;
  close(): Promise<void>;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const IDENTITY_KEY: Uint8Array = utf8('m/id');
export const STATE_KEYS: readonly [Uint8Array, Uint8Array] = [utf8('m/hs0'), utf8('m/hs1')];
/** All entry keys are at least this, and below `ENTRY_KEYS_END`. */
export const ENTRY_KEYS_BEGIN: Uint8Array = utf8('l/');
export const ENTRY_KEYS_END: Uint8Array = utf8('l0');

const ENTRY_KEY_BYTES = 10;

/** `l/` and the index in big-endian order, so that the order of keys is the order of entries. */
export function entryKey(index: number): Uint8Array {
  const key = new Uint8Array(ENTRY_KEY_BYTES);
  key.set(ENTRY_KEYS_BEGIN);
  const view = new DataView(key.buffer);
  view.setUint32(2, Math.floor(index / 2 ** 32));
  view.setUint32(6, index >>> 0);
  return key;
}

/** The index in an entry key, or undefined if it is none. */
export function entryKeyIndex(key: Uint8Array): number | undefined {
  if (key.byteLength !== ENTRY_KEY_BYTES || key[0] !== 0x6c || key[1] !== 0x2f) return undefined;
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const index = view.getUint32(2) * 2 ** 32 + view.getUint32(6);
  return Number.isSafeInteger(index) ? index : undefined;
}

/**
 * Opens the database in `folder`. Unless told to `create`, the folder must hold one: LevelDB itself would create the folder
 * and replace its text log even while it refuses.
 * @throws TocsinError DATA_LOCKED, DATA_CORRUPT, DISK_FAILED
 */
export async function openDatabase(
  folder: string,
  create: boolean | 'if missing',
  bufferBytes: number = LEVEL_BUFFER_BYTES,
): Promise<LevelDatabase> {
  const database = new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: false,
    writeBufferSize: bufferBytes,
    createIfMissing: create !== false,
    errorIfExists: create === true,
  });
  try {
    await database.open();
  } catch (error) {
    await database.close();
    throw faultOf(error, `opening ${folder}`);
  }
  return database;
}

/**
 * Nobody has the database in `folder` open; neither will it be opened. LevelDB takes the lock before it looks at anything,
 * and then refuses: one that is there because it must not be, one that is not there because it must.
 * @throws TocsinError DATA_LOCKED
 */
export async function mustBeUnlocked(folder: string): Promise<void> {
  const database = new Level<Uint8Array, Uint8Array>(folder, {
    createIfMissing: false,
    errorIfExists: true,
  });
  const refusal = await database.open().then(
    () => undefined,
    (error: unknown) => faultOf(error, `opening ${folder}`),
  );
  await database.close();
  if (refusal?.code === 'DATA_LOCKED') throw refusal;
}

/** What a failure of LevelDB means to our callers; a bug stays one. `doing` begins the message. */
export function faultOf(error: unknown, doing: string): TocsinError {
  if (error instanceof BugError) throw error;
  if (TocsinError.is(error)) return error;
  const root = rootOf(error);
  const code = 'code' in root ? root.code : '';
  const message = `${doing}: ${root.message}`;
  if (code === 'LEVEL_LOCKED')
    return new TocsinError('DATA_LOCKED', `${message} (another process uses it)`, { cause: error });
  if (code === 'LEVEL_CORRUPTION' || /No such file/.test(root.message))
    return new TocsinError('DATA_CORRUPT', message, { cause: error });
  const is = foundNoRoom(root) ? 'DISK_FULL' : 'DISK_FAILED';
  return new TocsinError(is, message, { cause: error });
}

/** LevelDB's own reason for a failed open is one `cause` down. */
function rootOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}
