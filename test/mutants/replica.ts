import type { Mutant } from './mutant.ts';

/** Bugs in the shell around the core. */
export const REPLICA_MUTANTS: readonly Mutant[] = [
  {
    name: 'answer-for-another-entry',
    claim: 'a caller whose entry was replaced is not told that it was done',
    file: 'src/replica/pipeline/proposals.ts',
    find: 'if (waiting.id.term !== entry.term) {',
    replace: 'if (waiting.id.term > entry.term) {',
    killedBy: ['test/replica/proposals.test.ts'],
    simulated: true,
  },
  {
    name: 'deny-what-may-be-written',
    claim: 'a command that may be committed yet is unknown, not refused',
    file: 'src/replica/pipeline/proposals.ts',
    find: 'for (const { batch } of pending) this.refused(batch, maybeWritten);',
    replace: 'for (const { batch } of pending) this.refused(batch, notWritten);',
    killedBy: ['test/replica/proposals.test.ts'],
    simulated: true,
  },
  {
    name: 'release-before-sync',
    claim: 'what depends on a write leaves after it',
    file: 'src/replica/pipeline/disk-writer.ts',
    find: 'this.#hardState = ready.hardState;\n    this.#after.push(...ready.sendAfterSync);\n    return [];',
    replace: 'this.#hardState = ready.hardState;\n    return ready.sendAfterSync;',
    killedBy: ['test/replica/disk-writer.test.ts'],
    simulated: true,
  },
  {
    name: 'skip-an-event-at-resume',
    claim: 'a watch that resumes misses nothing',
    file: 'src/replica/service/watch-hub.ts',
    find: 'const next = from ?? revision(this.#history.newest + 1);',
    replace: 'const next = revision((from ?? this.#history.newest) + 1);',
    killedBy: ['test/replica/watch-hub.test.ts'],
    simulated: true,
  },
  {
    name: 'scrub-without-rest',
    claim: 'reading what is at rest takes a small share of the time, however slow it is',
    file: 'src/replica/health/scrubber.ts',
    find: 'Math.max(began + SCRUB_SLICE_MS, ended + rest)',
    replace: 'began + Math.min(SCRUB_SLICE_MS, rest)',
    killedBy: ['test/replica/scrubber.test.ts'],
  },
];
