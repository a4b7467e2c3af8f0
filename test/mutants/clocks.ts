import type { Mutant } from './mutant.ts';
import { CLOCKS } from './worlds.ts';

/** Bugs in what time it is. */
export const CLOCK_MUTANTS: readonly Mutant[] = [
  {
    name: 'stamp-with-the-own-clock',
    claim: 'a leader whose clock is far off does not take log time with it',
    file: 'src/replica/clocks/log-time.ts',
    find: 'const agreed = this.#agreed();',
    replace: 'const agreed: number | undefined = this.#clock.wall();',
    killedBy: ['test/replica/clocks.test.ts'],
    simulated: CLOCKS,
    processes: '--workload escalation --nemesis clock --lasts 3',
  },
  {
    name: 'believe-a-slow-answer',
    claim: 'what a clock is said to show is not older than it seems',
    file: 'src/replica/clocks/clocks.ts',
    find: 'if (error > CLOCK_ERROR_MS_MAX) return;',
    replace: '',
    killedBy: ['test/replica/clocks.test.ts'],
  },
];
