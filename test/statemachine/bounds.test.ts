import { equal } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BoundedMap } from '../../src/statemachine/collections/bounded-map.ts';
import { ReplyTable } from '../../src/statemachine/collections/reply-table.ts';
import { Ring } from '../../src/statemachine/collections/ring.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { submit } from './stories.ts';

describe('what a machine keeps is bounded', () => {
  test('of resolved alerts the newest stay, in order of resolution', () => {
    const bench = new Bench({ resolvedAlertsMax: 3, dedupKeysRememberedMax: 10 });
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const dedupKey of names) bench.done(raise({ dedupKey }));
    for (const dedupKey of names.toReversed()) bench.done(clear({ target: { dedupKey } }));
    expect(bench.machine.resolvedCount).toBe(3);
    expect(bench.machine.list().alerts.map((one) => one.dedupKey)).toEqual(['a', 'b', 'c']);
    expect(bench.machine.get({ id: 'A5' })).toBeUndefined();
    expect(bench.do(acknowledge({ target: { id: 'A5' } }))).toMatchObject({
      code: 'ALERT_NOT_FOUND',
    });
  });

  test('an occurrence links over a dropped record while its condition is remembered', () => {
    const bench = new Bench({ resolvedAlertsMax: 1, dedupKeysRememberedMax: 2 });
    const names = ['a', 'b', 'c'];
    for (const dedupKey of names) {
      bench.done(raise({ dedupKey }));
      bench.done(clear({ target: { dedupKey } }));
    }
    const known = bench.alert(bench.done(raise({ dedupKey: 'b' })));
    expect(known).toMatchObject({ occurrence: 2, previous: 'A3' });
    expect(bench.machine.get({ id: 'A3' })).toBeUndefined();
    const forgotten = bench.alert(bench.done(raise({ dedupKey: 'a' })));
    expect(forgotten).toMatchObject({ occurrence: 1, previous: undefined });
  });

  test('versions of policies that open alerts go by are, and there is room again when one of these ends', () => {
    const bench = new Bench({ policyVersionsMax: 2 });
    const policy = {
      type: 'set-policy',
      id: 'default',
      steps: [{ targets: ['user:anna'], delaySeconds: 60 }],
      repeat: 0,
      minPriority: 'low',
      confirmSeconds: 3,
      actor: 'charge',
      observedAt: raise().observedAt,
    } as const;
    for (const dedupKey of ['a', 'b']) {
      expect(bench.do(policy)).toMatchObject({ effect: 'kept' });
      bench.done(raise({ dedupKey }));
    }
    expect(bench.do(policy)).toMatchObject({ code: 'OVER_LIMIT' });
    bench.done(raise({ dedupKey: 'c' }));
    bench.done(clear({ target: { dedupKey: 'a' } }));
    expect(bench.do(policy)).toMatchObject({ effect: 'kept', version: 3 });
  });

  test('a reply that had to go lets its command be done again', () => {
    const bench = new Bench({ repliesMax: 2 });
    const sent = ['x', 'y', 'z'].map((key) => submit(key.repeat(32), raise()));
    for (const one of sent) bench.submit(one);
    expect(sent.slice(1).map((one) => bench.submit(one).ok)).toEqual([true, true]);
    expect(bench.machine.revision).toBe(3);
    bench.submit(sent[0] as (typeof sent)[0]);
    expect(bench.machine.revision).toBe(4);
  });

  test('a repetition does not make its reply younger', () => {
    const bench = new Bench({ repliesMax: 2 });
    const sent = ['x', 'y', 'z'].map((key) => submit(key.repeat(32), raise()));
    const [x, y, z] = sent as [(typeof sent)[0], (typeof sent)[0], (typeof sent)[0]];
    for (const one of [x, y, x, x, z]) bench.submit(one);
    expect(bench.machine.revision).toBe(3);
    bench.submit(x);
    expect(bench.machine.revision).toBe(4);
  });

  test('a full list of acknowledgements keeps the first, and the first of this activation', () => {
    const bench = new Bench({ acknowledgementsMax: 4 });
    bench.done(raise({ priority: 'low' }));
    for (const actor of ['a', 'b', 'c']) bench.done(acknowledge({ actor }));
    bench.done(raise({ priority: 'high' }));
    for (const actor of ['d', 'e', 'f', 'g']) bench.done(acknowledge({ actor }));
    const end = bench.done(acknowledge({ actor: 'h' }));
    const kept = bench.alert(end).acknowledgements;
    expect(kept.map((one) => one.by)).toEqual(['a', 'd', 'g', 'h']);
    expect(end.effect).toBe('acknowledged');
  });

  test('five thousand short alerts leave no more than the limits allow', () => {
    const limits = { resolvedAlertsMax: 50, dedupKeysRememberedMax: 70, repliesMax: 9 };
    const bench = new Bench({ ...limits, listScanMax: 50 });
    for (let i = 0; i < 5_000; i += 1) {
      const dedupKey = `k${i % 300}`;
      bench.done(raise({ dedupKey }));
      bench.done(clear({ target: { dedupKey } }));
    }
    expect([bench.machine.openCount, bench.machine.resolvedCount]).toEqual([0, 50]);
    const page = bench.machine.list({}, { limit: 1_000 });
    expect(page.alerts).toHaveLength(50);
    expect(page.next, 'the ids of dropped alerts are dropped too').toBeUndefined();
  });
});

test('a bounded map keeps its newest entries, as a list that is cut would', () => {
  const operations = fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), operations, (max, steps) => {
      const map = new BoundedMap<number, readonly [number, string]>(max, ([key]) => key);
      let model: (readonly [number, string])[] = [];
      steps.forEach(([adds, key], i) => {
        const had = model.some(([one]) => one === key);
        if (!adds || had) {
          map.delete(key);
          model = model.filter(([one]) => one !== key);
          return;
        }
        const added = [key, `v${i}`] as const;
        model.push(added);
        const over = model.length > max ? model.shift() : undefined;
        expect(map.add(added)).toBe(over);
      });
      expect([...map.freeze().values()]).toEqual(model);
      expect(map.size).toBe(model.length);
      for (let key = 0; key < 10; key += 1)
        expect(map.get(key)).toBe(model.find(([one]) => one === key));
    }),
  );
});

test('a ring keeps its newest numbers in order of arrival, and so does what was frozen of it', () => {
  const rounds = fc.array(fc.nat(1_500), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), rounds, (max, counts) => {
      const ring = new Ring(max);
      const frozen: (readonly [readonly number[], Iterable<number>])[] = [];
      const all: number[] = [];
      for (const count of counts) {
        for (let n = 0; n < count; n += 1) {
          all.push(all.length * 7);
          equal(ring.add((all.length - 1) * 7), all[all.length - 1 - max]);
        }
        equal(ring.size, Math.min(all.length, max));
        frozen.push([all.slice(-max), ring.freeze()]);
      }
      for (const [numbers, view] of frozen) equal([...view].join(), numbers.join());
    }),
    { numRuns: 60 },
  );
});

test('a reply about an alert comes out of a reply table as it went in', () => {
  const bench = new Bench();
  const replies = [
    bench.done(raise()),
    bench.done(acknowledge()),
    bench.done(clear()),
    bench.do(clear()),
    { ok: true, effect: 'kept', id: 'X1', version: 7 } as const,
  ];
  const table = new ReplyTable(10, 0);
  for (const [n, reply] of replies.entries()) table.add(`${n}`, n, n / 2, reply);
  const kept = replies.map((_, n) => table.get(`${n}`, n));
  expect(kept).toEqual(replies.map((reply, n) => ({ fingerprint: n / 2, reply })));
});

test('a reply table keeps its newest replies, however their keys collide', () => {
  const operations = fc.array(fc.nat(30), { maxLength: 80 });
  const bound = fc.integer({ min: 1, max: 9 });
  const hashes = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(bound, hashes, fc.nat(), operations, (max, different, seed, keys) => {
      const table = new ReplyTable(max, seed);
      let model: number[] = [];
      const kept = (key: number): boolean =>
        table.get(`${key}`, key % different)?.fingerprint === key;
      for (const key of keys) {
        equal(kept(key), model.includes(key));
        if (model.includes(key)) continue;
        const reply = { ok: false, code: 'BAD_REQUEST', message: '' } as const;
        table.add(`${key}`, key % different, key, reply);
        model = [...model, key].slice(-max);
        for (let other = 0; other <= 30; other += 1) equal(kept(other), model.includes(other));
      }
    }),
  );
});

test('what a reply table was when it was frozen stays, in order of arrival, however often its ring goes round', () => {
  const rounds = fc.array(fc.nat(1_500), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), rounds, (max, counts) => {
      const table = new ReplyTable(max, 1);
      const frozen: { keys: string[]; view: ReturnType<ReplyTable['freeze']> }[] = [];
      const all: string[] = [];
      for (const count of counts) {
        for (let n = 0; n < count; n += 1) {
          const key = `${all.length}`;
          const reply = { ok: false, code: 'BAD_REQUEST', message: key } as const;
          table.add(key, all.length * 7_919, all.length, reply);
          all.push(key);
        }
        frozen.push({ keys: all.slice(-max), view: table.freeze() });
      }
      for (const { keys, view } of frozen) {
        const entries = [...view.entries()];
        equal(view.size, keys.length);
        equal(entries.map(([key]) => key).join(), keys.join());
        equal(entries.map(([, { reply }]) => (reply.ok ? '' : reply.message)).join(), keys.join());
      }
    }),
    { numRuns: 60 },
  );
});
