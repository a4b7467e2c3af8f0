import { describe, expect, test } from 'vitest';
import type { Account } from '../../../cli/demo/account.ts';
import type { DemoResult } from '../../../cli/demo/run.ts';
import { failuresOf, renderSummary, summaryOf } from '../../../cli/demo/summary.ts';
import { plain } from '../../../cli/output/paint.ts';

const clean: Account = {
  lost: 0,
  duplicated: 0,
  differing: 0,
  digestsEqual: true,
  unknownHappened: 0,
  byOthers: 0,
  events: 98,
  findings: [],
};

const result = (changes: Partial<DemoResult> = {}, account: Partial<Account> = {}): DemoResult => ({
  raised: 37,
  acknowledged: 23,
  cleared: 36,
  failoverMs: 66.94,
  account: { ...clean, ...account },
  feed: { samples: 43_200, artefacts: 181, missing: 335 },
  told: { done: 98, none: 0, unknown: 0 },
  seconds: 20.06,
  ...changes,
});

const SETTING = { beds: 24, seed: 1 };

describe('the verdict', () => {
  test('is that all is well when it is', () => {
    expect(failuresOf(result())).toEqual([]);
  });

  test.each([
    ['a loss', result({}, { lost: 1 })],
    ['a duplicate', result({}, { duplicated: 1 })],
    ['a difference', result({}, { differing: 1 })],
    ['another digest', result({}, { digestsEqual: false })],
    ['no failover', result({ failoverMs: undefined })],
    ['no alert', result({ raised: 0 })],
  ])('fails the demo for %s, and says so', (_name, bad) => {
    expect(failuresOf(bad)).toHaveLength(1);
    expect(renderSummary(bad, SETTING, plain)).toContain(`FAILED: ${failuresOf(bad)[0]}`);
  });
});

describe('the summary', () => {
  test('has the numbers that are asked for', () => {
    const text = renderSummary(result(), SETTING, plain);
    for (const part of [
      'raised 37',
      'acknowledged 23',
      'cleared 36',
      'failover 67 ms',
      'lost 0',
      'duplicated 0',
      'digests equal',
    ])
      expect(text).toContain(part);
  });

  test('is one value for programs', () => {
    expect(summaryOf(result(), SETTING)).toMatchObject({
      raised: 37,
      acknowledged: 23,
      cleared: 36,
      failoverMs: 66.9,
      lost: 0,
      duplicated: 0,
      digestsEqual: true,
      beds: 24,
      seed: 1,
      samples: 43_200,
    });
    expect(summaryOf(result({ failoverMs: undefined }), SETTING)).toMatchObject({
      failoverMs: null,
    });
  });

  test('prints findings so that they cannot harm a terminal', () => {
    const text = renderSummary(result({}, { lost: 1, findings: ['by \u001b[2J'] }), SETTING, plain);
    expect(text).not.toContain('\u001b');
  });
});
