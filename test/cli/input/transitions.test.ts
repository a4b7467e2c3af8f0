import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatTransitions,
  type PatientTransition,
  transitionOfEvent,
} from '../../../cli/input/transitions.ts';
import { logIndex, revision, unixMillis } from '../../../src/base/ids.ts';
import type { Alert, AlertEvent } from '../../../src/statemachine/types.ts';

const at = (
  patient: string,
  t: number,
  metric: string,
  kind: 'HI' | 'LO' | 'TEC',
  phase: 'start' | 'end',
): PatientTransition => ({
  patient,
  timeMs: t * 1000,
  metric,
  kind,
  phase,
});

const ORDERED: readonly PatientTransition[] = [
  at('1', -1, 'RESP', 'LO', 'start'),
  at('2', 0, 'SpO2', 'TEC', 'start'),
  at('2', 5, 'HR', 'HI', 'end'),
  at('2', 5, 'HR', 'LO', 'start'),
  at('2', 5, 'HR', 'TEC', 'end'),
  at('2', 5, 'PULSE', 'TEC', 'start'),
  at('2', 5, 'RESP', 'HI', 'start'),
  at('2', 5, 'SpO2', 'LO', 'start'),
  at('2', 5, 'TEMP', 'HI', 'start'),
  at('10', 0.5, 'HR', 'HI', 'start'),
  at('1a', 0, 'HR', 'HI', 'start'),
  at('B01', 0, 'HR', 'HI', 'start'),
];

describe('the transitions file', () => {
  it('is ordered by patient, time, column and kind, however the transitions come', () => {
    const expected = `patient,t,metric,kind,phase\n${ORDERED.map((one) => `${one.patient},${one.timeMs / 1000},${one.metric},${one.kind},${one.phase}\n`).join('')}`;
    fc.assert(
      fc.property(fc.shuffledSubarray([...ORDERED], { minLength: ORDERED.length }), (shuffled) => {
        expect(formatTransitions(shuffled)).toBe(expected);
      }),
    );
  });

  it('has a header even when nothing happened', () => {
    expect(formatTransitions([])).toBe('patient,t,metric,kind,phase\n');
  });
});

function event(
  effect: AlertEvent['effect'],
  condition: string,
  patient: string | undefined,
): AlertEvent {
  const subject = patient === undefined ? {} : { patient };
  const alert = { condition, subject } as Alert;
  const time = unixMillis(9e12);
  return {
    revision: revision(1),
    index: logIndex(1),
    time,
    observedAt: unixMillis(61_000),
    effect,
    actor: 'a',
    alert,
  };
}

describe('an alert event', () => {
  it.each<[AlertEvent['effect'], string | undefined]>([
    ['raised', 'start'],
    ['reactivated', 'start'],
    ['cleared', 'end'],
    ['continued', undefined],
    ['escalated', undefined],
    ['deescalated', undefined],
    ['acknowledged', undefined],
  ])('%s means %s of its condition, at the time it was observed', (effect, phase) => {
    const found = transitionOfEvent(event(effect, 'RESP:HI', '01'), 1_000);
    expect(found).toEqual(
      phase && { patient: '01', timeMs: 60_000, metric: 'RESP', kind: 'HI', phase },
    );
  });

  it('tells the kind apart from the instance of the rule', () => {
    expect(transitionOfEvent(event('raised', 'HR:HI/extreme', '01'), 0)).toMatchObject({
      metric: 'HR',
      kind: 'HI',
    });
  });

  it.each([
    ['door open', '01'],
    ['HR:MID', '01'],
    ['HR:HI', undefined],
  ])('about %s of patient %s is none', (condition, patient) => {
    expect(transitionOfEvent(event('raised', condition, patient), 0)).toBeUndefined();
  });
});
