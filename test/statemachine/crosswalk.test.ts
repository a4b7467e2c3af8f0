import { describe, expect, test } from 'vitest';
import { CARE_MOVES } from '../../src/statemachine/alerts/care-transitions.ts';
import {
  ALARM_STATES,
  ISA_STATES,
  inactivationsOf,
  KIND_CODES,
  PHASES,
  PRIORITY_CODES,
  phaseOf,
} from '../../src/statemachine/alerts/crosswalk.ts';
import { displayState } from '../../src/statemachine/alerts/display.ts';
import {
  CONDITION_MOVES,
  FROM_STATES,
  type Move,
  TRANSITIONS,
} from '../../src/statemachine/alerts/transitions.ts';
import type { AlertEvent } from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';

/** The phase, alarm state and inactivation states of each event of a story, as PCD-04 says them. */
const said = (bench: Bench): string[] =>
  bench.out.events.map((event) => {
    const { alert } = event;
    return `${phaseOf(event)} ${ALARM_STATES[displayState(alert)]} ${inactivationsOf(alert).join('~')}`;
  });

describe('a life of an alert, as IHE PCD-04 tells it', () => {
  test('latching: start, continue, escalate, update, reset', () => {
    const bench = new Bench();
    bench.done(raise({ latching: true }));
    bench.done(raise({ latching: true }));
    bench.done(raise({ latching: true, priority: 'high' }));
    bench.done(raise({ latching: true, priority: 'low' }));
    bench.done(clear());
    bench.done(acknowledge());
    expect(said(bench)).toEqual([
      'start active enabled',
      'continue active enabled',
      'escalate active enabled',
      'deescalate active enabled',
      'update latched enabled',
      'reset inactive alert-acknowledged',
    ]);
  });

  test('acknowledged, its sound paused, returned to normal: end', () => {
    const bench = new Bench();
    const id = bench.done(raise({ acknowledgementRequired: true })).alertId;
    bench.done({ type: 'pause', target: { id }, seconds: 60, actor: 'n', observedAt: 1 as never });
    bench.done(acknowledge());
    bench.done(clear());
    expect(said(bench)).toEqual([
      'start active enabled',
      'update active audio-paused',
      'update active audio-paused~alert-acknowledged',
      'end inactive alert-acknowledged',
    ]);
  });
});

describe('the tables', () => {
  test('agree with domain table A.3 about which rules end, start, escalate and deescalate', () => {
    const phases = new Map<string, Set<string>>();
    for (const from of FROM_STATES)
      for (const move of [...CONDITION_MOVES, ...CARE_MOVES] satisfies Move[]) {
        const cell = TRANSITIONS[from][move];
        if (cell.does !== 'change') continue;
        const isOver = cell.to === 'RESOLVED' || cell.to === 'ENTERED_IN_ERROR';
        const isReset = isOver && cell.effect === 'acknowledged';
        const phase = isReset ? 'reset or end' : isOver ? 'end' : PHASES[cell.effect];
        phases.set(cell.rule, (phases.get(cell.rule) ?? new Set()).add(phase));
      }
    const told = Object.fromEntries([...phases].map(([rule, all]) => [rule, [...all].sort()]));
    expect(told).toMatchObject({
      T1: ['start'],
      T2: ['continue'],
      T3: ['escalate'],
      T4: ['deescalate'],
      T5: ['update'],
      T6: ['start'],
      T7: ['end', 'update'],
      T8: ['end', 'update'],
      T9: ['update'],
      T10: ['reset or end'],
      T21: ['end'],
      T25: ['end'],
      T26: ['end'],
    });
    expect(phases.size).toBe(27);
  });

  test('have a code of their own for every priority and kind, and a word for every state', () => {
    expect(Object.values(PRIORITY_CODES)).toEqual(['PH', 'PM', 'PL', 'PN']);
    expect(Object.values(KIND_CODES)).toEqual(['SP', 'ST', 'SA']);
    expect(new Set(Object.values(ISA_STATES))).toEqual(
      new Set(['UNACK', 'ACKED', 'RTNUN', 'NORM']),
    );
  });

  test('say end for whatever ends an alert by decision', () => {
    const bench = new Bench();
    const id = bench.done(raise()).alertId;
    bench.done({
      type: 'resolve',
      target: { id },
      reason: 'sensor off',
      force: true,
      actor: 'n',
      observedAt: 1 as never,
    });
    expect(phaseOf(bench.out.events.at(-1) as AlertEvent)).toBe('end');
  });
});
