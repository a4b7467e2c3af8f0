import type { Mutant } from './mutant.ts';

/** Bugs in how fresh an answer is. */
export const READ_MUTANTS: readonly Mutant[] = [
  {
    name: 'call-fresh-what-was-asked-long-ago',
    claim: 'what a quorum confirmed is as old as the question',
    file: 'src/replica/service/read-desk.ts',
    find: 'const askedAt = clock.monotonic();\n    this.#confirm((error) => {',
    replace: 'this.#confirm((error) => {\n      const askedAt = clock.monotonic();',
    killedBy: ['test/replica/levels.test.ts'],
  },
  {
    name: 'let-an-answer-grow-old',
    claim: 'an answer is no older than was asked when it is built',
    file: 'src/replica/service/read-desk.ts',
    find: 'return maxAgeMs === undefined || this.#isWithin(maxAgeMs, freshness);',
    replace: 'return maxAgeMs === undefined || freshness !== undefined;',
    killedBy: ['test/replica/levels.test.ts'],
  },
  {
    name: 'ask-for-a-young-answer-for-ever',
    claim: 'what cannot be had as young as that is refused',
    file: 'src/replica/service/client-session.ts',
    find: 'else if (isRepeated) this.#fail(id, tooOld());',
    replace: 'else if (isRepeated) this.#sendAnswer(id, body);',
    killedBy: ['test/replica/levels.test.ts'],
  },
];
