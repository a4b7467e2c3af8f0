import type { Mutant } from './mutant.ts';

/** Bugs in how what is lost at rest is found and made good while a replica runs. */
export const HEALING_MUTANTS: readonly Mutant[] = [
  {
    name: 'wait-for-a-learner',
    claim: 'the only voter heals by itself, for nobody else can lead meanwhile',
    file: 'src/replica/upkeep.ts',
    find: 'isAlone: () => votersOf(driver.configuration).every((id) => id === self),',
    replace: 'isAlone: () => members.others.length === 0,',
    killedBy: ['test/replica/rot-in-use.test.ts'],
  },
  {
    name: 'give-up-what-is-applied',
    claim: 'what all have lost while they run is not lost as long as one has applied it',
    file: 'src/replica/health/repair.ts',
    find: 'return this.#parts.isApplied\n      ?',
    replace: 'return this.#parts.isApplied && !this.#isHopeless([])\n      ?',
    killedBy: ['test/replica/rot-in-use.test.ts'],
  },
  {
    name: 'die-of-rot-before-a-cut',
    claim: 'a log is cut behind an entry that has rotted',
    file: 'src/storage/log/level-entries.ts',
    find: 'if (next?.index !== from) throw corrupt(record);',
    replace: 'if (next === undefined || next.index > 0) throw corrupt(record);',
    killedBy: ['test/replica/rot-in-use.test.ts'],
  },
  {
    name: 'die-of-rot-before-a-repair',
    claim: 'what rots while peers are waited for is repaired too',
    file: 'src/storage/log/log-repair.ts',
    find: 'const isThere = !isDamaged && (await isWhole(database, before));',
    replace: 'const isThere = !isDamaged;',
    killedBy: ['test/replica/rot-in-use.test.ts'],
  },
  {
    name: 'die-of-rot-where-a-snapshot-ends',
    claim: 'a snapshot is installed though the entry that it reaches has rotted',
    file: 'src/storage/log/level-entries.ts',
    find: 'const next = await recordAt(database, index + 1);',
    replace: 'const next = record as string | EntryRecord;',
    killedBy: ['test/storage/memory-log-store.test.ts'],
  },
  {
    name: 'rely-on-a-rotten-snapshot',
    claim: 'a snapshot is read before the log is let go for it',
    file: 'src/replica/snapshots/snapshotter.ts',
    find: 'if (!(await snapshots.verify(newest.id, chunk))) return false;',
    replace: 'void snapshots;',
    killedBy: ['test/replica/rot-in-use.test.ts'],
  },
  {
    name: 'scrub-what-the-disk-knows-of',
    claim: 'the last entry is looked at as soon as it is committed',
    file: 'src/storage/log/scrub.ts',
    find: 'lower(higher(hardState.commit, known), end.index)',
    replace: 'lower(higher(hardState.commit, hardState.commit), end.index)',
    killedBy: ['test/replica/rot-in-use.test.ts'],
  },
  {
    name: 'repair-after-the-end',
    claim: 'a replica that is stopped asks nobody for anything',
    file: 'src/replica/snapshots/snapshot-desk.ts',
    find: 'if (this.#isStopped) return Promise.resolve(false);',
    replace: '',
    killedBy: ['test/replica/rot-in-use.test.ts'],
  },
];
