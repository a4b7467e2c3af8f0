import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Prng } from '../../../src/base/prng.ts';
import type { Entry } from '../../../src/raft/types.ts';
import { formatFolder, openFolder } from '../../../src/storage/data-folder.ts';
import { compactTo, endOfAll, entriesAfter, hard, writing } from '../entries.ts';
import { copy, identity } from '../folders.ts';
import { subjectAt } from '../snapshot-contract.ts';

/** A real data folder of about a megabyte, as an orderly end left it, and what is in it. */
export interface Sample {
  readonly path: string;
  /** Everything that was acknowledged; the log in the folder begins later. */
  readonly log: readonly Entry[];
  /** Files of the folder `raft` and below, without LevelDB's text log and lock. */
  readonly files: ReadonlyMap<string, Buffer>;
}

const LIVES = 6;
const WRITES_PER_LIFE = 72;
const SNAPSHOT_CHUNKS = 24;

/**
 * Several lives, so that tables and a log file both hold some; two snapshots, and the log compacted up to the first: what is
 * lost before the second is in it, what is lost after it only a peer has.
 */
export async function makeSample(path: string): Promise<Sample> {
  const prng = new Prng(1);
  await formatFolder(path, identity);
  let log: Entry[] = [];
  for (let life = 1; life <= LIVES; life += 1) {
    const { store } = await openFolder(path);
    try {
      await store.load();
      for (let write = 0; write < WRITES_PER_LIFE; write += 1) {
        const sizes = Array.from({ length: prng.between(1, 3) }, () => prng.between(60, 2_600));
        const more = entriesAfter(endOfAll(log), life, sizes);
        log = [...log, ...more];
        await store.write(writing(more, hard(life, log.length - more.length)));
      }
      if (life === 2 || life === 4) {
        const writer = await store.snapshots.create(subjectAt(endOfAll(log.slice(0, -20))));
        for (let chunk = 0; chunk < SNAPSHOT_CHUNKS; chunk += 1)
          await writer.append(Buffer.alloc(prng.between(900, 4_000), chunk + life));
        const { index } = await writer.commit();
        if (life === 2) await compactTo(store, index);
      }
    } finally {
      await store.close();
    }
  }
  return { path, log, files: await filesOf(join(path, 'raft')) };
}

async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const name = join(entry.parentPath, entry.name).slice(folder.length + 1);
    if (entry.isFile() && !/^LO(G|CK)/.test(entry.name))
      files.set(name, await readFile(join(folder, name)));
  }
  return files;
}

/** What kind of file it is, for people. */
export function kindOf(name: string): string {
  const kinds = [
    [/^\d+\.ldb$/, 'table (.ldb)'],
    [/^\d+\.log$/, 'log file (.log)'],
    [/^MANIFEST-/, 'MANIFEST'],
    [/\.data$/, 'snapshot chunks (.data)'],
    [/\.meta$/, 'snapshot meta (.meta)'],
  ] as const;
  return kinds.find(([pattern]) => pattern.test(name))?.[1] ?? name;
}

export const copySample = ({ path }: Sample, to: string): Promise<void> => copy(path, to);
