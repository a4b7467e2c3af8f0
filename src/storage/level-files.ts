import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TocsinError } from '../base/errors.ts';
import { faultOf } from './level.ts';
import { findLogDamage } from './level-log.ts';
import { type Manifest, readManifest } from './level-manifest.ts';
import { findTableDamage } from './level-table.ts';

/**
 * Verifies LevelDB's own files before LevelDB opens them, and touches none. As it is built for us,
 * LevelDB checks no checksum of a table, and a rotten one can end the process; it opens without its
 * log file; and a rotten record in a log file it skips, and then deletes the file.
 * @throws TocsinError DATA_CORRUPT, DATA_LOCKED (the files change meanwhile), DISK_FAILED
 */
export async function verifyFiles(folder: string): Promise<void> {
  const damage = await damageIn(folder);
  if (damage === undefined) return;
  // What another process is just writing looks damaged too, but not in the same way twice.
  if ((await damageIn(folder)) === damage)
    throw new TocsinError('DATA_CORRUPT', `${folder}: ${damage}; nothing was touched`);
  throw new TocsinError('DATA_LOCKED', `${folder} changes: another process uses it`);
}

async function damageIn(folder: string): Promise<string | undefined> {
  try {
    return await findDamage(folder);
  } catch (error) {
    throw faultOf(error, `verifying ${folder}`);
  }
}

async function findDamage(folder: string): Promise<string | undefined> {
  const files = await readdir(folder);
  if (!files.includes('CURRENT')) return 'the file CURRENT is missing';
  const name = /^(MANIFEST-\d+)\n$/.exec(await readFile(join(folder, 'CURRENT'), 'latin1'))?.[1];
  if (name === undefined) return 'the file CURRENT names no manifest';
  if (!files.includes(name)) return `the file ${name} is missing`;
  const manifest = readManifest(await readFile(join(folder, name)));
  if (typeof manifest === 'string') return `${name}: ${manifest}`;
  return (
    (await findDamagedLog(folder, files, manifest)) ??
    (await findDamagedTable(folder, files, manifest))
  );
}

async function findDamagedLog(
  folder: string,
  files: readonly string[],
  manifest: Manifest,
): Promise<string | undefined> {
  const numbers = files.flatMap((name) => numberOf(name, /^(\d+)\.log$/));
  if (!numbers.includes(manifest.logNumber))
    return `the log file ${fileName(manifest.logNumber, 'log')} is missing`;
  for (const number of numbers) {
    if (number < manifest.logNumber) continue;
    const name = fileName(number, 'log');
    const problem = findLogDamage(await readFile(join(folder, name)));
    if (problem !== undefined) return `${name}: ${problem}`;
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
): Promise<string | undefined> {
  for (const [number, length] of manifest.tables) {
    const name = fileName(number, 'ldb');
    if (!files.includes(name)) return `the table ${name} is missing`;
    const bytes = await readFile(join(folder, name));
    if (bytes.byteLength !== length) return `${name}: ${bytes.byteLength} bytes, not ${length}`;
    const problem = findTableDamage(bytes);
    if (problem !== undefined) return `${name}: ${problem}`;
  }
  return undefined;
}

const fileName = (number: number, ending: string): string =>
  `${String(number).padStart(6, '0')}.${ending}`;

function numberOf(name: string, pattern: RegExp): number[] {
  const digits = pattern.exec(name)?.[1];
  return digits === undefined ? [] : [Number(digits)];
}
