import type { Mutant } from './mutant.ts';
import { DISORDERLY, MIXED, ROTTEN, SESSIONS, WIPED } from './worlds.ts';

/** Bugs that show above all where whole clusters are simulated. */
export const CLUSTER_MUTANTS: readonly Mutant[] = [
  {
    name: 'cut-what-is-committed',
    claim: 'what is committed is never cut',
    file: 'src/raft/replication.ts',
    find: 'if (m.prev.index < log.committed) {',
    replace: 'if (m.prev.index < 0) {',
    killedBy: ['test/raft/'],
    simulated: DISORDERLY,
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
    name: 'let-in-who-was-wiped',
    claim: 'a wiped disk is not let in under its old number',
    file: 'src/replica/peers/members.ts',
    find: 'if (known !== undefined && known !== remote.incarnation)',
    replace: 'if (known !== undefined && known < 0)',
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
];
