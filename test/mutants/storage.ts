import type { Mutant } from './mutant.ts';

/** Bugs in what the disk keeps. */
export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'believe-a-shorter-log',
    claim: 'a log that lost its newest writes is refused',
    file: 'src/storage/level-log-store.ts',
    find: 'if (stored.sequence < once)',
    replace: 'if (stored.sequence < 0)',
    killedBy: ['test/storage/high-water.test.ts'],
  },
  {
    name: 'believe-a-broken-chain',
    claim: 'each record leads to the next by its hash',
    file: 'src/storage/log-state.ts',
    find: 'if (record.previousChain !== end.chain)',
    replace: 'if (Number.isNaN(record.previousChain))',
    killedBy: ['test/storage/'],
  },
];
