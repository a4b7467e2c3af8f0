import { describe, expect, test } from 'vitest';
import { revision, unixMillis } from '../../src/base/ids.ts';
import { displayState } from '../../src/statemachine/alerts/display.ts';
import { nextRecord } from '../../src/statemachine/alerts/records.ts';
import {
  CONDITION_MOVES,
  FROM_STATES,
  moveOf,
  TRANSITIONS,
} from '../../src/statemachine/alerts/transitions.ts';
import {
  type Alert,
  type ConditionCommand,
  type DisplayState,
  isDone,
} from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { modelState } from './reference-model.ts';

const BOTH = [false, true];

/** A bench whose one alert went to `state` by commands; undefined when no command leads there. */
function benchIn(state: string, latching: boolean, required: boolean): Bench | undefined {
  const bench = new Bench();
  const opening = raise({ latching, acknowledgementRequired: required });
  if (state === 'NONE') return bench;
  bench.done(opening);
  if (state === 'ACTIVE_ACK') bench.done(acknowledge());
  if (state === 'LATCHED' || state === 'RTN_UNACK') bench.done(clear());
  if (state === 'RESOLVED') {
    bench.done(acknowledge());
    bench.done(clear());
  }
  const alert = bench.machine.get({ id: 'A1' });
  return alert !== undefined && displayState(alert) === state ? bench : undefined;
}

const target: { id: 'A1' } = { id: 'A1' };
const COMMANDS: Readonly<Record<string, ConditionCommand>> = {
  lower: raise({ priority: 'low' }),
  same: raise({ priority: 'medium' }),
  higher: raise({ priority: 'high' }),
  clear: clear({ target }),
  ack: acknowledge({ target, actor: 'nurse-2' }),
  'ack again': acknowledge({ target, actor: 'nurse-1' }),
};

/** What one command does to an alert in one state, in one line. */
function outcome(bench: Bench, command: ConditionCommand): string {
  const before = bench.machine.get({ id: 'A1' });
  const events = bench.out.events.length;
  const reply = bench.do(command);
  const happened = bench.out.events.length - events;
  if (!reply.ok) return happened === 0 ? reply.code : 'an event of a refusal';
  if (!isDone(reply)) return 'a reply about a record';
  if (reply.effect === 'unchanged') return happened === 0 ? 'unchanged' : 'an event of nothing';
  const alert = bench.alert(reply);
  const fresh = alert.id === before?.id ? alert.activation - before.activation : alert.activation;
  const link = alert.previous === undefined ? '' : ` after ${alert.previous}`;
  return `${reply.effect} ${reply.state} +${fresh}${link}`;
}

// Domain model A.3, T1 to T11. `+1` = a new activation. T7 depends on the axes.
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  //               lower, same, higher, clear, ack, ack again
  NONE: [
    'raised ACTIVE_UNACK +1',
    'raised ACTIVE_UNACK +1',
    'raised ACTIVE_UNACK +1',
    'ALERT_NOT_FOUND',
    'ALERT_NOT_FOUND',
    'ALERT_NOT_FOUND',
  ],
  ACTIVE_UNACK: [
    'deescalated ACTIVE_UNACK +0',
    'continued ACTIVE_UNACK +0',
    'escalated ACTIVE_UNACK +1',
    'by the axes',
    'acknowledged ACTIVE_ACK +0',
    'acknowledged ACTIVE_ACK +0',
  ],
  ACTIVE_ACK: [
    'deescalated ACTIVE_ACK +0',
    'continued ACTIVE_ACK +0',
    'escalated ACTIVE_UNACK +1',
    'cleared RESOLVED +0',
    'acknowledged ACTIVE_ACK +0',
    'unchanged',
  ],
  LATCHED: [
    'reactivated ACTIVE_UNACK +1',
    'reactivated ACTIVE_UNACK +1',
    'reactivated ACTIVE_UNACK +1',
    'unchanged',
    'acknowledged RESOLVED +0',
    'acknowledged RESOLVED +0',
  ],
  RTN_UNACK: [
    'reactivated ACTIVE_UNACK +1',
    'reactivated ACTIVE_UNACK +1',
    'reactivated ACTIVE_UNACK +1',
    'unchanged',
    'acknowledged RESOLVED +0',
    'acknowledged RESOLVED +0',
  ],
  RESOLVED: [
    'raised ACTIVE_UNACK +1 after A1',
    'raised ACTIVE_UNACK +1 after A1',
    'raised ACTIVE_UNACK +1 after A1',
    'ALREADY_RESOLVED',
    'ALREADY_RESOLVED',
    'ALREADY_RESOLVED',
  ],
};

/** T7: latching speaks first, then acknowledgementRequired. */
const clearedTo = (latching: boolean, required: boolean): DisplayState =>
  latching ? 'LATCHED' : required ? 'RTN_UNACK' : 'RESOLVED';

describe('each command in each state does what the domain table says', () => {
  for (const state of FROM_STATES)
    for (const latching of BOTH)
      for (const required of BOTH) {
        if (benchIn(state, latching, required) === undefined) continue;
        const axes = `${latching ? 'latching' : 'plain'}${required ? ', required' : ''}`;
        test(`${state} (${axes})`, () => {
          const seen = Object.values(COMMANDS).map((command) => {
            const bench = benchIn(state, latching, required);
            return bench === undefined ? 'not reached' : outcome(bench, command);
          });
          const byAxes = `cleared ${clearedTo(latching, required)} +0`;
          const expected = EXPECTED[state]?.map((text) => (text === 'by the axes' ? byAxes : text));
          expect(seen).toEqual(expected);
        });
      }

  test('what is to be reset after it cleared waits for another acknowledgement, though it had one (T8)', () => {
    const bench = new Bench();
    bench.done(raise({ latching: true, resetAfterClear: true }));
    bench.done(acknowledge());
    const cleared = bench.done(clear());
    expect([cleared.effect, cleared.state]).toEqual(['cleared', 'LATCHED']);
    const reset = bench.done(acknowledge({ target: { id: cleared.alertId } }));
    expect([reset.effect, reset.state]).toEqual(['acknowledged', 'RESOLVED']);
  });

  test('every state is reached with the axes that lead to it', () => {
    const reached = FROM_STATES.flatMap((state) =>
      BOTH.flatMap((latching) =>
        BOTH.flatMap((required) =>
          benchIn(state, latching, required) ? [`${state} ${+latching}${+required}`] : [],
        ),
      ),
    );
    expect(reached.filter((one) => one.startsWith('LATCHED'))).toEqual([
      'LATCHED 10',
      'LATCHED 11',
    ]);
    expect(reached.filter((one) => one.startsWith('RTN'))).toEqual(['RTN_UNACK 01']);
    expect(reached).toHaveLength(19);
  });
});

/** Every combination of the axes, the impossible ones included. */
function everyAxes(): Alert[] {
  const bench = new Bench();
  const base = bench.alert(bench.done(raise()));
  const resolution = { how: 'auto', by: 'x', at: unixMillis(9) } as const;
  return BOTH.flatMap((cleared) =>
    BOTH.flatMap((acknowledged) =>
      BOTH.flatMap((latching) =>
        BOTH.flatMap((acknowledgementRequired) =>
          [undefined, resolution].map(
            (ended): Alert => ({
              ...base,
              presence: cleared ? 'cleared' : 'present',
              acknowledged,
              latching,
              acknowledgementRequired,
              resolution: ended,
            }),
          ),
        ),
      ),
    ),
  );
}

describe('the table is total', () => {
  test('every combination of axes has a display state, and only resolved ones are RESOLVED', () => {
    const all = everyAxes();
    expect(all).toHaveLength(32);
    for (const alert of all) {
      expect(displayState(alert)).toBe(modelState(alert));
      expect(displayState(alert) === 'RESOLVED').toBe(alert.resolution !== undefined);
    }
  });

  test('every command finds a cell, and the record it makes is in the state of the cell', () => {
    const stamp = { revision: revision(2), time: unixMillis(2_000), isSourceLost: false };
    for (const alert of everyAxes())
      for (const command of Object.values(COMMANDS)) {
        const cell = TRANSITIONS[displayState(alert)][moveOf(command, alert)];
        if (cell.does !== 'change' || alert.resolution !== undefined) continue;
        expect(displayState(nextRecord(alert, command, cell, stamp, 32))).toBe(cell.to);
      }
  });

  test('nothing leads out of RESOLVED but a raise, which opens another occurrence (I8)', () => {
    for (const move of CONDITION_MOVES) {
      const cell = TRANSITIONS.RESOLVED[move];
      const expected = move.startsWith('raise') ? 'raised' : 'ALREADY_RESOLVED';
      expect(cell.does === 'change' ? cell.effect : cell.does === 'refuse' && cell.code).toBe(
        expected,
      );
    }
  });
});
