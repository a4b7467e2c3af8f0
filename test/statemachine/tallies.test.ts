import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import { TALLIES_OVER_MAX, TALLY_UNITS_MAX } from '../../src/base/limits.ts';
import type { Tally } from '../../src/statemachine/beside/tallies.ts';
import type { Batch } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import type { AppliedEvent } from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { ReferenceModel } from './reference-model.ts';
import { SMALL_LIMITS, story, write } from './stories.ts';

const DAY = 86_400_000;
const BOUNDS = [5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, Number.POSITIVE_INFINITY];
const ANNUNCIATE = ['raised', 'reactivated', 'escalated', 'lapsed'];

const tallies = (machine: AlertMachine): readonly Tally[] =>
  machine.records('tally', 0, 1_000).records;

/** The counts of one unit on one day, from all that happened. */
function recounted(all: readonly AppliedEvent[], day: number, unit: string): Partial<Tally> {
  const events = all.filter(
    ({ time, alert }) => Math.floor(time / DAY) === day && (alert.subject.unit ?? '') === unit,
  );
  const annunciated = events.filter(({ effect }) => ANNUNCIATE.includes(effect));
  const of = (priority: string) =>
    annunciated.filter(({ alert }) => alert.priority === priority).length;
  const acknowledged = events.filter(
    ({ effect, before }) =>
      effect === 'acknowledged' &&
      !before?.acknowledgements.some(({ activation }) => activation === before.activation),
  );
  const seconds = acknowledged
    .filter(({ alert }) => alert.activation === 1)
    .map(({ time, alert }) => (time - alert.raisedAt) / 1_000);
  const ended = events.filter(({ alert, before }) => alert.resolution && !before?.resolution);
  return {
    annunciations: { high: of('high'), medium: of('medium'), low: of('low'), none: of('none') },
    returned: events.filter(({ effect, alert }) => effect === 'raised' && alert.flaps > 0).length,
    acknowledged: acknowledged.length,
    waits: BOUNDS.map(
      (bound, at) =>
        seconds.filter((waited) => waited < bound && waited >= (BOUNDS[at - 1] ?? -1)).length,
    ),
    escalated: events.filter(
      ({ effect, before }) =>
        effect === 'notified' && before?.escalation?.loop === 0 && before.escalation.step === 1,
    ).length,
    exhausted: events.filter(({ effect }) => effect === 'exhausted').length,
    ended: ended.length,
    endedAlone: ended.filter(
      ({ alert }) => alert.resolution?.how === 'auto' && alert.acknowledgements.length === 0,
    ).length,
    beds: new Set(annunciated.flatMap(({ alert }) => alert.subject.bed ?? [])).size,
  };
}

function restored(machine: AlertMachine): AlertMachine {
  const restorer = new MachineRestorer(SMALL_LIMITS);
  for (const item of machine.capture().items()) restorer.add(item);
  return restorer.finish();
}

describe('counts by day and unit', () => {
  test('are what going through all that happened again gives, over snapshots too', () => {
    fc.assert(
      fc.property(story, fc.nat(40), (steps, restart) => {
        let machine = new AlertMachine(SMALL_LIMITS);
        const out: Applied = { replies: [], events: [] };
        const batches = write(steps, new ReferenceModel(SMALL_LIMITS));
        for (const [at, batch] of batches.entries()) {
          // So that a story lasts for days.
          const slow: Batch = { ...batch, time: unixMillis(batch.time * 40) };
          machine.apply(slow, out);
          if (at === restart) machine = restored(machine);
        }
        const counted = out.events.filter(({ effect }) => ANNUNCIATE.includes(effect));
        const days = new Set(
          counted.map(({ time, alert }) => `${Math.floor(time / DAY)}/${alert.subject.unit ?? ''}`),
        );
        const kept = tallies(machine);
        expect(kept.map(({ id }) => id)).toEqual(expect.arrayContaining([...days]));
        for (const tally of kept)
          expect(tally).toMatchObject(recounted(out.events, tally.day / DAY, tally.unit));
        const now = Math.floor(machine.time / DAY);
        for (const { day, isOver } of kept) if (isOver) expect(day / DAY).toBeLessThanOrEqual(now);
      }),
      { numRuns: 300 },
    );
  });

  test('reach back further than the alerts do, and are dropped oldest first', () => {
    const bench = new Bench({ resolvedAlertsMax: 1 });
    for (let day = 1; day <= TALLIES_OVER_MAX + 5; day += 1) {
      bench.at(day * DAY);
      bench.done(raise({ dedupKey: `${day}` }));
    }
    const first = bench.machine.records('tally', 0, 2).records;
    expect(first.map(({ isOver, id }) => [isOver, id])).toEqual([
      [false, `${TALLIES_OVER_MAX + 5}/icu-2`],
      [true, '5/icu-2'],
    ]);
  });

  test('tell so many units apart on a day, and count the others together', () => {
    const bench = new Bench();
    for (let unit = 0; unit < TALLY_UNITS_MAX + 10; unit += 1)
      bench.done(raise({ dedupKey: `${unit}`, subject: { unit: `u${unit}` } }));
    const kept = tallies(bench.machine);
    expect(kept).toHaveLength(TALLY_UNITS_MAX + 1);
    expect(kept.at(-1)).toMatchObject({ unit: '', annunciations: { medium: 10 } });
  });

  test('say how soon people came, and what nobody had to come for', () => {
    const bench = new Bench();
    bench.done(raise());
    bench.done(acknowledge());
    bench.done(acknowledge({ actor: 'nurse-2' }));
    bench.done(clear());
    bench.done(raise());
    bench.done(clear());
    expect(tallies(bench.machine)).toMatchObject([
      {
        unit: 'icu-2',
        annunciations: { medium: 2 },
        returned: 1,
        acknowledged: 1,
        waits: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ended: 2,
        endedAlone: 1,
        bedsHeard: ['12'],
      },
    ]);
  });
});
