import { writeFileSync } from 'node:fs';
import type { Prng } from '../../src/base/prng.ts';
import { once } from '../end.ts';
import { about, type Fault } from './fault.ts';

/** Faults of the time of day; timers and time-outs run on another clock. */
export type ClockFault = 'clock';

const JUMP_SECONDS_MAX = 300;

export const CLOCK_FAULTS: Readonly<Record<ClockFault, Fault>> = {
  clock: {
    lacks: ({ tools }) =>
      tools.faketime === undefined ? 'libfaketime is not installed' : undefined,
    begin: ({ prng }, victim) => {
      const { where, sites } = about([victim]);
      const time = drawn(prng);
      setClock(victim.folder, time);
      const end = once(() => setClock(victim.folder, RIGHT));
      return { where: `${where}: ${time}`, sites, end };
    },
  },
};

const RIGHT = '+0';

/** A jump forwards or back, or a clock that is too fast or too slow. */
function drawn(prng: Prng): string {
  if (prng.chance(0.4)) return `+0 x${prng.pick([0.5, 0.9, 1.1, 2, 10])}`;
  return `${prng.pick(['+', '-'])}${prng.between(1, JUMP_SECONDS_MAX)}s`;
}

const pathOf = (folder: string): string => `${folder}.clock`;

function setClock(folder: string, time: string): void {
  writeFileSync(pathOf(folder), `${time}\n`);
}

/** What makes a process whose data is in `folder` read the time of day from a file. */
export function clockEnvironment(library: string, folder: string): Record<string, string> {
  setClock(folder, RIGHT);
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: pathOf(folder),
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}
