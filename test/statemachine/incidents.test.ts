import { expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import { INCIDENT_ALERTS_MAX, INCIDENT_ENTRIES_MAX } from '../../src/base/limits.ts';
import type { IncidentId } from '../../src/statemachine/beside/incidents.ts';
import type { AlertId } from '../../src/statemachine/types.ts';
import { Bench, raise } from './commands.ts';

const asked = { actor: 'nurse', observedAt: unixMillis(1) };

/** A bench with so many alerts and an incident about the first of them. */
function stage(alerts: number): { bench: Bench; id: IncidentId; ids: AlertId[] } {
  const bench = new Bench();
  const ids = Array.from(
    { length: alerts },
    (_, n) => bench.done(raise({ dedupKey: `k${n}` })).alertId,
  );
  const first = ids.slice(0, 1);
  bench.do({ type: 'open-incident', title: 'Gas', severity: 'high', alerts: first, ...asked });
  const [incident] = bench.machine.records('incident').records;
  if (incident === undefined) throw new Error('no incident was opened');
  return { bench, id: incident.id, ids };
}

test('a full timeline gives up its oldest entries, but never how it began', () => {
  const { bench, id } = stage(1);
  for (let n = 0; n < INCIDENT_ENTRIES_MAX + 20; n += 1)
    expect(bench.do({ type: 'change-incident', id, note: `${n}`, ...asked }).ok).toBe(true);
  const [incident] = bench.machine.records('incident').records;
  expect(incident?.timeline).toHaveLength(INCIDENT_ENTRIES_MAX);
  expect(incident?.timeline[0]?.text).toBe('opened');
  expect(incident?.timeline.at(-1)?.text).toContain(`${INCIDENT_ENTRIES_MAX + 19}`);
});

test('an incident takes alerts up to a bound, and none that is not there', () => {
  const { bench, id, ids } = stage(INCIDENT_ALERTS_MAX + 1);
  const add = (alerts: readonly AlertId[]) =>
    bench.do({ type: 'change-incident', id, add: alerts, ...asked });
  expect(add(['A99999'])).toMatchObject({ ok: false, code: 'ALERT_NOT_FOUND' });
  expect(add(ids)).toMatchObject({ ok: false, code: 'OVER_LIMIT' });
  expect(add(ids.slice(1)).ok).toBe(false);
  expect(add(ids.slice(0, -1)).ok).toBe(true);
  const open = { type: 'open-incident', title: 'None', severity: 'low', ...asked } as const;
  expect(bench.do({ ...open, alerts: ['A99999'] })).toMatchObject({ code: 'ALERT_NOT_FOUND' });
});
