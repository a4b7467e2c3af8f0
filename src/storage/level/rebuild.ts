import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TocsinError } from '../../base/errors.ts';
import { REBUILD_BATCH_BYTES } from '../../base/limits.ts';
import type { HardState } from '../../raft/types.ts';
import type { SnapshotMeta } from '../../wire/log/snapshot-meta.ts';
import { syncFolder } from '../files.ts';
import { encodeIdentity } from '../identity.ts';
import { createMark, type Mark } from '../log/high-water.ts';
import { putStored } from '../log/log-batch.ts';
import type { ChainAt } from '../log/log-damage.ts';
import { emptyEnd } from '../log/log-state.ts';
import { reconcile, type StoredState } from '../log/state-record.ts';
import type { Identity, LogPlace } from '../types.ts';
import { carve, joinFragments } from './carve.ts';
import {
  type Batch,
  type Database,
  entryKey,
  IDENTITY_KEY,
  mustBeUnlocked,
  openDatabase,
} from './level.ts';

/**
 * A log whose LevelDB is rotten is made anew from every record that is whole in what is left, without LevelDB: it would
 * drop more, return wrong bytes, or end the process. What is lost shows as damage of the new log, which peers repair. The
 * rotten folder stays beside it until a start finds nothing wrong.
 */

/** A place in a file where an entry lies. */
interface Candidate {
  readonly index: number;
  readonly term: number;
  readonly chain: number;
  readonly previousChain: number;
  readonly file: string;
  readonly at: number;
  readonly bytes: number;
}

interface Remains {
  readonly candidates: ReadonlyMap<number, readonly Candidate[]>;
  /** The newest. */
  readonly state: StoredState | undefined;
  /** No write may have come after it. */
  readonly isNewest: boolean;
}

const REBUILDING = '.rebuilding';
const REBUILT = '.rebuilt';
const DAMAGED = '.damaged';

/**
 * Makes `folder` anew. `mark` is what its second place says, `snapshot` its newest complete one.
 * @throws TocsinError DATA_LOCKED, DISK_FAILED, DISK_FULL
 */
export async function rebuild(
  folder: string,
  identity: Identity,
  mark: Mark,
  snapshot: SnapshotMeta | undefined,
): Promise<void> {
  const staging = folder + REBUILDING;
  await rm(folder + REBUILT, { recursive: true, force: true });
  // Its lock keeps out whoever else would rebuild.
  const database = await openDatabase(staging, 'if missing');
  try {
    await mustBeUnlocked(folder);
    await database.clear({ gte: new Uint8Array(0) });
    const remains = await gather(folder, mark);
    const state = stateOf(remains, mark, baseOf(snapshot) ?? emptyEnd(identity.clusterId));
    const { end } = reconcile([state, state], mark);
    await putChosen(database, folder, choose(remains.candidates, state.base, end));
    const batch = database.batch();
    putStored(batch, state);
    batch.put(IDENTITY_KEY, encodeIdentity(identity));
    await batch.write({ sync: true });
  } finally {
    await database.close();
  }
  await rm(join(staging, 'high-water'), { force: true });
  await createMark(staging, mark);
  await writeFile(join(staging, 'identity'), encodeIdentity(identity), { flush: true });
  await syncFolder(staging);
  await rename(staging, folder + REBUILT);
  await syncFolder(dirname(folder));
  await finishRebuild(folder);
}

/** Puts a rebuilt folder in its place; what a crash broke off is gone on with. Nothing to do if there is none. */
export async function finishRebuild(folder: string): Promise<void> {
  if (!existsSync(folder + REBUILT)) return;
  if (existsSync(folder)) {
    await rm(folder + DAMAGED, { recursive: true, force: true });
    await rename(folder, folder + DAMAGED);
  }
  const snapshots = join(folder + DAMAGED, 'snapshots');
  if (existsSync(snapshots)) await rename(snapshots, join(folder + REBUILT, 'snapshots'));
  await rename(folder + REBUILT, folder);
  await syncFolder(dirname(folder));
}

/** The folder is sound: what it was rebuilt from, and what was begun, goes. */
export async function forgetDamaged(folder: string): Promise<void> {
  for (const ending of [REBUILDING, DAMAGED])
    await rm(folder + ending, { recursive: true, force: true });
}

/** Reads one file as far as our records in it go. */
async function contentsOf(folder: string, name: string): Promise<Buffer> {
  const bytes = await readFile(join(folder, name));
  return name.endsWith('.log') ? joinFragments(bytes) : bytes;
}

/** The identity that stands in LevelDB, found without it. */
export async function carveIdentity(folder: string): Promise<Identity | undefined> {
  for (const name of await databaseFiles(folder)) {
    const { identity } = carve(await contentsOf(folder, name));
    if (identity !== undefined) return identity;
  }
  return undefined;
}

/** Tables and log files, the oldest first. Some may be left over: what is in them is older, and loses. */
async function databaseFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /^\d+\.(ldb|log)$/.test(name));
  return names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

async function gather(folder: string, mark: Mark): Promise<Remains> {
  const candidates = new Map<number, Candidate[]>();
  let newest: StoredState | undefined;
  let endsInState = false;
  for (const name of await databaseFiles(folder)) {
    const carved = carve(await contentsOf(folder, name));
    for (const { at, record } of carved.entries) {
      const { index, term, chain, previousChain, byteLength: bytes } = record;
      const others = candidates.get(index) ?? [];
      others.push({ index, term, chain, previousChain, file: name, at, bytes });
      candidates.set(index, others);
    }
    for (const state of carved.states)
      if (newest === undefined || state.sequence >= newest.sequence) newest = state;
    if (name.endsWith('.log')) endsInState = carved.endsInState;
  }
  if (newest === undefined && mark.isLost === true)
    throw new TocsinError('DATA_CORRUPT', 'neither the log nor its mark says anything any more');
  const isNewest = mark.isLost !== true && (endsInState || newest?.sequence === mark.sequence);
  return { candidates, state: newest, isNewest };
}

/** The hard state to go on with: the newest there is, and with a doubt when a later one may be lost. */
function stateOf({ state, isNewest }: Remains, mark: Mark, base: LogPlace): StoredState {
  const known: StoredState = state ?? {
    sequence: mark.sequence,
    hardState: { ...mark.voted, commit: base.index },
    lastIndex: Math.max(mark.last.index, base.index),
    lastChain: mark.last.index > base.index ? mark.last.chain : base.chain,
    base,
  };
  const hardState: HardState = isNewest ? known.hardState : { ...known.hardState, abstain: true };
  return { ...known, hardState };
}

const baseOf = (snapshot: SnapshotMeta | undefined): LogPlace | undefined =>
  snapshot && { index: snapshot.index, term: snapshot.term, chain: snapshot.chain };

/**
 * From the end backwards the one that the next one follows. Below a gap nothing says which one is right: the one of the
 * highest term replaced the others. Behind the end, those that go on from it.
 */
function choose(
  candidates: ReadonlyMap<number, readonly Candidate[]>,
  base: ChainAt,
  end: ChainAt,
): Candidate[] {
  const chosen: Candidate[] = [];
  let chain: number | undefined = end.chain;
  for (let index: number = end.index; index > base.index; index -= 1) {
    const all = candidates.get(index) ?? [];
    const byTerm = [...all].sort((a, b) => b.term - a.term)[0];
    const one: Candidate | undefined =
      chain === undefined ? byTerm : all.find((each) => each.chain === chain);
    if (one !== undefined) chosen.push(one);
    chain = one?.previousChain;
  }
  let last: number = end.chain;
  for (let index = end.index + 1; ; index += 1) {
    const next = candidates.get(index)?.find(({ previousChain }) => previousChain === last);
    if (next === undefined) return chosen;
    chosen.push(next);
    last = next.chain;
  }
}

async function putChosen(
  database: Database,
  folder: string,
  chosen: readonly Candidate[],
): Promise<void> {
  for (const name of new Set(chosen.map(({ file }) => file))) {
    const contents = await contentsOf(folder, name);
    let batch: Batch = database.batch();
    let bytes = 0;
    for (const one of chosen) {
      if (one.file !== name) continue;
      batch.put(entryKey(one.index), contents.subarray(one.at, one.at + one.bytes));
      bytes += one.bytes;
      if (bytes < REBUILD_BATCH_BYTES) continue;
      await batch.write({ sync: false });
      batch = database.batch();
      bytes = 0;
    }
    await batch.write({ sync: false });
  }
}
