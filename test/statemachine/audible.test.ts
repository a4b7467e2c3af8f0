import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { revision, unixMillis } from '../../src/base/ids.ts';
import type { Matcher } from '../../src/statemachine/beside/suppression.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { ReferenceModel } from './reference-model.ts';
import { play, SMALL_LIMITS, story, write } from './stories.ts';

const by = { actor: 'nurse-1', observedAt: unixMillis(1) };
const BED: Matcher = { field: 'bed', values: ['12'] };
const silence = (seconds: number, matchers: readonly Matcher[] = [BED]): Command => ({
  type: 'silence',
  matchers,
  seconds,
  reason: 'noisy',
  ...by,
});
const window = (seconds: number, scope: { bed?: string; unit?: string }): Command => ({
  type: 'open-window',
  ...scope,
  startAt: unixMillis(1),
  endAt: unixMillis(2_000 + seconds * 1_000),
  reason: 'test',
  ...by,
});

/** Entries of the bench are a second apart: what it takes until `seconds` later. */
function effectsAfter(bench: Bench, seconds: number): string[] {
  const had = bench.out.events.length;
  for (let n = 0; n < seconds; n += 1) bench.do({ type: 'unsilence', id: 'S99', ...by });
  return bench.out.events.slice(had).map(({ effect, actor }) => `${effect} by ${actor}`);
}

describe('an alert that can be heard again says so', () => {
  test('when a silence is over by its time', () => {
    const bench = new Bench();
    bench.done(raise());
    bench.do(silence(5));
    expect(effectsAfter(bench, 4)).toEqual([]);
    expect(effectsAfter(bench, 1)).toEqual(['audible by tocsin']);
    expect(effectsAfter(bench, 9)).toEqual([]);
  });

  test('when somebody ends the silence', () => {
    const bench = new Bench();
    bench.done(raise());
    bench.do(silence(60));
    bench.do({ type: 'unsilence', id: 'S1', ...by });
    expect(bench.out.events.at(-1)).toMatchObject({ effect: 'audible', actor: 'nurse-1' });
  });

  test('when its priority may be silenced no longer, while others still are', () => {
    const bench = new Bench();
    bench.done(raise({ priority: 'high' }));
    bench.done(raise({ dedupKey: 'other', priority: 'low' }));
    bench.do(silence(3_000));
    expect(effectsAfter(bench, 899)).toEqual([]);
    expect(effectsAfter(bench, 1)).toEqual(['audible by tocsin']);
    expect(bench.out.events.at(-1)?.alert.priority).toBe('high');
    expect(effectsAfter(bench, 2_100)).toEqual(['audible by tocsin']);
    expect(bench.out.events.at(-1)?.alert.priority).toBe('low');
  });

  test.each([[{ bed: '12' }], [{ unit: 'icu-2' }]])('when a window over %o ends', (scope) => {
    const bench = new Bench();
    bench.done(raise());
    bench.do(window(5, scope));
    expect(effectsAfter(bench, 4)).toEqual([]);
    expect(effectsAfter(bench, 1)).toEqual(['audible by tocsin']);
  });

  test('when what explained it is gone', () => {
    const bench = new Bench();
    bench.done(raise());
    bench.done(raise({ dedupKey: 'off', kind: 'technical', condition: 'ECG:LEADS_OFF' }));
    bench.do(clear({ target: { dedupKey: 'off' } }));
    const newest = bench.out.events.slice(-2).map(({ effect, alert }) => [effect, alert.condition]);
    expect(newest).toEqual([
      ['cleared', 'ECG:LEADS_OFF'],
      ['audible', 'HR:HI'],
    ]);
  });

  test('after a transaction, not between its commands', () => {
    const bench = new Bench();
    bench.done(raise());
    const device = { kind: 'technical', condition: 'ECG:LEADS_OFF' } as const;
    for (const dedupKey of ['off', 'also off']) bench.done(raise({ dedupKey, ...device }));
    const commands = ['off', 'also off'].map((dedupKey) => clear({ target: { dedupKey } }));
    const exact = acknowledge({ expectedRevision: revision(1) });
    const reply = bench.do({
      type: 'transaction',
      guards: [],
      commands: [...commands, exact],
      ...by,
    });
    expect(reply.ok).toBe(true);
    const effects = bench.out.events.slice(3).map(({ effect }) => effect);
    expect(effects).toEqual(['cleared', 'cleared', 'acknowledged']);
    bench.done(raise({ dedupKey: 'off', ...device }));
    bench.done({
      type: 'unacknowledge',
      target: { dedupKey: raise().dedupKey },
      reason: 'x',
      ...by,
    });
    bench.do({ type: 'transaction', guards: [], commands: commands.slice(0, 1), ...by });
    const last = bench.out.events.slice(-2);
    expect(last.map(({ effect, transaction }) => [effect, transaction])).toEqual([
      ['cleared', last[0]?.revision],
      ['audible', last[0]?.revision],
    ]);
  });

  test('once, when two silences and a window end at the same instant', () => {
    const bench = new Bench();
    bench.done(raise());
    bench.do(silence(6));
    bench.do(silence(5));
    bench.do(window(6, { bed: '12' }));
    expect(effectsAfter(bench, 9)).toEqual(['audible by tocsin']);
  });

  test('but not while it is acknowledged, paused, or silenced by another one', () => {
    const bench = new Bench();
    bench.done(raise({ dedupKey: 'seen' }));
    bench.done(acknowledge({ target: { dedupKey: 'seen' } }));
    bench.done(raise({ dedupKey: 'paused' }));
    bench.done({ type: 'pause', target: { dedupKey: 'paused' }, seconds: 100, ...by });
    bench.done(raise({ dedupKey: 'other', subject: { bed: '12', patient: 'p9' } }));
    bench.do(silence(100, [{ field: 'patient', values: ['p9'] }]));
    bench.do(silence(5));
    expect(effectsAfter(bench, 9)).toEqual([]);
  });
});

test('silences, windows and what explains alerts end in the stories, too', () => {
  const found = fc
    .sample(story, { numRuns: 400, seed: 7 })
    .flatMap((steps) => play(write(steps, new ReferenceModel(SMALL_LIMITS))).events)
    .filter(({ effect }) => effect === 'audible');
  expect(found.length).toBeGreaterThan(5);
});
