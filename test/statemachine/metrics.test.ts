import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import { AlarmMetrics } from '../../src/statemachine/queries/metrics.ts';
import type { AlertEvent, Command } from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { ReferenceModel } from './reference-model.ts';
import { play, SMALL_LIMITS, story, submit, write } from './stories.ts';

const reportOf = (events: readonly AlertEvent[]) => {
  const metrics = new AlarmMetrics();
  for (const event of events) metrics.add(event);
  return metrics.report();
};

/** A bench on which commands happen at times of their own. */
class Ward {
  readonly bench = new Bench();
  #at = 0;

  at(ms: number, command: Command): void {
    const index = logIndex(this.bench.machine.applied + 1);
    this.#at += 1;
    const submissions = [submit(`${this.#at}`.padStart(32, '0'), command)];
    this.bench.machine.apply({ index, time: unixMillis(ms), submissions }, this.bench.out);
  }

  get report() {
    return reportOf(this.bench.out.events);
  }
}

const SOUNDS = ['raised', 'reactivated', 'escalated', 'lapsed'];

describe('alarm metrics', () => {
  test('of any history count what the history says', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const { events } = play(write(steps, new ReferenceModel(SMALL_LIMITS)));
        const sounds = events.filter(({ effect }) => SOUNDS.includes(effect));
        const report = reportOf(events);
        expect(report.annunciations).toBe(sounds.length);
        for (const priority of ['high', 'medium', 'low', 'none'] as const)
          expect(report.byPriority[priority]).toBe(
            sounds.filter(({ alert }) => alert.priority === priority).length,
          );
        const chattering = sounds.filter((event, at) => {
          const same = sounds.slice(0, at).filter((o) => o.alert.dedupKey === event.alert.dedupKey);
          const third = same.at(-2);
          return third !== undefined && event.time - third.time < 60_000;
        });
        expect(report.chattering).toBe(chattering.length);
      }),
      { numRuns: 100 },
    );
  });

  test('are per bed and day', () => {
    const ward = new Ward();
    for (const bed of ['1', '2'])
      for (const hour of [0, 24])
        ward.at(hour * 3_600_000, raise({ dedupKey: `${bed} ${hour}`, subject: { bed } }));
    expect(ward.report.perBedDay).toBeCloseTo(2);
  });

  test('see a flood from the eleventh in ten minutes until fewer than five are left', () => {
    const ward = new Ward();
    for (let i = 0; i < 11; i += 1) ward.at(i * 1_000, raise({ dedupKey: `k${i}` }));
    expect(ward.report.floods).toBe(1);
    ward.at(3_600_000, raise({ dedupKey: 'late' }));
    expect(ward.report.floods).toBe(1);
    expect(ward.report.floodShare).toBeCloseTo((3_600_000 - 10_000) / 3_600_000);
    for (let i = 0; i < 11; i += 1) ward.at(3_600_001 + i, raise({ dedupKey: `m${i}` }));
    expect(ward.report.floods).toBe(2);
  });

  test('tell how long acknowledgements take, and which are a reflex', () => {
    const ward = new Ward();
    for (let i = 0; i < 3; i += 1) ward.at(i, raise({ dedupKey: `k${i}` }));
    const ack = (i: number) => acknowledge({ target: { dedupKey: `k${i}` }, actor: 'anna' });
    ward.at(10_000, ack(0));
    ward.at(30_000, ack(1));
    ward.at(31_000, ack(2));
    ward.at(31_500, acknowledge({ target: { dedupKey: 'k2' }, actor: 'ben' }));
    expect(ward.report.acknowledgedAfter).toEqual({ median: 29_999, p95: 30_998 });
    expect(ward.report.reflex).toBe(1);
    for (let i = 0; i < 3; i += 1) ward.at(40_000, clear({ target: { dedupKey: `k${i}` } }));
  });
});
