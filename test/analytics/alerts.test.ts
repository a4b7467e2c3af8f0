import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertRequest, dedupKey } from '../../src/analytics/alerts.ts';
import type { Transition } from '../../src/analytics/limits.ts';
import { TocsinError } from '../../src/base/errors.ts';
import type { LimitRule, MissingRule } from '../../src/base/rules/rules.ts';
import type { ClearInput, RaiseInput } from '../../src/statemachine/alert-api.ts';

const source = { patient: 'pt-07f3', device: 'mon-01', unit: 'ED', bed: 'B01' };
const high: LimitRule = {
  id: 'hr-high',
  metric: 'HR',
  side: 'HI',
  limit: 131,
  startAfter: 1,
  endAfter: 1,
  priority: 'high',
};
const gone: MissingRule = {
  id: 'hr-gone',
  metric: 'HR',
  startAfter: 1,
  endAfter: 1,
  priority: 'low',
};

const transition = (
  rule: LimitRule | MissingRule,
  phase: 'start' | 'end',
  value: number | null,
): Transition => ({
  subject: 0,
  metric: rule.metric,
  kind: 'side' in rule ? rule.side : 'TEC',
  phase,
  time: 1_700_000_000_000,
  value,
  rule,
});

describe('alert requests', () => {
  it('the start of a limit condition raises a physiological alert with its cause', () => {
    const request = alertRequest(transition(high, 'start', 142), source, 3);
    expect(request).toEqual({
      type: 'raise',
      input: {
        dedupKey: 'phys:pt-07f3:mon-01:HR:HI',
        kind: 'physiological',
        priority: 'high',
        condition: 'HR:HI',
        text: 'HR at or above 131 /min',
        subject: source,
        cause: { metric: 'HR', value: 142, unit: '/min', limit: 131, rule: 'hr-high@3' },
        latching: false,
        acknowledgementRequired: false,
        observedAt: 1_700_000_000_000,
      },
    });
  });

  it('the start of a technical condition raises a technical alert without a value or limit', () => {
    const request = alertRequest(transition(gone, 'start', null), source, 1);
    expect(request.input).toMatchObject({
      dedupKey: 'tech:pt-07f3:mon-01:HR:TEC',
      kind: 'technical',
      text: 'HR: no signal',
    });
    expect(request.input).toHaveProperty('cause', {
      metric: 'HR',
      value: null,
      unit: '/min',
      rule: 'hr-gone@1',
    });
  });

  it('the end of a condition clears the alert that its start raised', () => {
    for (const rule of [high, gone]) {
      const start = alertRequest(transition(rule, 'start', 1), source, 1);
      const end = alertRequest(transition(rule, 'end', 1), source, 2);
      if (start.type !== 'raise' || end.type !== 'clear') throw new Error('wrong types');
      expect(end.input.target.dedupKey).toBe(start.input.dedupKey);
    }
  });

  it('are what the alert store takes', () => {
    const start = alertRequest(transition(high, 'start', 142), source, 1);
    if (start.type === 'raise') start.input satisfies RaiseInput;
    if (start.type === 'clear') start.input satisfies ClearInput;
    expect(start.type).toBe('raise');
  });

  it('carry what the rule says about text, latching and acknowledgement', () => {
    const rule: LimitRule = {
      ...high,
      text: 'Fast',
      latching: true,
      acknowledgementRequired: true,
      instance: 'extreme',
    };
    expect(alertRequest(transition(rule, 'start', 1), source, 1).input).toMatchObject({
      dedupKey: 'phys:pt-07f3:mon-01:HR:HI/extreme',
      condition: 'HR:HI/extreme',
      text: 'Fast',
      latching: true,
      acknowledgementRequired: true,
    });
  });

  it('two sources never share a dedup key, whatever they are called', () => {
    const name = fc.string({
      unit: fc.constantFrom('a', ':', '%', '3', 'A', '2', '5'),
      maxLength: 6,
    });
    fc.assert(
      fc.property(name, name, name, name, (patient, device, otherPatient, otherDevice) => {
        fc.pre(patient !== otherPatient || device !== otherDevice);
        expect(dedupKey(high, { patient, device })).not.toBe(
          dedupKey(high, { patient: otherPatient, device: otherDevice }),
        );
      }),
    );
  });

  it('are refused with BAD_REQUEST when the names are too long for a key', () => {
    const long = { patient: 'p'.repeat(128), device: 'd'.repeat(128) };
    const attempt = () => alertRequest(transition(high, 'start', 1), long, 1);
    expect(attempt).toThrow(TocsinError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});
