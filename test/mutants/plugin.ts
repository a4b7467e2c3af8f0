import { join } from 'node:path';
import { applyMutant } from './mutant.ts';
import { mutantNamed } from './table.ts';

/** The part of a plugin of vite that is used here. */
interface MutatingPlugin {
  readonly name: string;
  readonly enforce: 'pre';
  readonly transform: (code: string, id: string) => string | undefined;
}

/** Hands the tests one file of the sources with a seeded bug in it. @throws Error when there is no such mutant */
export function mutating(name: string, root: string): MutatingPlugin {
  const mutant = mutantNamed(name);
  const path = join(root, mutant.file);
  return {
    name: 'mutating',
    enforce: 'pre',
    transform: (code, id) => (id.split('?')[0] === path ? applyMutant(mutant, code) : undefined),
  };
}
