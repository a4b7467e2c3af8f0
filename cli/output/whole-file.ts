import { constants } from 'node:fs';
import { access, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TocsinError } from '../../src/base/errors.ts';

/**
 * Finds out before the work begins whether its result can be written, without leaving a trace.
 * @throws TocsinError USAGE
 */
export async function mustBeWritable(path: string): Promise<void> {
  try {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) throw new Error('it is a folder');
    if (found !== undefined) await access(path, constants.W_OK);
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/**
 * All of it or nothing: a reader never meets half a file.
 * @throws TocsinError USAGE
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const staging = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(staging, content);
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { force: true });
    throw unwritable(path, error);
  }
}

const unwritable = (path: string, error: unknown): TocsinError => {
  const why = error instanceof Error ? error.message : String(error);
  return new TocsinError('USAGE', `--out ${path} cannot be written: ${why}`, { cause: error });
};
