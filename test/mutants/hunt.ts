import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildMutant } from './build.ts';
import type { Mutant } from './mutant.ts';

/** What one way to look for a seeded bug came to. */
export interface Way {
  readonly found: boolean;
  readonly says: string;
}

export const ROOT: string = join(import.meta.dirname, '..', '..');
export const say = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * Compiles the product with each seeded bug in turn, looks for the bug in every way that `waysOf` knows, and prints what
 * came of it. Answers with the exit status: 0 when each was found in all of them.
 */
export async function hunt(
  chosen: readonly Mutant[],
  waysOf: (mutant: Mutant, dist: string) => Promise<readonly Way[]>,
): Promise<0 | 1> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-hunt-'));
  const width = Math.max(...chosen.map(({ name }) => name.length));
  let missed = 0;
  try {
    for (const mutant of chosen) {
      const ways = await waysOf(mutant, await buildMutant(mutant, ROOT, folder));
      if (ways.some(({ found }) => !found)) missed += 1;
      for (const { says } of ways) say(`${mutant.name.padEnd(width)}  ${says}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  say(`${chosen.length - missed} passed, ${missed} failed`);
  return missed === 0 ? 0 : 1;
}
