import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../../src/base/assert.ts';

/** `shared/data` beside the checkout, or beside the folder of worktrees that the checkout lies in. */
const PLACES = ['../../../../shared/data', '../../../../../shared/data'].map((path) =>
  join(import.meta.dirname, path),
);

/** Where recordings of a kind lie; TOCSIN_RECORDINGS names another folder of them. */
export function recordings(kind: 'bidmc' | 'physionet2012'): string {
  const named = process.env['TOCSIN_RECORDINGS'];
  const folder = named ?? PLACES.find((place) => existsSync(place)) ?? PLACES[0];
  return join(must(folder, 'there is a place to look'), kind);
}
