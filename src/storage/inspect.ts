import type { LogIndex, Term, UnixMillis } from '../base/ids.ts';
import { logIndex } from '../base/ids.ts';
import { LOG_READ_BYTES_MAX } from '../base/limits.ts';
import { type RecordKind, recordOf } from '../wire/log/record.ts';
import { snapshotBytes } from '../wire/log/snapshot-meta.ts';
import { openFolder } from './data-folder.ts';
import { describeDamage } from './log/log-repair.ts';
import type { Identity } from './types.ts';

/** A data folder as an operator looks at it, while its replica does not run. */
export interface FolderReport {
  readonly identity: Identity;
  readonly term: Term;
  readonly vote: number | undefined;
  /** Known to be committed; more may be. */
  readonly commit: LogIndex;
  /** The log holds the entries after `base`, up to `last`. */
  readonly base: LogIndex;
  readonly last: LogIndex;
  readonly snapshots: readonly SnapshotLine[];
  /** What was acknowledged and is not there any more, in words; undefined = nothing. */
  readonly damage: string | undefined;
  /** It will not vote until it has heard of a later term. */
  readonly abstains: boolean;
}

export interface SnapshotLine {
  readonly id: string;
  readonly index: LogIndex;
  readonly bytes: number;
  readonly chunks: number;
}

/** One entry of a log. */
export interface EntryLine {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: RecordKind;
  readonly time: UnixMillis;
  readonly bytes: number;
  readonly commands: number;
}

/**
 * Verifies everything in a folder: each record, its place and its chain, and the newest snapshot.
 * @throws TocsinError DATA_*, DISK_FAILED
 */
export async function inspectFolder(path: string): Promise<FolderReport> {
  const { identity, store } = await openFolder(path);
  try {
    const { hardState, base, tail, damage } = await store.load();
    return {
      identity,
      term: hardState.term,
      vote: hardState.vote,
      commit: hardState.commit,
      base: base.index,
      last: tail.at(-1)?.index ?? base.index,
      snapshots: store.snapshots.list.map((meta) => ({
        id: meta.id,
        index: meta.index,
        bytes: snapshotBytes(meta),
        chunks: meta.chunks.length,
      })),
      damage: damage === undefined ? undefined : describeDamage(damage),
      abstains: hardState.abstain === true,
    };
  } finally {
    await store.close();
  }
}

/**
 * The entries `from` … `to` of a folder's log, as far as it holds them.
 * @throws TocsinError DATA_*, DISK_FAILED
 */
export async function* dumpLog(
  path: string,
  from: number,
  to: number,
): AsyncGenerator<EntryLine, void> {
  const { store } = await openFolder(path);
  try {
    const { base, tail } = await store.load();
    const last = Math.min(to, tail.at(-1)?.index ?? 0);
    for (let at = Math.max(from, base.index + 1); at <= last; ) {
      for (const entry of await store.read(logIndex(at), logIndex(last), LOG_READ_BYTES_MAX)) {
        const { kind, time, count, byteLength } = recordOf(entry);
        const { index, term } = entry;
        yield { index, term, kind, time, bytes: byteLength, commands: count };
        at = index + 1;
      }
    }
  } finally {
    await store.close();
  }
}
