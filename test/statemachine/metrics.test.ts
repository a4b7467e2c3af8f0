import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { AlarmMetrics } from '../../src/statemachine/queries/metrics.ts';
import type { AlertEvent } from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { ReferenceModel } from './reference-model.ts';
import { play, SMALL_LIMITS, type Step, story, submit, write } from './stories.ts';

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

/** For alerts of any priority, from the first step of a story on. */
const POLICY: Step = {
  newBatch: false,
  advanceMs: 0,
  skipped: 0,
  do: 'record',
  actor: 'nurse-1',
  deed: {
    type: 'set-policy',
    id: 'default',
    steps: [{ targets: ['user:anna'], delaySeconds: 1 }],
    repeat: 2,
    minPriority: 'none',
    confirmSeconds: 1,
  },
};

/** What is told of one activation of one alert, from its steps alone: the first is its annunciation. */
const activationsOf = (events: readonly AlertEvent[]): AlertEvent[][] => {
  const steps = new Map<string, AlertEvent[]>();
  for (const event of events) {
    const name = `${event.alert.id} ${event.alert.activation}`;
    steps.set(name, [...(steps.get(name) ?? []), event]);
  }
  return [...steps.values()];
};

/** The first acknowledgement of each activation that nobody had acknowledged at a far end, with how long it took. */
const answersOf = (events: readonly AlertEvent[]): { event: AlertEvent; wait: number }[] =>
  activationsOf(events)
    .flatMap((steps) => {
      const at = steps.findIndex(({ alert }) => alert.acknowledged);
      const event = steps[at];
      return event?.effect === 'acknowledged'
        ? [{ event, wait: event.time - (steps[0]?.time ?? 0) }]
        : [];
    })
    .sort((a, b) => a.event.revision - b.event.revision);

const waitsOf = (answers: readonly { wait: number }[]) => {
  const waits = answers.map(({ wait }) => wait).sort((a, b) => a - b);
  if (waits.length === 0) return undefined;
  const at = (part: number) => waits[Math.min(waits.length - 1, Math.floor(part * waits.length))];
  return { median: at(0.5), p95: at(0.95) };
};

/** Of each answer, how many alarms of the unit had ended by themselves in the two hours before. */
function exposureOf(events: readonly AlertEvent[], { alert, time, revision }: AlertEvent): number {
  return events.filter(
    (one) =>
      one.alert.resolution?.how === 'auto' &&
      one.effect === 'cleared' &&
      one.alert.acknowledgements.length === 0 &&
      one.alert.subject.unit === alert.subject.unit &&
      one.revision < revision &&
      one.time > time - 7_200_000,
  ).length;
}

/** Answers that came within two seconds of the one before, by the same person. */
const reflexesOf = (answers: readonly { event: AlertEvent }[]): number =>
  answers.filter(({ event: { actor, time } }, at) => {
    const before = answers.slice(0, at).findLast(({ event }) => event.actor === actor);
    return before !== undefined && time - before.event.time < 2_000;
  }).length;

/** Milliseconds since each bed was first heard of, of all beds. */
function bedMsOf(sounds: readonly AlertEvent[], until: number): number {
  const first = new Map<string, number>();
  for (const { alert, time } of sounds) {
    const { unit, bed } = alert.subject;
    const place = JSON.stringify([unit, bed]);
    if (bed !== undefined && !first.has(place)) first.set(place, time);
  }
  return [...first.values()].reduce((sum, from) => sum + Math.max(until - from, 1), 0);
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

  test('of any history say what going through it activation by activation says', () => {
    let escalated = 0;
    fc.assert(
      fc.property(story, (steps) => {
        const { events } = play(write([POLICY, ...steps], new ReferenceModel(SMALL_LIMITS)));
        const sounds = events.filter(({ effect }) => SOUNDS.includes(effect));
        const report = reportOf(events);
        const answers = answersOf(events);
        expect(report.acknowledgedAfter).toEqual(waitsOf(answers));
        const bounds = [0, 30, 80, Number.POSITIVE_INFINITY];
        for (const [at, { from, count, waits }] of report.afterFalseAlarms.entries()) {
          const so = answers.filter(({ event }) => {
            const gone = exposureOf(events, event);
            return gone >= from && gone < (bounds[at + 1] ?? 0);
          });
          expect([from, count, waits]).toEqual([bounds[at], so.length, waitsOf(so)]);
        }
        expect(report.reflex).toBe(reflexesOf(answers));
        expect(report.reflexShare * Math.max(answers.length, 1)).toBeCloseTo(report.reflex);
        const told = activationsOf(events).filter(
          (all) => all.filter(({ effect }) => effect === 'notified').length > 1,
        ).length;
        expect(report.escalatedShare * Math.max(sounds.length, 1)).toBeCloseTo(told);
        escalated += told;
        const bedMs = bedMsOf(sounds, events.at(-1)?.time ?? 0);
        const ofBeds = sounds.filter(({ alert }) => alert.subject.bed !== undefined).length;
        expect(report.bedDays).toBeCloseTo(bedMs / 86_400_000);
        expect(report.perBedDay * Math.max(bedMs, 1)).toBeCloseTo(ofBeds * 86_400_000, 0);
        const ofWorst = worstOf(sounds).reduce((sum, one) => sum + one.annunciations, 0);
        expect(report.worstShare * Math.max(sounds.length, 1)).toBeCloseTo(ofWorst);
      }),
      { numRuns: 200 },
    );
    // Stories in which nobody is ever told again would hold less than they seem to.
    expect(escalated).toBeGreaterThan(0);
  });

  test('count an activation once, whoever takes its acknowledgement back, and however often one step is carried out', () => {
    const ward = new Ward();
    const steps = [{ delaySeconds: 60, targets: ['user:anna'] }];
    ward.at(1, {
      type: 'set-policy',
      id: 'default',
      steps,
      repeat: 3,
      minPriority: 'low',
      confirmSeconds: 30,
      actor: 'admin',
      observedAt: unixMillis(1),
    });
    ward.at(1_000, raise());
    for (let i = 1; i <= 3; i += 1) {
      ward.at(1_000 + i * 61_000, acknowledge({ actor: 'anna' }));
      ward.at(1_001 + i * 61_000, {
        type: 'unacknowledge',
        target: { dedupKey: raise().dedupKey },
        reason: 'a mistake',
        actor: 'ben',
        observedAt: unixMillis(1),
      });
    }
    ward.at(200_000, clear());
    expect(ward.report.acknowledgedAfter).toEqual({ median: 61_000, p95: 61_000 });
    expect(ward.report.escalatedShare).toBe(1);
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
