import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { must } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import { SNAPSHOT_CHUNK_BYTES } from '../base/limits.ts';
import {
  decodeSnapshotMeta,
  encodeSnapshotMeta,
  snapshotBytes,
} from '../wire/log/snapshot-meta.ts';
import { syncFolder } from './files.ts';
import { faultOf } from './level/level.ts';
import { SEAL_HEADER_BYTES, seal, sealedBytes, unseal } from './sealed.ts';
import { isChunk } from './snapshots.ts';
import type { SnapshotMeta } from './types.ts';

/**
 * A snapshot in one file, to be kept elsewhere: a sealed record (magic number 'TOCB', version 1) of the cluster's id, as 32
 * hex digits, and of what the snapshot says of itself; then its chunks, one behind another.
 */
const MAGIC = 0x42434f54; // 'TOCB'
const VERSION = 1;
const CLUSTER_ID_BYTES = 32;

/** A snapshot, wherever its chunks are. */
export interface Backup {
  /** The cluster whose state it is. */
  readonly clusterId: string;
  readonly meta: SnapshotMeta;
  /** @throws TocsinError DATA_CORRUPT, DISK_FAILED; what a peer answers */
  readChunk(chunk: number): Promise<Uint8Array>;
}

/**
 * Writes a backup, durable and whole, or nothing.
 * @throws TocsinError DATA_EXISTS, DATA_CORRUPT, DISK_FAILED, DISK_FULL
 */
export async function writeBackup(path: string, backup: Backup): Promise<void> {
  const staging = `${path}.part`;
  try {
    const handle = await open(staging, 'w', 0o600);
    try {
      await writeTo(handle, backup);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(staging, path);
    await syncFolder(dirname(resolve(path)));
  } catch (error) {
    await rm(staging, { force: true }).catch(() => undefined);
    throw faultOf(error, `writing ${path}`);
  }
}

async function writeTo(handle: FileHandle, { clusterId, meta, readChunk }: Backup): Promise<void> {
  const body = Buffer.concat([Buffer.from(clusterId, 'latin1'), encodeSnapshotMeta(meta)]);
  await handle.writeFile(seal(MAGIC, VERSION, body));
  for (const [number, chunk] of meta.chunks.entries()) {
    const bytes = await readChunk(number);
    if (!isChunk(bytes, chunk)) throw corrupt(meta, `chunk ${number} is damaged`);
    await handle.writeFile(bytes);
  }
}

/**
 * Opens a backup, all of its bytes verified, for as long as `use` takes.
 * @throws TocsinError DATA_MISSING, DATA_CORRUPT, DATA_NEWER_FORMAT, DISK_FAILED
 */
export async function withBackup<T>(path: string, use: (backup: Backup) => Promise<T>): Promise<T> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new TocsinError('DATA_MISSING', `there is no file ${path}`);
    throw faultOf(error, `opening ${path}`);
  }
  try {
    const backup = await readHead(handle, path);
    await verify(backup);
    return await use(backup);
  } catch (error) {
    throw faultOf(error, `reading ${path}`);
  } finally {
    await handle.close();
  }
}

async function readHead(handle: FileHandle, path: string): Promise<Backup> {
  const size = sealedBytes(await readAt(handle, 0, SEAL_HEADER_BYTES));
  const isPossible = size !== undefined && size <= SNAPSHOT_CHUNK_BYTES;
  const record = unseal(MAGIC, isPossible ? await readAt(handle, 0, size) : new Uint8Array(0));
  if (typeof record === 'string' || size === undefined)
    throw new TocsinError('DATA_CORRUPT', `${path} is no backup, or its beginning is damaged`);
  if (record.version > VERSION)
    throw new TocsinError('DATA_NEWER_FORMAT', `${path} has format ${record.version}`);
  const clusterId = Buffer.from(record.body.subarray(0, CLUSTER_ID_BYTES)).toString('latin1');
  const meta = decodeSnapshotMeta(record.body.subarray(CLUSTER_ID_BYTES));
  const offsets: number[] = [];
  let end = size;
  for (const { bytes } of meta.chunks) {
    offsets.push(end);
    end += bytes;
  }
  const found = (await handle.stat()).size;
  if (found !== end) throw corrupt(meta, `the file has ${found} bytes, not ${end}`);
  const readChunk = async (number: number): Promise<Uint8Array> => {
    const chunk = must(meta.chunks[number], `no chunk ${number}`);
    const bytes = await readAt(handle, offsets[number] as number, chunk.bytes);
    if (!isChunk(bytes, chunk)) throw corrupt(meta, `chunk ${number} is damaged`);
    return bytes;
  };
  return { clusterId, meta, readChunk };
}

async function verify({ meta, readChunk }: Backup): Promise<void> {
  const hash = createHash('sha256');
  for (const number of meta.chunks.keys()) hash.update(await readChunk(number));
  if (hash.digest('hex') !== meta.hash)
    throw corrupt(meta, `its ${snapshotBytes(meta)} bytes have another hash`);
}

async function readAt(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await handle.read(bytes, 0, length, at);
  return bytes.subarray(0, bytesRead);
}

const corrupt = ({ id }: SnapshotMeta, what: string): TocsinError =>
  new TocsinError('DATA_CORRUPT', `snapshot ${id}: ${what}`);
