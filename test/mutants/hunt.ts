import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildMutant } from './build.ts';
import type { Mutant } from './mutant.ts';

/** What one way to look for a seeded bug came to. */
export interface Way {
  readonly found: boolean;
  /** This machine cannot make what would show it: neither found nor missed. */
  readonly impossible?: true;
  readonly says: string;
}

export const ROOT: string = join(import.meta.dirname, '..', '..');
export const say = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * Compiles the product with each seeded bug in turn, looks for the bug in every way that `waysOf` knows, and prints what
 * came of it. Answers with the exit status: 0 when each that can be looked for here was found in all of them. `lanes` hunt
 * beside each other.
 */
export async function hunt(
  chosen: readonly Mutant[],
  waysOf: (mutant: Mutant, dist: string) => Promise<readonly Way[]>,
  lanes = 1,
): Promise<0 | 1> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-hunt-'));
  const width = Math.max(...chosen.map(({ name }) => name.length));
  const left = [...chosen];
  let missed = 0;
  let impossible = 0;
  const huntIn = async (lane: number): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const ways = await waysOf(mutant, await buildMutant(mutant, ROOT, join(folder, `${lane}`)));
      if (ways.some((way) => way.impossible)) impossible += 1;
      else if (ways.some(({ found }) => !found)) missed += 1;
      for (const { says } of ways) say(`${mutant.name.padEnd(width)}  ${says}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: lanes }, (_, lane) => huntIn(lane)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const also = impossible === 0 ? '' : `, ${impossible} not possible here`;
  say(`${chosen.length - missed - impossible} passed, ${missed} failed${also}`);
  return missed === 0 ? 0 : 1;
}
