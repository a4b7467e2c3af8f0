import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX, ELECTION_TICKS_MIN } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { Message, Role } from '../../src/raft/types.ts';
import {
  accepted,
  append,
  ask,
  drain,
  heard,
  heartbeat,
  id,
  loneCore,
  loneLeader,
  message,
  sent,
  vote,
} from './lone-core.ts';

/** The roles of one replica and the ways between them (Figure 4, with pre-vote). */

const tick = (core: RaftCore, times: number): void => {
  for (let time = 0; time < times; time += 1) core.tick();
};

/** Replica 1 of 3, in each role, in term 4; its log ends in an entry of term 3 or, where it leads, of term 4. */
const roles: Readonly<Record<Role, () => RaftCore>> = {
  follower: () => {
    const core = loneCore({ log: [3], term: 4 });
    core.step(heartbeat([2, 1, 4]));
    return core;
  },
  'pre-candidate': () => {
    const core = loneCore({ log: [3], term: 4 });
    core.campaign();
    return core;
  },
  candidate: () => {
    const core = loneCore({ log: [3], term: 3 });
    core.campaign();
    core.step(vote([2, 1, 4], true));
    return core;
  },
  leader: () => loneLeader({ log: [3], term: 3 }),
};

const later: Readonly<Record<string, { readonly word: Message; readonly leader?: number }>> = {
  'an append': { word: append([3, 1, 7], id(1, 3), [7]), leader: 3 },
  'a heartbeat': { word: heartbeat([3, 1, 7]), leader: 3 },
  'an answer to an append': { word: accepted([3, 1, 7], 1) },
  'an answer to a heartbeat': { word: heard([3, 1, 7]) },
  'a refused vote': { word: message('vote-reply', [3, 1, 7], { pre: false, granted: false }) },
  'a vote': { word: vote([3, 1, 7], false) },
  'a refused pre-vote': { word: message('vote-reply', [3, 1, 7], { pre: true, granted: false }) },
  'an ordered campaign': { word: ask([3, 1, 7], id(9, 6), { transfer: true }) },
  'an order to campaign': { word: message('timeout-now', [3, 1, 7], { last: id(9, 6) }) },
};

test.each(
  Object.keys(roles).flatMap((role) => Object.keys(later).map((word) => [role, word] as const)),
)('a %s follows into the later term of %s', (role, word) => {
  const core = roles[role as Role]();
  drain(core);
  expect(core.standing).toMatchObject({ role, term: 4 });
  core.step(later[word]!.word);
  expect(core.standing).toMatchObject({ role: 'follower', term: 7, leader: later[word]!.leader });
  expect(core.takeReady()?.hardState).toMatchObject({ term: 7 });
});

test.each(Object.keys(roles))(
  'a %s votes for a candidate of a later term whose log is whole',
  (role) => {
    const core = roles[role as Role]();
    drain(core);
    // Ordered by the leader, so that it passes those who hear one.
    core.step(ask([3, 1, 7], id(1, 2), { transfer: true }));
    core.step(ask([2, 1, 7], id(9, 6), { transfer: true }));
    const answers = sent(drain(core), 'vote-reply');
    expect(answers).toMatchObject([
      { to: 3, term: 7, granted: false },
      { to: 2, term: 7, granted: true },
    ]);
  },
);

test('a replica starts as a follower, whatever it was, and waits a whole time-out', () => {
  for (const own of [
    { log: [3], term: 4 },
    { log: [3, 4], term: 4, vote: 1 },
    { log: [3, 4], term: 4, vote: 1, commit: 2 },
  ])
    for (let seed = 1; seed <= 20; seed += 1) {
      const core = loneCore({ ...own, seed });
      tick(core, ELECTION_TICKS_MIN - 1);
      expect([core.standing, drain(core).flatMap((ready) => ready.send)]).toEqual([
        { role: 'follower', term: 4, leader: undefined, transferring: false },
        [],
      ]);
    }
});

test('silence makes a follower ask all others about the next term, and a candidate likewise', () => {
  const core = loneCore({ voters: [1, 2, 3, 4, 5], log: [3], term: 4 });
  const requests = () => sent(drain(core), 'vote-request');
  tick(core, ELECTION_TICKS_MAX);
  expect(core.standing).toMatchObject({ role: 'pre-candidate', term: 4 });
  const question = (term: number, pre: boolean) =>
    [2, 3, 4, 5].map((to) => ({ to, term, pre, last: { index: 1, term: 3 } }));
  expect(requests().slice(0, 4)).toMatchObject(question(5, true));
  for (const voter of [2, 3]) core.step(vote([voter, 1, 5], true));
  expect(core.standing).toMatchObject({ role: 'candidate', term: 5 });
  const [ready] = drain(core);
  expect(ready?.hardState).toMatchObject({ term: 5, vote: 1 });
  expect(sent(ready === undefined ? [] : [ready], 'vote-request')).toMatchObject(
    question(5, false),
  );
  tick(core, ELECTION_TICKS_MAX);
  expect(core.standing).toMatchObject({ role: 'pre-candidate', term: 5 });
  const asked = requests().filter((each) => each.type === 'vote-request' && each.pre);
  expect(asked.slice(0, 4)).toMatchObject(question(6, true));
});

test.each(['follower', 'pre-candidate', 'candidate'] as const)('a %s takes no proposal', (role) => {
  const core = roles[role]();
  const { last } = core;
  expect(core.propose({ byteLength: 1 })).toEqual({ ok: false, reason: 'not-leader' });
  expect(core.last).toEqual(last);
});

test('a leader that is told to campaign goes on leading, and nobody hears of it', () => {
  const core = roles.leader();
  drain(core);
  core.campaign();
  expect([core.standing.role, core.standing.term, drain(core)]).toEqual(['leader', 4, []]);
});

test('the own vote, come late, elects nobody', () => {
  const core = loneCore({ term: 3 });
  core.campaign();
  core.step(vote([2, 1, 4], true));
  const own = core.takeReady()?.sendAfterSync.find((each) => each.to === 1);
  expect(own).toMatchObject({ type: 'vote-reply', term: 4, granted: true });
  // Lost to another leader before its own vote is durable …
  core.step(heartbeat([3, 1, 4]));
  core.step(own!);
  expect(core.standing).toMatchObject({ role: 'follower', leader: 3, term: 4 });
  // … and campaigning again: the vote of the term before is none in this one.
  core.peerLost(replicaId(3));
  core.campaign();
  core.step(vote([2, 1, 5], true));
  core.step(vote([2, 1, 5], false));
  core.step(own!);
  expect(core.standing).toMatchObject({ role: 'candidate', term: 5 });
});

test('a candidate has a whole time-out, however long it took until it was one', () => {
  const core = roles['pre-candidate']();
  tick(core, ELECTION_TICKS_MIN - 1);
  core.step(vote([2, 1, 5], true));
  tick(core, ELECTION_TICKS_MIN - 1);
  expect(core.standing).toMatchObject({ role: 'candidate', term: 5 });
});

test('whoever asks the question itself says yes to others who ask it', () => {
  const core = roles['pre-candidate']();
  drain(core);
  core.step(ask([2, 1, 5], id(1, 3), { pre: true }));
  expect(sent(drain(core), 'vote-reply')).toMatchObject([{ to: 2, pre: true, granted: true }]);
  expect(core.standing).toMatchObject({ role: 'pre-candidate', term: 4 });
});

test('questions without end disturb neither a leader nor whoever hears it', () => {
  const leader = roles.leader();
  const follower = roles.follower();
  for (let time = 0; time < ELECTION_TICKS_MAX * 4; time += 1) {
    for (const core of [leader, follower]) {
      core.tick();
      for (let spam = 0; spam < 5; spam += 1) core.step(ask([3, 1, 5], id(99, 4), { pre: true }));
    }
    leader.step(heard([2, 1, 4]));
    follower.step(heartbeat([2, 1, 4]));
    for (const core of [leader, follower]) expect(sent(drain(core), 'vote-reply')).toEqual([]);
  }
  expect(leader.standing).toMatchObject({ role: 'leader', term: 4 });
  expect(follower.standing).toMatchObject({ role: 'follower', term: 4, leader: 2 });
});

/** Role → roles that one input may lead to. A vote that a disk has made durable comes as an input of its own. */
const WAYS: Readonly<Record<Role, readonly Role[]>> = {
  follower: ['follower', 'pre-candidate', 'candidate'],
  'pre-candidate': ['follower', 'pre-candidate', 'candidate'],
  candidate: ['follower', 'pre-candidate', 'candidate', 'leader'],
  leader: ['follower', 'leader'],
};

test('roles change only along the ways there are, and each of them is taken', () => {
  const taken = new Set<string>();
  fc.assert(
    fc.property(fc.nat(1_000_000), (seed) => {
      const prng = new Prng(seed);
      const core = loneCore({ log: [1], seed });
      const follow = (what: () => void): void => {
        const { role: before, term, leader } = core.standing;
        what();
        const after = core.standing;
        expect(WAYS[before], `${before} to ${after.role}, seed ${seed}`).toContain(after.role);
        expect(after.term).toBeGreaterThanOrEqual(term);
        if (before === 'follower' && after.role === 'candidate') expect(leader).toBeDefined();
        taken.add(`${before} ${after.role}`);
      };
      for (let step = 0; step < 200; step += 1) {
        const { term, leader } = core.standing;
        const peer = leader === undefined || leader === 1 ? prng.pick([2, 3]) : leader;
        const words: Message[] = [
          vote([prng.pick([2, 3]), 1, term + 1], true),
          vote([prng.pick([2, 3]), 1, term], false),
          message('vote-reply', [peer, 1, term], { pre: prng.chance(0.5), granted: false }),
          message('timeout-now', [peer, 1, term], { last: id(1, 1) }),
          ask([peer, 1, term + 1], id(99, term), { transfer: prng.chance(0.3) }),
        ];
        const leads = core.standing.role === 'leader';
        if (!leads || prng.chance(0.1)) words.push(heartbeat([peer, 1, leads ? term + 1 : term]));
        if (prng.chance(0.5)) follow(() => core.step(prng.pick(words)));
        else if (prng.chance(0.1)) follow(() => core.campaign());
        else follow(() => tick(core, prng.between(1, 5)));
        for (let ready = core.takeReady(); ready !== undefined; ready = core.takeReady())
          for (const each of ready.sendAfterSync) if (each.to === 1) follow(() => core.step(each));
      }
    }),
  );
  for (const [from, ways] of Object.entries(WAYS))
    for (const to of ways) expect(taken).toContain(`${from} ${to}`);
});
