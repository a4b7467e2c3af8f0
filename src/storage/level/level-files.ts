import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TocsinError } from '../../base/errors.ts';
import { VERIFIED_BLOCKS_PER_TURN } from '../../base/limits.ts';
import { faultOf } from './level.ts';
import { logDamage } from './level-log.ts';
import { type Manifest, readManifest } from './level-manifest.ts';
import { tableDamage } from './level-table.ts';

export interface FileDamage {
  /** Somebody took a file away: that is not what disks do, and nobody but an operator knows what else is gone. */
  readonly isMissing: boolean;
  readonly what: string;
}

/**
 * Verifies LevelDB's own files before LevelDB opens them, and touches none. As it is built for us,
 * LevelDB checks no checksum of a table, and a rotten one can end the process; it opens without its
 * log file; and a rotten record in a log file it skips, and then deletes the file.
 * @throws TocsinError DATA_LOCKED (the files change meanwhile), DISK_FAILED
 */
export async function findFileDamage(folder: string): Promise<FileDamage | undefined> {
  const damage = await damageIn(folder);
  if (damage === undefined) return undefined;
  // What another process is just writing looks damaged too, but not in the same way twice.
  if ((await damageIn(folder))?.what === damage.what) return damage;
  throw new TocsinError('DATA_LOCKED', `${folder} changes: another process uses it`);
}

async function damageIn(folder: string): Promise<FileDamage | undefined> {
  try {
    return await findDamage(folder);
  } catch (error) {
    throw faultOf(error, `verifying ${folder}`);
  }
}

const missing = (what: string): FileDamage => ({ isMissing: true, what: `${what} is missing` });
const rotten = (what: string): FileDamage => ({ isMissing: false, what });

async function findDamage(folder: string): Promise<FileDamage | undefined> {
  const files = await readdir(folder);
  if (!files.includes('CURRENT')) return missing('the file CURRENT');
  const name = /^(MANIFEST-\d+)\n$/.exec(await readFile(join(folder, 'CURRENT'), 'latin1'))?.[1];
  if (name === undefined) return rotten('the file CURRENT names no manifest');
  if (!files.includes(name))
    return files.some((each) => each.startsWith('MANIFEST-'))
      ? rotten(`the file CURRENT names ${name}, which is not there`)
      : missing(`the file ${name}`);
  const manifest = readManifest(await readFile(join(folder, name)));
  if (typeof manifest === 'string') return rotten(`${name}: ${manifest}`);
  return (
    (await findDamagedLog(folder, files, manifest)) ??
    (await findDamagedTable(folder, files, manifest))
  );
}

async function findDamagedLog(
  folder: string,
  files: readonly string[],
  manifest: Manifest,
): Promise<FileDamage | undefined> {
  const numbers = files.flatMap((name) => numberOf(name, /^(\d+)\.log$/));
  if (!numbers.includes(manifest.logNumber))
    return missing(`the log file ${fileName(manifest.logNumber, 'log')}`);
  for (const number of numbers) {
    if (number < manifest.logNumber) continue;
    const name = fileName(number, 'log');
    const problem = await inTurns(logDamage(await readFile(join(folder, name))));
    if (problem !== undefined) return rotten(`${name}: ${problem}`);
  }
  return undefined;
}

/**
 * Tables that the manifest does not list are no loss: an interrupted compaction leaves half of one.
 */
async function findDamagedTable(
  folder: string,
  files: readonly string[],
  manifest: Manifest,
): Promise<FileDamage | undefined> {
  for (const [number, length] of manifest.tables) {
    const name = fileName(number, 'ldb');
    if (!files.includes(name)) return missing(`the table ${name}`);
    const bytes = await readFile(join(folder, name));
    if (bytes.byteLength !== length)
      return rotten(`${name}: ${bytes.byteLength} bytes, not ${length}`);
    const problem = await inTurns(tableDamage(bytes));
    if (problem !== undefined) return rotten(`${name}: ${problem}`);
  }
  return undefined;
}

/** What comes of all steps, some in each turn of the loop: a file can have as much as LevelDB's buffer. */
async function inTurns<T>(steps: Generator<undefined, T>): Promise<T> {
  for (let made = 1; ; made += 1) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (made % VERIFIED_BLOCKS_PER_TURN === 0) await nextTurn();
  }
}

const fileName = (number: number, ending: string): string =>
  `${String(number).padStart(6, '0')}.${ending}`;

function numberOf(name: string, pattern: RegExp): number[] {
  const digits = pattern.exec(name)?.[1];
  return digits === undefined ? [] : [Number(digits)];
}
