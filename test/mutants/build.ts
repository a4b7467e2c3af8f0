import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { transformWithOxc } from 'vite';
import { applyMutant, type Mutant } from './mutant.ts';

/**
 * The built program with a seeded bug in it: a copy of `dist`, which has to be of today, with the one file compiled anew,
 * in `folder`, which is emptied first. Types are not checked: a bug may break them.
 * @throws Error when the mutant is stale, or its file cannot be compiled
 */
export async function buildMutant(mutant: Mutant, root: string, folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const dist = join(folder, 'dist');
  // What a build under way has made so far is not of the program.
  const isBuilt = (path: string): boolean => !basename(path).startsWith('.');
  cpSync(join(root, 'dist'), dist, { recursive: true, filter: isBuilt });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const code = await compileMutant(mutant, readFileSync(join(root, mutant.file), 'utf8'));
  writeFileSync(join(dist, mutant.file.replace(/\.ts$/, '.js')), asBuilt(code));
  return dist;
}

/** What the file becomes with the bug in it. @throws Error when the mutant is stale, or what it leaves is no program */
export async function compileMutant(mutant: Mutant, text: string): Promise<string> {
  const mutated = applyMutant(mutant, text);
  const { code } = await transformWithOxc(mutated, mutant.file, { lang: 'ts', sourcemap: false });
  return code;
}

/** Imports name the sources there, and what was made of them here. */
const asBuilt = (code: string): string => code.replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"');
