import type { Mutant } from './mutant.ts';

/** Bugs in what a session remembers. */
export const SESSION_MUTANTS: readonly Mutant[] = [
  {
    name: 'forget-what-is-not-answered',
    claim: 'a session passes over no command of which it does not know that it was carried out',
    file: 'src/statemachine/beside/sessions.ts',
    find: 'if (replies.get(at) === undefined)\n        return refuse',
    replace: 'if (at < 0)\n        return refuse',
    killedBy: ['test/statemachine/sessions.test.ts'],
  },
  {
    name: 'expire-who-was-heard-from',
    claim: 'a session lives for as long as its client is heard from',
    file: 'src/statemachine/beside/sessions.ts',
    find: 'secondsAfter(session.seenAt, session.leaseSeconds)',
    replace: 'secondsAfter(session.openedAt, session.leaseSeconds)',
    killedBy: ['test/statemachine/sessions.test.ts'],
  },
  {
    name: 'expire-by-the-own-clock',
    claim: 'a session ends by the time in the log',
    file: 'src/statemachine/beside/sessions.ts',
    find: 'if (dueAt <= this.#ledger.time) {',
    replace: 'if (dueAt <= this.#ledger.time + Date.now()) {',
    killedBy: ['test/statemachine/sessions.test.ts'],
    test: 'a session ends by the time in the log',
  },
  {
    name: 'deny-what-an-earlier-session-did',
    claim: 'an expired session says nothing of an attempt that was made before',
    file: 'src/client/batch.ts',
    find: 'no !== undefined && this.mayHaveHappened',
    replace: 'no !== undefined && this.calls.length < 0',
    killedBy: ['test/client/session-truth.test.ts'],
  },
  {
    name: 'tell-more-than-the-cluster-takes',
    claim: 'the places that an outage used up are free again when it is over',
    file: 'src/client/write-session.ts',
    find: 'return Math.min(this.#next - 1, reach);',
    replace: 'return this.#next - 1;',
    killedBy: ['test/replica/sessions.test.ts'],
    test: 'the places that an outage used up',
  },
  {
    name: 'wait-in-the-time-of-another',
    claim: 'a call waits for its session no longer than it may itself',
    file: 'src/client/write-session.ts',
    find: 'limits, isOurs ? undefined : deadline)',
    replace: 'limits, isOurs ? undefined : deadline * 2)',
    killedBy: ['test/replica/sessions.test.ts'],
    test: 'no call waits for its session longer',
  },
];
