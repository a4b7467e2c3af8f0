import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { TocsinError } from '../base/errors.ts';
import type { ReplicaId } from '../base/ids.ts';
import type { Backup } from './backup.ts';
import { filesIn, syncFolder } from './files.ts';
import { decodeIdentity, encodeIdentity, findIdentityProblem } from './identity.ts';
import {
  type Database,
  faultOf,
  IDENTITY_KEY,
  mustBeUnlocked,
  openDatabase,
} from './level/level.ts';
import { findFileDamage } from './level/level-files.ts';
import { carveIdentity, finishRebuild, forgetDamaged, rebuild } from './level/rebuild.ts';
import { createMark, HighWater, type Mark } from './log/high-water.ts';
import { LevelLogStore } from './log/level-log-store.ts';
import { putInitialState } from './log/log-batch.ts';
import { Snapshots } from './snapshots.ts';
import { freeBytesAt } from './space.ts';
import type { Identity } from './types.ts';

/** Who the caller takes a folder to belong to; an absent field is not checked. */
export interface ExpectedOwner {
  readonly clusterId?: string | undefined;
  readonly replicaId?: ReplicaId | undefined;
}

export interface OpenedFolder {
  readonly identity: Identity;
  /** To be loaded before anything else, and closed by the caller. */
  readonly store: LevelLogStore;
}

/** A snapshot that a folder begins with: of its members, by their addresses. */
export type Beginning = Pick<Backup, 'meta' | 'readChunk'>;

const RAFT_FOLDER = 'raft';
const IDENTITY_FILE = 'identity';
const SNAPSHOT_FOLDER = 'snapshots';
/** A folder in the making has this name and a random ending; it becomes `raft` by one rename. */
const STAGING_PREFIX = 'raft.formatting-';

/**
 * Makes a new replica's data folder. Everything is written and synced under another name first, so
 * that `raft` exists only when it is whole: what an interrupted format leaves is told from a log
 * that was lost, and formatting again clears it away. `beginning`: the state that it begins with, if not an empty one.
 * @throws TocsinError BAD_CONFIG (identity), DATA_EXISTS (anything is there; nothing was touched),
 * DISK_FAILED
 */
export async function formatFolder(
  path: string,
  identity: Identity,
  beginning?: Beginning,
): Promise<void> {
  const problem = findIdentityProblem(identity);
  if (problem !== undefined) throw new TocsinError('BAD_CONFIG', problem);
  await mustBeFree(path);
  const staging = join(path, STAGING_PREFIX + randomBytes(6).toString('hex'));
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    await mkdir(path, { mode: 0o700 }).catch(unlessCode('EEXIST'));
    await mkdir(staging, { mode: 0o700 });
    await writeInitial(staging, identity, beginning);
    await rename(staging, join(path, RAFT_FOLDER));
  } catch (error) {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined);
    await mustBeFree(path);
    throw faultOf(error, `formatting ${path}`);
  }
  try {
    await syncFolder(path);
    await syncFolder(dirname(resolve(path)));
  } catch (error) {
    throw faultOf(error, `formatting ${path}`);
  }
  await removeStaging(path);
}

/**
 * Opens a formatted folder. Never makes one: where a log is missing, nothing is created or removed.
 * @throws TocsinError DATA_MISSING, DATA_LOCKED, DATA_OTHER_CLUSTER, DATA_NEWER_FORMAT,
 * DATA_CORRUPT, DISK_FAILED
 */
export async function openFolder(
  path: string,
  expected: ExpectedOwner = {},
): Promise<OpenedFolder> {
  const raft = join(path, RAFT_FOLDER);
  await finishRebuild(raft);
  await mustHoldLog(path);
  // LevelDB rewrites files as it opens them, so whatever can be refused is refused before.
  const owner = await readOwner(raft);
  mustBelong(path, owner, expected);
  const damage = await findFileDamage(raft);
  if (damage?.isMissing === true)
    throw new TocsinError('DATA_CORRUPT', `${raft}: ${damage.what}; nothing was touched`);
  if (damage === undefined) await forgetDamaged(raft);
  else await rebuildFrom(raft, owner);
  const highWater = await HighWater.open(raft);
  let database: Database | undefined;
  try {
    database = await openDatabase(raft, false);
    const identity = await readIdentity(database);
    mustBelong(path, identity, expected);
    // What a crash left half done when it got another one.
    if (!isDeepStrictEqual(identity, owner)) await writeIdentityFile(raft, identity);
    const snapshots = new Snapshots(filesIn(join(raft, SNAPSHOT_FOLDER)));
    const room = (): Promise<number> => freeBytesAt(raft);
    const { clusterId } = identity;
    const store = new LevelLogStore(database, clusterId, highWater, snapshots, room, nextTurn);
    return { identity, store };
  } catch (error) {
    await highWater.close();
    await database?.close();
    throw faultOf(error, `opening ${path}`);
  }
}

/**
 * Gives the folder another identity, in both its places. Nobody may have it open.
 * @throws TocsinError DATA_LOCKED, DISK_FAILED, DISK_FULL
 */
export async function rewriteIdentity(path: string, identity: Identity): Promise<void> {
  const raft = join(path, RAFT_FOLDER);
  const database = await openDatabase(raft, false);
  try {
    const batch = database.batch();
    batch.put(IDENTITY_KEY, encodeIdentity(identity));
    await batch.write({ sync: true });
    await writeIdentityFile(raft, identity);
  } catch (error) {
    throw faultOf(error, `writing the identity of ${path}`);
  } finally {
    await database.close();
  }
}

async function writeIdentityFile(raft: string, identity: Identity): Promise<void> {
  const file = join(raft, IDENTITY_FILE);
  await writeFile(`${file}.new`, encodeIdentity(identity), { flush: true });
  await rename(`${file}.new`, file);
  await syncFolder(raft);
}

/**
 * Whoever else is formatting has lost the race: `raft` is not empty any more, so theirs cannot take
 * its place.
 */
async function removeStaging(path: string): Promise<void> {
  const names = await readdir(path).catch((): string[] => []);
  for (const name of names)
    if (name.startsWith(STAGING_PREFIX))
      await rm(join(path, name), { recursive: true, force: true }).catch(() => undefined);
}

async function writeInitial(
  folder: string,
  identity: Identity,
  beginning: Beginning | undefined,
): Promise<void> {
  const database = await openDatabase(folder, true);
  let mark: Mark;
  try {
    const batch = database.batch();
    mark = putInitialState(batch, identity.clusterId, beginning?.meta);
    batch.put(IDENTITY_KEY, encodeIdentity(identity));
    await batch.write({ sync: true });
  } finally {
    await database.close();
  }
  if (beginning !== undefined) await putSnapshot(folder, beginning);
  await createMark(folder, mark);
  await writeFile(join(folder, IDENTITY_FILE), encodeIdentity(identity), {
    flag: 'wx',
    flush: true,
  });
  await syncFolder(folder);
}

async function putSnapshot(folder: string, { meta, readChunk }: Beginning): Promise<void> {
  const snapshots = new Snapshots(filesIn(join(folder, SNAPSHOT_FOLDER)));
  await snapshots.load();
  const staged = await snapshots.stage(meta);
  for (const chunk of meta.chunks.keys()) await staged.put(chunk, await readChunk(chunk));
  await staged.finish();
}

/** From its own file, or, when that is rotten, from LevelDB's files as they lie there; then the file is written again. */
async function readOwner(raft: string): Promise<Identity> {
  try {
    return await readIdentityFile(raft);
  } catch (error) {
    if (!TocsinError.is(error) || error.code !== 'DATA_CORRUPT') throw error;
    const carved = existsSync(join(raft, IDENTITY_FILE)) ? await carveIdentity(raft) : undefined;
    if (carved === undefined) throw error;
    await mustBeUnlocked(raft);
    await writeIdentityFile(raft, carved);
    return carved;
  }
}

async function rebuildFrom(raft: string, owner: Identity): Promise<void> {
  const highWater = await HighWater.open(raft);
  const { mark } = highWater;
  await highWater.close();
  const snapshots = new Snapshots(filesIn(join(raft, SNAPSHOT_FOLDER)));
  await snapshots.load();
  try {
    await rebuild(raft, owner, mark, snapshots.list[0]);
  } catch (error) {
    throw faultOf(error, `rebuilding ${raft}`);
  }
}

/** The copy of the identity that can be read without opening LevelDB. */
async function readIdentityFile(folder: string): Promise<Identity> {
  try {
    return decodeIdentity(await readFile(join(folder, IDENTITY_FILE)));
  } catch (error) {
    if (hasCode(error, 'ENOENT'))
      throw new TocsinError('DATA_CORRUPT', `${folder}: the file ${IDENTITY_FILE} is missing`);
    throw faultOf(error, `reading ${join(folder, IDENTITY_FILE)}`);
  }
}

async function readIdentity(database: Database): Promise<Identity> {
  const bytes = await database.get(IDENTITY_KEY);
  if (bytes === undefined) throw new TocsinError('DATA_CORRUPT', 'the identity record is missing');
  return decodeIdentity(bytes);
}

function mustBelong(path: string, identity: Identity, expected: ExpectedOwner): void {
  const { clusterId, replicaId } = expected;
  if (clusterId !== undefined && clusterId !== identity.clusterId)
    throw new TocsinError(
      'DATA_OTHER_CLUSTER',
      `${path} belongs to cluster ${identity.clusterId}, not ${clusterId}`,
    );
  if (replicaId !== undefined && replicaId !== identity.replicaId)
    throw new TocsinError(
      'DATA_OTHER_CLUSTER',
      `${path} belongs to replica ${identity.replicaId}, not ${replicaId}`,
    );
}

/** Nothing may be in a folder to format but what an interrupted format left. */
async function mustBeFree(path: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    if (hasCode(error, 'ENOTDIR'))
      throw new TocsinError('DATA_EXISTS', `${path}, or a part of it, is a file`, { cause: error });
    throw faultOf(error, `formatting ${path}`);
  }
  const found = names.find((name) => !name.startsWith(STAGING_PREFIX));
  if (found !== undefined)
    throw new TocsinError('DATA_EXISTS', `${path} is not empty: it holds ${found}`);
}

/** What tells a folder that was never formatted, or was wiped, from a damaged one. */
async function mustHoldLog(path: string): Promise<void> {
  const names = await listFolder(path);
  if (!names.includes(RAFT_FOLDER))
    throw missing(
      names.some((name) => name.startsWith(STAGING_PREFIX))
        ? `formatting ${path} was interrupted; format it again`
        : `${path} is not formatted`,
    );
  const raft = join(path, RAFT_FOLDER);
  if ((await listFolder(raft)).length === 0)
    throw missing(`${raft} is empty: a wiped disk is a new member, under a new replica id`);
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) throw missing(`${path} is not a folder`);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return await readdir(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) throw missing(`${path} does not exist`, error);
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS'))
      throw new TocsinError('DISK_FAILED', `no permission to read and write ${path}`, {
        cause: error,
      });
    throw faultOf(error, `opening ${path}`);
  }
}

const missing = (what: string, cause?: unknown): TocsinError =>
  new TocsinError('DATA_MISSING', what, { cause });

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  codes.includes(error.code);

const unlessCode =
  (code: string) =>
  (error: unknown): void => {
    if (!hasCode(error, code)) throw error;
  };
