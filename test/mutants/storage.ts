import type { Mutant } from './mutant.ts';

/** Bugs in what the disk keeps. */
export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'believe-a-shorter-log',
    claim: 'a log that lost its newest writes is known to have lost them',
    file: 'src/storage/state-record.ts',
    find: 'const lost = newest.sequence < mark.sequence;',
    replace: 'const lost = newest.sequence < 0;',
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
