import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { applyMutant, type Mutant } from './mutant.ts';

const COPIED = [
  'src',
  'cli',
  'bench',
  'jepsen-lite',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/**
 * Compiles the program with a seeded bug in it: a copy of the sources in `folder`, which is emptied first, and
 * `folder/dist` beside them. Types are not checked: a bug may break them.
 * @throws Error when the mutant is stale, or the compiler fails
 */
export function buildMutant(mutant: Mutant | undefined, root: string, folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of COPIED.filter((each) => existsSync(join(root, each))))
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  if (mutant !== undefined) {
    const path = join(folder, mutant.file);
    writeFileSync(path, applyMutant(mutant, readFileSync(path, 'utf8')));
  }
  const dist = join(folder, 'dist');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', join(folder, 'tsconfig.build.json'), '--outDir', dist, '--noCheck'];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${mutant?.name ?? 'the program'} does not compile:\n${stdout}`);
  return dist;
}
