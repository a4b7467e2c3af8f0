import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Where recordings of a kind lie: in TOCSIN_RECORDINGS, or in `shared/data` beside the checkout or beside a folder that it
 * lies in. They are no part of the project; a folder that is not there stands for their absence.
 */
export function recordings(kind: 'bidmc' | 'physionet2012'): string {
  const named = process.env['TOCSIN_RECORDINGS'];
  return join(named ?? folderAbove(import.meta.dirname), kind);
}

function folderAbove(folder: string): string {
  const candidate = join(folder, 'shared', 'data');
  const parent = dirname(folder);
  return existsSync(candidate) || parent === folder ? candidate : folderAbove(parent);
}
