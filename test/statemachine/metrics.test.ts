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

/** By counting again for each condition. */
const worstOf = (sounds: readonly AlertEvent[]) =>
  [...new Set(sounds.map(({ alert }) => alert.dedupKey))]
    .map((dedupKey) => {
      const own = sounds.filter(({ alert }) => alert.dedupKey === dedupKey);
      const condition = own.at(-1)?.alert.condition;
      return { dedupKey, condition, annunciations: own.length };
    })
    .sort((a, b) => b.annunciations - a.annunciations || (a.dedupKey < b.dedupKey ? -1 : 1))
    .slice(0, 10);

/** By looking at the last step of each alert. */
function standingAt(events: readonly AlertEvent[], until: number): number {
  const last = new Map(events.map(({ alert }) => [alert.id, alert]));
  return [...last.values()].filter(
    ({ resolution, presence, raisedAt }) =>
      resolution === undefined && presence === 'present' && until - raisedAt > 86_400_000,
  ).length;
}

/** By the definition, from all times of each unit: from when to when. */
function floodsOf(sounds: readonly AlertEvent[]): [number, number][] {
  const floods: [number, number][] = [];
  for (const unit of new Set(sounds.map(({ alert }) => alert.subject.unit ?? ''))) {
    const times = sounds
      .filter(({ alert }) => (alert.subject.unit ?? '') === unit)
      .map(({ time }) => time as number);
    let end = Number.NEGATIVE_INFINITY;
    times.forEach((time, at) => {
      const so = times.slice(0, at + 1);
      const within = so.filter((one) => one > time - 600_000).length;
      const over = (so.at(-5) ?? 0) + 600_000;
      if (time < end) {
        end = over;
        floods[floods.length - 1] = [floods.at(-1)?.[0] ?? 0, end];
      } else if (within > 10) {
        end = over;
        floods.push([time, end]);
      }
    });
  }
  return floods;
}

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
        expect(report.worst).toEqual(worstOf(sounds));
        const until = events.at(-1)?.time ?? 0;
        expect(report.standing).toBe(standingAt(events, until));
        expect([report.floods, report.isWhole]).toEqual([floodsOf(sounds).length, true]);
      }),
      { numRuns: 100 },
    );
  });

  test('are per bed and day', () => {
    const ward = new Ward();
    for (const hour of [0, 24])
      for (const bed of ['1', '2'])
        ward.at(hour * 3_600_000, raise({ dedupKey: `${bed} ${hour}`, subject: { bed } }));
    expect(ward.report.perBedDay).toBeCloseTo(2);
  });

  test('see a flood from the eleventh in ten minutes until fewer than five are left', () => {
    const ward = new Ward();
    for (let i = 0; i < 11; i += 1) ward.at(i * 1_000, raise({ dedupKey: `k${i}` }));
    expect(ward.report.floods).toBe(1);
    ward.at(3_600_000, raise({ dedupKey: 'late' }));
    expect(ward.report.floods).toBe(1);
    // The fifth newest came at 6 s: ten minutes later fewer than five are left.
    expect(ward.report.floodShare).toBeCloseTo((606_000 - 10_000) / 3_600_000);
    for (let i = 0; i < 11; i += 1) ward.at(3_600_001 + i, raise({ dedupKey: `m${i}` }));
    expect(ward.report.floods).toBe(2);
  });

  test('see many floods as the definition does', () => {
    const gaps = fc.array(fc.constantFrom(1_000, 30_000, 59_000, 200_000, 700_000), {
      minLength: 20,
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(gaps, (pauses) => {
        const ward = new Ward();
        let at = 1;
        pauses.forEach((pause, i) => {
          at += pause;
          ward.at(at, raise({ dedupKey: `k${i}` }));
        });
        const first = ward.bench.out.events[0]?.time ?? 0;
        const floods = floodsOf(ward.bench.out.events);
        const ms = floods.reduce((sum, [from, to]) => sum + Math.min(to, at) - from, 0);
        const { report } = ward;
        expect(report.floods).toBe(floods.length);
        expect(report.floodShare).toBeCloseTo(ms / Math.max(1, at - first));
      }),
      { numRuns: 60 },
    );
  });

  test('count beds from when they were first heard of', () => {
    const ward = new Ward();
    ward.at(0, raise({ dedupKey: 'a', subject: { bed: '1' } }));
    ward.at(12 * 3_600_000, raise({ dedupKey: 'b', subject: { bed: '2' } }));
    ward.at(24 * 3_600_000, raise({ dedupKey: 'c', subject: {} }));
    expect(ward.report.bedDays).toBeCloseTo(1.5);
    expect(ward.report.perBedDay).toBeCloseTo(2 / 1.5);
  });

  test('know which alarms have stood for a day, from before the history begins too', () => {
    const ward = new Ward();
    ward.at(0, raise({ dedupKey: 'stands' }));
    ward.at(1_000, raise({ dedupKey: 'gone' }));
    ward.at(90_000_000, clear({ target: { dedupKey: 'gone' } }));
    expect(ward.report.standing).toBe(1);
    const metrics = new AlarmMetrics();
    metrics.begin(ward.bench.out.events.slice(0, 1).map(({ alert }) => alert));
    for (const event of ward.bench.out.events.slice(1)) metrics.add(event);
    expect(metrics.report()).toMatchObject({ standing: 1, isWhole: false });
  });

  test('tell how fast people answer who have heard many alarms that asked for nothing', () => {
    const ward = new Ward();
    for (let i = 0; i < 30; i += 1) {
      ward.at(i * 1_000, raise({ dedupKey: `false ${i}` }));
      ward.at(i * 1_000 + 500, clear({ target: { dedupKey: `false ${i}` } }));
    }
    const answer = (from: number, dedupKey: string): void => {
      ward.at(from, raise({ dedupKey }));
      ward.at(from + 60_000, acknowledge({ target: { dedupKey }, actor: dedupKey }));
    };
    answer(40_000, 'soon');
    answer(9_000_000, 'later');
    expect(ward.report.afterFalseAlarms.map(({ from, count }) => [from, count])).toEqual([
      [0, 1],
      [30, 1],
      [80, 0],
    ]);
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
