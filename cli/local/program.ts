import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TocsinError } from '../../src/base/errors.ts';

/**
 * The compiled program, to be run by this very Node: beside this file where it is compiled itself; in `dist/` where it
 * runs from its sources.
 * @throws TocsinError INTERNAL when `dist/` is missing or older than the sources
 */
export function programPath(here: string = import.meta.url): string {
  const folder = dirname(dirname(fileURLToPath(here)));
  const root = dirname(folder);
  if (!here.endsWith('.ts')) return join(folder, 'main.js');
  const program = join(root, 'dist', 'cli', 'main.js');
  const built = timeOf(join(root, 'dist', '.stamp'));
  if (built === undefined || timeOf(program) === undefined)
    throw new TocsinError('INTERNAL', `${program} is missing: run npm run build`);
  const newest = newestSource(root, ['src', 'cli']);
  if (newest.time > built)
    throw new TocsinError('INTERNAL', `${newest.path} is newer than dist/: run npm run build`);
  return program;
}

const timeOf = (path: string): number | undefined =>
  statSync(path, { throwIfNoEntry: false })?.mtimeMs;

function newestSource(
  root: string,
  folders: readonly string[],
): { readonly path: string; readonly time: number } {
  let newest = { path: '', time: 0 };
  for (const folder of folders)
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const path = join(folder, name);
      const time = timeOf(join(root, path)) ?? 0;
      if (time > newest.time) newest = { path, time };
    }
  return newest;
}
