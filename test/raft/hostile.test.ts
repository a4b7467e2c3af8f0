import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BugError } from '../../src/base/assert.ts';
import { type LogIndex, logIndex, replicaId } from '../../src/base/ids.ts';
import { TERM_JUMP_MAX } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import { configurationOf } from '../../src/raft/configuration.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { EntryId, Message, Ready } from '../../src/raft/types.ts';
import { ask, drain, entries, heartbeat, id, loneCore, loneLeader, message } from './lone-core.ts';

/**
 * A peer that is who it says it is, but mad: anything that passes the wire, in any order. It may prove that agreement is
 * broken, by leading where another leads; nothing else may end the process, and the log stays whole whatever happens.
 */
const PROOF = /^two leaders in term/;

class Madness {
  readonly core: RaftCore;
  readonly #prng: Prng;
  /** Where the log ends, by what the core wants written. */
  #end = 0;
  #committed = 0;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    const options = { logMemoryBytesMax: 1_100, appendEntriesMax: 2, inflightAppendsMax: 2 };
    this.core = seed % 3 === 0 ? loneLeader({ seed, options }) : loneCore({ seed, options });
  }

  /** One thing happens. False when agreement was proven to be broken. */
  step(): boolean {
    try {
      this.#act();
      for (const ready of drain(this.core)) this.#check(ready);
    } catch (error) {
      if (error instanceof BugError && PROOF.test(error.message)) return false;
      throw error;
    }
    return true;
  }

  #act(): void {
    const prng = this.#prng;
    const peer = replicaId(prng.pick([1, 2, 2, 2, 3, 3, 3, 9]));
    switch (prng.between(0, 13)) {
      case 0:
        this.core.tick();
        break;
      case 1:
        this.core.propose({ byteLength: prng.between(0, 20) });
        break;
      case 2:
        this.core.read(1);
        break;
      case 3:
        this.core.peerLost(peer);
        break;
      case 4:
        this.core.entriesRead(peer, entries(this.#place(), ...this.#rising(9)));
        break;
      case 5:
        if (prng.chance(0.2)) this.core.transfer(peer);
        else this.core.release(Math.min(this.core.committed, this.#place()));
        break;
      case 6:
        this.#order();
        break;
      default:
        this.core.step(this.#message(peer === 1 ? 2 : peer));
    }
  }

  /** What the shell may want in between. */
  #order(): void {
    const { core } = this;
    const prng = this.#prng;
    switch (prng.between(0, 5)) {
      case 0:
        core.mute(prng.chance(0.1));
        break;
      case 1:
        core.stepDown();
        break;
      case 2:
        core.compact(prng.between(core.base.index, core.committed));
        break;
      case 3:
        if (prng.chance(0.3)) this.#restore();
        break;
      default:
        if (prng.chance(0.3)) core.campaign();
    }
  }

  #restore(): void {
    const { core } = this;
    const index = core.committed + this.#prng.between(0, 3);
    const held = core.termAt(index);
    const own = Math.max(core.last.term, Math.min(core.standing.term, 9));
    const term = held !== undefined && this.#prng.chance(0.5) ? held : own;
    core.restore({ ...id(index, term), configuration: configurationOf([1, 2, 3].map(replicaId)) });
  }

  /** Mostly near what is true, for a lie that is far off is soon found out. */
  #place(): number {
    const { prng, core } = { prng: this.#prng, core: this.core };
    const near = [0, 1, core.committed, core.last.index, core.last.index - 1, core.last.index + 1];
    return Math.max(0, prng.pick([...near, prng.between(0, 12), 2 ** 53 - 20]));
  }

  #term(): number {
    const own = this.core.standing.term;
    return Math.max(0, this.#prng.pick([own, own, own, own, own + 1, own - 1, 2 ** 53 - 1]));
  }

  /** What the wire lets pass: terms that never fall nor pass the sender's. */
  #past(termMax: number): EntryId {
    const at = this.#place();
    if (at === 0 || termMax === 0) return id(0, 0);
    const known = this.#prng.chance(0.7) ? this.core.termAt(at) : undefined;
    return id(at, Math.min(termMax, known ?? this.#prng.between(1, Math.min(termMax, 9))));
  }

  #rising(termMax: number, from = 1): number[] {
    const terms: number[] = [];
    let at = from;
    for (let count = this.#prng.between(0, 3); count > 0 && from <= termMax; count -= 1) {
      at = this.#prng.chance(0.7) ? at : Math.min(termMax, at + 1);
      terms.push(at);
    }
    return terms;
  }

  #message(from: number): Message {
    const prng = this.#prng;
    const term = this.#term();
    const way = [from, 1, term] as const;
    const last = this.#past(term);
    const pre = prng.chance(0.5);
    const accepts = prng.chance(0.5);
    const index: LogIndex = logIndex(this.#place());
    const hint = id(this.#place(), prng.pick([0, 1, term, 2 ** 53 - 1]));
    const prevTerms = this.#rising(term, Math.max(1, last.term));
    switch (prng.between(0, 11)) {
      case 11:
        return message('read-index', way, { sequence: this.#place() });
      case 10:
        return message('read-index-reply', way, {
          sequence: this.#place(),
          accepted: accepts,
          index,
        });
      case 9:
        if (prng.chance(this.core.standing.role === 'leader' ? 0.95 : 0.5)) break;
        return message('snapshot-offer', way, { last });
      case 0:
        return ask(way, last, { pre, transfer: prng.chance(0.3) });
      case 1:
      case 2:
        return message('vote-reply', way, { pre, granted: accepts });
      case 3:
        return message('timeout-now', way, { last });
      case 4:
        return message('heartbeat-reply', way, {
          round: this.#place(),
          stamp: this.#place(),
          beat: this.#place(),
        });
      case 5:
        if (this.core.standing.role === 'leader' && prng.chance(0.95)) break;
        return message('heartbeat', way, {
          commit: index,
          round: this.#place(),
          stamp: 0,
          echo: this.#place(),
          reached: index,
        });
      case 6:
        if (this.core.standing.role === 'leader' && prng.chance(0.95)) break;
        return message('append-request', way, {
          prev: last,
          entries: entries(last.index, ...prevTerms),
          commit: index,
        });
      default:
    }
    return message('append-reply', way, { accepted: accepts, index, hint });
  }

  #check(ready: Ready): void {
    const { core } = this;
    expect(ready.committed).toBeGreaterThanOrEqual(this.#committed);
    if (ready.snapshot !== undefined) {
      expect(ready.snapshot.index).toBeGreaterThan(this.#committed);
      if (!ready.snapshot.keepsLog) this.#end = ready.snapshot.index;
    }
    if (ready.truncateFrom !== undefined) {
      expect(ready.truncateFrom).toBeGreaterThan(this.#committed);
      this.#end = Math.min(this.#end, ready.truncateFrom - 1);
    }
    if (ready.snapshot !== undefined) this.#end = Math.max(this.#end, ready.snapshot.index);
    this.#committed = ready.committed;
    for (const entry of ready.append) {
      this.#end += 1;
      expect(entry.index).toBe(this.#end);
    }
    expect(core.last.index).toBe(this.#end);
    expect(core.last.index).toBeGreaterThanOrEqual(core.committed);
    for (const each of ready.send) {
      expect([2, 3, 9]).toContain(each.to);
      if (each.type === 'append-request') expect(each.entries.length).toBeLessThanOrEqual(2);
    }
  }
}

test('no words of a peer, however mad, end the process or hurt the log', () => {
  const roles = new Set<string>();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const madness = new Madness(seed);
      for (let step = 0; step < 300 && madness.step(); step += 1)
        roles.add(madness.core.standing.role);
    }),
    { numRuns: 200 },
  );
  expect([...roles].sort()).toEqual(['candidate', 'follower', 'leader', 'pre-candidate']);
});

test('a term too far ahead to be true is not followed, and campaigns go on', () => {
  for (const term of [TERM_JUMP_MAX + 6, 2 ** 53 - 1]) {
    const core = loneCore({ term: 5 });
    core.step(heartbeat([2, 1, term]));
    core.step(ask([2, 1, term], id(9, 9)));
    core.step(ask([2, 1, term], id(9, 9), { pre: true }));
    expect([core.standing.term, drain(core)]).toEqual([5, []]);
    core.campaign();
    expect(core.standing.role).toBe('pre-candidate');
  }
  const core = loneCore({ term: 5 });
  core.step(heartbeat([2, 1, TERM_JUMP_MAX + 5]));
  expect(core.standing).toMatchObject({ term: TERM_JUMP_MAX + 5, leader: 2 });
});

test('two leaders in one term are proof that agreement is broken: the process ends', () => {
  const core = loneCore({ term: 5 });
  core.step(heartbeat([2, 1, 5]));
  expect(() => core.step(heartbeat([3, 1, 5]))).toThrow(PROOF);
});

test('a core does not begin with what contradicts itself', () => {
  expect(() => loneCore({ voters: [1, 2, 2] })).toThrow('named twice');
  expect(() => loneCore({ log: [3], term: 2 })).toThrow('ahead of the hard state');
  expect(() => loneCore({ options: { heartbeatTicks: 10 } })).toThrow('before heartbeats');
  expect(() => loneCore({ options: { electionTicksMax: 14 } })).toThrow('all alike');
  expect(() => loneCore().step(heartbeat([2, 3, 1]))).toThrow('reached 1');
});
