import { statfsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { replicaId } from '../../src/base/ids.ts';
import { formatFolder, type OpenedFolder, openFolder } from '../../src/storage/data-folder.ts';
import { encodeIdentity } from '../../src/storage/identity.ts';
import type { Identity } from '../../src/storage/types.ts';
import { CLUSTER, emptyLogEnd, entriesAfter, hard, writing } from './entries.ts';

export const identity: Identity = {
  clusterId: CLUSTER,
  replicaId: replicaId(2),
  incarnation: 77,
  members: [1, 2, 3].map((id) => ({ id: replicaId(id), address: `/ip4/127.0.0.1/tcp/740${id}` })),
};

const MEMORY_FOLDER = '/dev/shm';
const MEMORY_BYTES_MIN = 2 ** 30;

/**
 * In memory where there is room: no test here cuts the power, so a sync that costs nothing proves
 * the same.
 */
export const temporaryFolder = (): Promise<string> =>
  mkdtemp(join(hasMemory() ? MEMORY_FOLDER : tmpdir(), 'tocsin-storage-'));

function hasMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    return bavail * bsize >= MEMORY_BYTES_MIN;
  } catch {
    return false;
  }
}

export const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });

export const copy = (from: string, to: string): Promise<void> => cp(from, to, { recursive: true });

/** Of a folder in use: LevelDB's compaction may just then take files away, so it is tried until it sees none go. */
export async function copyInUse(from: string, to: string): Promise<void> {
  const names = async (): Promise<string> => (await readdir(from, { recursive: true })).join();
  for (let attempt = 1; ; attempt += 1) {
    const before = await names();
    const failure = await copy(from, to).catch((error: unknown) => error);
    if (failure === undefined && before === (await names())) return;
    if (attempt === 20) throw failure ?? new Error(`${from} never keeps still`);
    await remove(to);
  }
}

/**
 * All files below `path` with their bytes, for comparing before and after. LevelDB's text log is
 * not data.
 */
export async function snapshot(path: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const name = join(entry.parentPath, entry.name);
    files[name] = entry.isFile() ? (await readFile(name)).toString('base64') : 'folder';
  }
  return files;
}

/** A well-formed record of a version that may not exist yet. */
export function identityOfVersion(version: number): Uint8Array {
  const bytes = Buffer.from(encodeIdentity(identity));
  bytes.writeUInt32LE(version, 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(16), crc32(bytes.subarray(0, 12))), 12);
  return bytes;
}

/** Opens a data folder for as long as it is used. */
export async function withFolder(
  path: string,
  use: (opened: OpenedFolder) => Promise<void>,
): Promise<void> {
  const opened = await openFolder(path);
  try {
    await use(opened);
  } finally {
    await opened.store.close();
  }
}

/**
 * Formats, and writes two entries in two lives, so that both a table and a log file hold something.
 */
export async function makeUsedFolder(path: string): Promise<void> {
  await formatFolder(path, identity);
  for (const entry of entriesAfter(emptyLogEnd, 1, [10, 20]))
    await withFolder(path, async ({ store }) => {
      await store.load();
      await store.write(writing([entry], hard(1)));
    });
}
