import type * as fastCheck from 'fast-check';
import { vi } from 'vitest';

/**
 * What properties are tried with, beyond what each says itself.
 *
 * `TIMES`: so many times as often. What fails once in ten thousand draws is met by chance on the day it hurts, and on
 * purpose here (`npm run test:properties`).
 *
 * `SEED`: what is drawn, the same in each run. Without it each run draws anew, and so finds more as time goes by; a
 * verdict about a commit must not depend on luck (`.ci/run`).
 *
 * `MUTANT`: the first draw that fails is enough, since nobody reads it: to look for a smaller one takes most of the time.
 */
const TIMES = Number(process.env['TIMES'] ?? 1);
const { SEED, MUTANT } = process.env;
const RUNS_OF_LIBRARY = 100;

type Library = typeof fastCheck;

const oftener =
  ({ assert }: Library): Library['assert'] =>
  (property, settings) =>
    assert(property as never, {
      ...(settings as object),
      numRuns: Math.ceil((settings?.numRuns ?? RUNS_OF_LIBRARY) * TIMES),
    }) as never;

if (TIMES !== 1 || SEED !== undefined || MUTANT !== undefined)
  vi.doMock('fast-check', async (original) => {
    const library = (await original()) as Library;
    library.configureGlobal({
      ...library.readConfigureGlobal(),
      ...(SEED !== undefined && { seed: Number(SEED) }),
      ...(MUTANT !== undefined && { endOnFailure: true }),
    });
    const assert = oftener(library);
    return { ...library, assert, default: { ...library.default, assert } };
  });
