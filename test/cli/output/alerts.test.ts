import { describe, expect, test } from 'vitest';
import { renderAlerts } from '../../../cli/output/alert-table.ts';
import {
  renderAlert,
  renderAlertLine,
  renderDone,
  renderEvent,
} from '../../../cli/output/alerts.ts';
import { paintFor, plain } from '../../../cli/output/paint.ts';
import { revision, unixMillis } from '../../../src/base/ids.ts';
import type { Alert } from '../../../src/statemachine/types.ts';
import { anAlert, anEvent, DONE, NOW } from '../commands/world.ts';

const WARD: readonly Alert[] = [
  anAlert(),
  anAlert({
    id: 'A1043',
    dedupKey: 'bed:B7:SpO2:LO',
    priority: 'medium',
    condition: 'SpO2:LO',
    text: 'Oxygen saturation below its limit for 15 seconds, probe in place',
    subject: { bed: 'B7' },
    acknowledged: true,
    acknowledgements: [{ by: 'nurse joy', at: unixMillis(NOW), activation: 1 }],
    count: 17,
    raisedAt: unixMillis(NOW - 7_500_000),
  }),
  anAlert({
    id: 'A1051',
    dedupKey: 'mon-3:lead-off',
    kind: 'technical',
    priority: 'low',
    condition: 'ECG:TEC',
    text: '電極外れ',
    subject: { device: 'mon-3' },
    presence: 'cleared',
    raisedAt: unixMillis(NOW),
  }),
  anAlert({ id: 'A1052', priority: 'none', text: '\u001b[31mred\u202e', subject: {} }),
];

const draw = (width: number | undefined): string =>
  `\n${renderAlerts(WARD, { width, paint: plain, now: NOW })}`;

describe('the list', () => {
  test('at 80 columns', () => {
    expect(draw(80)).toMatchInlineSnapshot(`
      "
      ID     PRI  STATE         WHERE   CONDITION    AGE  TEXT
      A1042  ***  ACTIVE_UNACK  ED/B12  HR:HI      3m12s  Heart rate high
      A1043  **   ACTIVE_ACK    B7      SpO2:LO    2h05m  Oxygen saturation below its…
      A1051  *    RTN_UNACK     mon-3   ECG:TEC       0s  電極外れ
      A1052       ACTIVE_UNACK  -       HR:HI      3m12s  \\x1b[31mred\\u{202e}
      "
    `);
  });

  test('shows what is silenced, inhibited, worked on or stale, and why', () => {
    const badges = { silencedBy: ['S3', 'S4'], inhibitedBy: [], maintenanceBy: ['M1'] } as const;
    const [first = anAlert(), second = anAlert()] = WARD;
    const stale = { ...second, staleSince: unixMillis(NOW - 1_000) };
    const table = renderAlerts([{ ...first, badges }, stale, anAlert({ id: 'A9' })], {
      width: 120,
      paint: plain,
      now: NOW,
    });
    expect(`\n${table}`).toMatchInlineSnapshot(`
      "
      ID     PRI  STATE         QUIET             WHERE   CONDITION    AGE   N  ACKNOWLEDGE…  KEY             TEXT
      A1042  ***  ACTIVE_UNACK  silenced S3 S4,…  ED/B12  HR:HI      3m12s   1                bed:B12:HR:HI   Heart rate high
      A1043  **   ACTIVE_ACK    stale             B7      SpO2:LO    2h05m  17  nurse joy     bed:B7:SpO2:LO  Oxygen saturati…
      A9     ***  ACTIVE_UNACK                    ED/B12  HR:HI      3m12s   1                bed:B12:HR:HI   Heart rate high
      "
    `);
  });

  test('at 120 columns', () => {
    expect(draw(120)).toMatchInlineSnapshot(`
      "
      ID     PRI  STATE         WHERE   CONDITION    AGE   N  ACKNOWLEDGED BY  KEY             TEXT
      A1042  ***  ACTIVE_UNACK  ED/B12  HR:HI      3m12s   1                   bed:B12:HR:HI   Heart rate high
      A1043  **   ACTIVE_ACK    B7      SpO2:LO    2h05m  17  nurse joy        bed:B7:SpO2:LO  Oxygen saturation below its li…
      A1051  *    RTN_UNACK     mon-3   ECG:TEC       0s   1                   mon-3:lead-off  電極外れ
      A1052       ACTIVE_UNACK  -       HR:HI      3m12s   1                   bed:B12:HR:HI   \\x1b[31mred\\u{202e}
      "
    `);
  });

  test('without a terminal', () => {
    expect(draw(undefined)).toMatchInlineSnapshot(`
      "
      ID     PRI  STATE         WHERE   CONDITION    AGE   N  ACKNOWLEDGED BY  KEY             TEXT
      A1042  ***  ACTIVE_UNACK  ED/B12  HR:HI      3m12s   1                   bed:B12:HR:HI   Heart rate high
      A1043  **   ACTIVE_ACK    B7      SpO2:LO    2h05m  17  nurse joy        bed:B7:SpO2:LO  Oxygen saturation below its limit for 15 seconds, probe in place
      A1051  *    RTN_UNACK     mon-3   ECG:TEC       0s   1                   mon-3:lead-off  電極外れ
      A1052       ACTIVE_UNACK  -       HR:HI      3m12s   1                   bed:B12:HR:HI   \\x1b[31mred\\u{202e}
      "
    `);
  });

  test.each([80, 120])('keeps to %d columns in colour too', (width) => {
    const paint = paintFor({ isTTY: true, color: true, env: {} });
    const table = renderAlerts(WARD, { width, paint, now: NOW });

    expect(table).toContain('\u001b[31m');
    expect(table).not.toContain('\u001b[31mred');
  });
});

const EVERYTHING = anAlert({
  previous: 'A7',
  occurrence: 2,
  activation: 3,
  basePriority: 'medium',
  subject: { unit: 'ED', bed: 'B12', patient: 'pt-1', device: 'mon-3' },
  cause: { metric: 'HR', value: 141, unit: '/min', limit: 131, rule: 'hr-high@1' },
  labels: { shift: 'night', ['\u0007']: '\u0007' },
  latching: true,
  acknowledgementRequired: true,
  acknowledged: true,
  acknowledgements: [{ by: 'joy', at: unixMillis(NOW), activation: 3, note: 'at the\nbed' }],
  presence: 'cleared',
  clearedAt: unixMillis(NOW),
  resolution: { how: 'acknowledged', by: 'joy', at: unixMillis(NOW) },
  count: 4,
  version: 6,
});

describe('one alert', () => {
  test('with everything', () => {
    expect(
      `\n${renderAlert(EVERYTHING, { width: 80, paint: plain, now: NOW })}`,
    ).toMatchInlineSnapshot(`
      "
      Alert            A1042  *** RESOLVED
      Text             Heart rate high
      Condition        HR:HI
      Key              bed:B12:HR:HI
      Kind             physiological
      Priority         high, first medium
      Unit             ED
      Bed              B12
      Patient          pt-1
      Device           mon-3
      Cause            HR 141 /min, limit 131 /min, by hr-high@1
      Labels           shift=night, \\x07=\\x07
      Presence         cleared
      Latching         yes
      Acknowledgement  done
      Raised           2026-03-01T03:00:53Z (3m12s ago)
      Last seen        2026-03-01T03:04:01Z (4s ago), 4 times
      Observed         2026-03-01T03:04:01Z
      Cleared          2026-03-01T03:04:05Z (0s ago)
      Acknowledged     2026-03-01T03:04:05Z (0s ago) by joy, activation 3: at the\\nbed
      Resolved         2026-03-01T03:04:05Z (0s ago) by joy (acknowledged)
      Occurrence       2, after A7
      Activation       3
      Revision         1042, version 6
      "
    `);
  });

  test('with as little as can be', () => {
    expect(
      `\n${renderAlert(anAlert({ subject: {} }), { width: 80, paint: plain, now: NOW })}`,
    ).toMatchInlineSnapshot(`
      "
      Alert            A1042  *** ACTIVE_UNACK
      Text             Heart rate high
      Condition        HR:HI
      Key              bed:B12:HR:HI
      Kind             physiological
      Priority         high
      Presence         present
      Acknowledgement  none yet
      Raised           2026-03-01T03:00:53Z (3m12s ago)
      Last seen        2026-03-01T03:04:01Z (4s ago), once
      Observed         2026-03-01T03:04:01Z
      Occurrence       1
      Activation       1
      Revision         1042, version 1
      "
    `);
  });

  test('that was raised for want of a sample', () => {
    const alert = anAlert({ cause: { metric: 'HR', value: null } });

    expect(renderAlert(alert, { width: 80, paint: plain, now: NOW })).toContain(
      'Cause            HR without a valid sample\n',
    );
  });
});

describe('a line', () => {
  test('of the history', () => {
    expect(renderEvent(anEvent(), '03:04:05Z', plain)).toBe(
      '03:04:05Z r1042  raised       A1042  *** ACTIVE_UNACK ED/B12 HR:HI Heart rate high by mon-3\n',
    );
  });

  test('of the history stays one line', () => {
    const alert = anAlert({ text: 'a\nb\u001b[2J', condition: '\u202ex', subject: { bed: '\r' } });
    const line = renderEvent(anEvent({ actor: '\n', alert }), '03:04:05Z', plain);

    expect(line.split('\n')).toHaveLength(2);
    expect(line).toContain('\\r \\u{202e}x a\\nb\\x1b[2J by \\n');
  });

  test('of an alert that asks for nothing', () => {
    expect(renderAlertLine(anAlert({ priority: 'none', subject: {} }), plain)).toBe(
      'A1042      ACTIVE_UNACK - HR:HI Heart rate high',
    );
  });

  test('of what a command did', () => {
    expect(renderDone({ ...DONE, effect: 'acknowledged', revision: revision(1043) })).toBe(
      'A1042 acknowledged: ACTIVE_UNACK, activation 1, revision 1043\n',
    );
  });
});
