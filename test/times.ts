import type * as fastCheck from 'fast-check';
import { vi } from 'vitest';

/**
 * Every property is tried `TIMES` as often as it says: what fails once in ten thousand draws is met by chance on the day
 * it hurts, and on purpose here (`npm run test:properties`).
 */
const TIMES = Number(process.env['TIMES'] ?? 1);
const RUNS_OF_LIBRARY = 100;

type Library = typeof fastCheck;

if (TIMES !== 1)
  vi.doMock('fast-check', async (original) => {
    const library = (await original()) as Library;
    const assert: Library['assert'] = (property, settings) =>
      library.assert(property as never, {
        ...(settings as object),
        numRuns: Math.ceil((settings?.numRuns ?? RUNS_OF_LIBRARY) * TIMES),
      }) as never;
    return { ...library, assert, default: { ...library.default, assert } };
  });
