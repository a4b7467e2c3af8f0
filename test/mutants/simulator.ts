import type { Mutant } from './mutant.ts';
import { MIXED, READING, ROTTEN, SESSIONS, TRENDS, WIPED } from './worlds.ts';

/** Bugs that show above all where whole clusters are simulated. */
export const CLUSTER_MUTANTS: readonly Mutant[] = [
  {
    name: 'answer-a-read-unconfirmed',
    claim: 'a linearizable read is confirmed by a quorum, whoever answers it',
    file: 'src/replica/service/read-desk.ts',
    find: "if (level === 'local') done(",
    replace: "if (typeof level === 'string') done(",
    killedBy: ['test/replica/levels.test.ts'],
    simulated: READING,
  },
  {
    name: 'leave-the-replies-of-sessions-behind',
    claim:
      'what a session remembers is in the snapshot: a repetition after it gets the first reply',
    file: 'src/statemachine/snapshot/restore.ts',
    find: 'if (this.#records?.sessions.restoreReply(place, { fingerprint, reply }) !== true)',
    replace: 'if (place === undefined)',
    killedBy: ['test/statemachine/'],
    simulated: SESSIONS,
  },
  {
    name: 'let-nobody-in',
    claim: 'a new member may join at an address that no other has',
    file: 'src/replica/peers/member-change.ts',
    find: 'const taken = members.find((member) => member.address === address);',
    replace: 'const taken = members.find((member) => member.id !== id);',
    killedBy: ['test/replica/membership.test.ts'],
    simulated: WIPED,
  },
  {
    name: 'believe-a-rotten-snapshot',
    claim: 'what is read of a snapshot is verified',
    file: 'src/storage/snapshots.ts',
    find: 'return isChunk(bytes, chunk) ? bytes : undefined;',
    replace: 'return bytes;',
    killedBy: ['test/storage/memory-log-store.test.ts'],
    simulated: ROTTEN,
  },
  {
    name: 'speak-the-own-version-alone',
    claim: 'builds of two versions speak the highest that both know',
    file: 'src/wire/handshake.ts',
    find: 'if (version < theirs.min || version < ours.min)',
    replace: 'if (theirs.max !== ours.max)',
    killedBy: ['test/wire/'],
    simulated: MIXED,
  },
  {
    name: 'take-for-all-what-a-peer-has',
    claim: 'what a peer has is joined with what is here: neither takes the place of the other',
    file: 'src/replica/trend/keeper.ts',
    find: 'const both = [before[at], encoded]',
    replace: 'const both = [encoded ?? before[at]]',
    killedBy: ['test/replica/trend/convergence.test.ts'],
    simulated: TRENDS,
  },
  {
    name: 'journal-no-samples',
    claim: 'an acknowledged sample of the second before last outlives the process',
    file: 'src/replica/trend/keeper.ts',
    find: 'if (!this.#isPaused) this.#samples.append(now, batch.bytes);',
    replace: 'if (this.#isPaused) this.#samples.append(now, batch.bytes);',
    killedBy: ['test/replica/trend/convergence.test.ts'],
    simulated: TRENDS,
  },
];
