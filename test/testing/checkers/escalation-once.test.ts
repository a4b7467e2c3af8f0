import { expect, test } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import {
  checkEscalations,
  type EscalationEvent,
  type EscalationHistory,
  type SeenPage,
} from '../../../src/testing/checkers/escalation-once.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const RUNS = process.env['FULL'] === '1' ? 1_000 : 100;
const LADDER = { waitsMs: [1_000, 2_000], repeat: 1 };

interface Made {
  events: EscalationEvent[];
  pages: SeenPage[];
  readonly raisedAt: Map<string, number>;
  readonly unanswered: Map<string, number>;
}

/** Alerts that climb their policy, steps now and then late, each answered at some step or not at all. */
function makeEscalations(seed: number): Made {
  const prng = new Prng(seed);
  const made: Made = { events: [], pages: [], raisedAt: new Map(), unanswered: new Map() };
  const skew = prng.between(-1_000_000, 1_000_000);
  for (let number = 1; number <= 6; number += 1) climb(made, prng, `A${number}`, skew);
  made.events.sort((a, b) => a.time - b.time);
  made.events = made.events.map((event, at) => ({ ...event, revision: at + 1 }));
  return made;
}

function climb(
  { events, pages, raisedAt, unanswered }: Made,
  prng: Prng,
  id: string,
  skew: number,
) {
  const key = `key of ${id}`;
  let time = prng.between(0, 5_000);
  raisedAt.set(key, time - prng.between(0, 30));
  const add = (effect: string, loop: number, step: number): void => {
    const seenAt = time + prng.between(0, 500);
    events.push({ key, alertId: id, revision: 0, effect, time: time + skew, seenAt, loop, step });
  };
  add('raised', 0, 0);
  const answeredBefore = prng.between(0, 8);
  let count = 0;
  for (const loop of [0, 1])
    for (const [step, wait] of LADDER.waitsMs.entries()) {
      if (count === answeredBefore) {
        add('acknowledged', loop, step);
        return;
      }
      time += prng.chance(0.3) ? prng.between(0, 4_000) : 0;
      add('notified', loop, step + 1);
      const page = { notification: `N${id}${loop}${step}`, alertId: id, loop, step };
      pages.push(page);
      if (prng.chance(0.2)) pages.push(page);
      time += wait;
      count += 1;
    }
  add('exhausted', 1, 2);
  unanswered.set(id, 1);
  if (!prng.chance(0.2)) return;
  // Before its last page could leave, somebody answers after all.
  pages.splice(
    pages.findIndex((page) => page.alertId === id && page.loop === 1 && page.step === 1),
  );
  time += prng.between(0, 100);
  add('cleared', 1, 2);
}

const verdictOn = (made: Made) =>
  checkEscalations({ ladder: LADDER, ...made } satisfies EscalationHistory);

test(`${RUNS} good runs raise no alarm`, () => {
  for (let seed = SEED; seed < SEED + RUNS; seed += 1)
    expect(verdictOn(makeEscalations(seed)).findings, `seed ${seed}`).toEqual([]);
});

/** Makes a good run bad in one way; undefined when it has no place for it. */
type Mutator = (made: Made, prng: Prng) => Made | undefined;

const stepsOf = ({ events }: Made): readonly EscalationEvent[] =>
  events.filter(({ effect }) => effect === 'notified');

const spoilt =
  (change: (step: EscalationEvent, made: Made) => readonly EscalationEvent[]): Mutator =>
  (made, prng) => {
    const steps = stepsOf(made);
    if (steps.length === 0) return undefined;
    const step = prng.pick(steps);
    const events = made.events.flatMap((each) => (each === step ? change(step, made) : [each]));
    return { ...made, events };
  };

const exhaustedOf = ({ events }: Made): EscalationEvent | undefined =>
  events.find(({ effect }) => effect === 'exhausted');

const unansweredOf = ({ events }: Made): EscalationEvent | undefined => {
  const cleared = events.filter(({ effect }) => effect === 'cleared').map(({ alertId }) => alertId);
  return events.find(({ effect, alertId }) => effect === 'exhausted' && !cleared.includes(alertId));
};

const MUTATORS: Readonly<Record<string, Mutator>> = {
  'a step happens twice': spoilt((step) => [step, step]),
  'a step is left out': (made) => {
    const last = exhaustedOf(made);
    const step = stepsOf(made).find(({ alertId }) => alertId === last?.alertId);
    return step && { ...made, events: made.events.filter((each) => each !== step) };
  },
  'a step comes before its time': spoilt((step, { events }) => {
    const before = events.filter((each) => each.alertId === step.alertId && each.time < step.time);
    const time = before.length === 0 ? step.time - 1 : (before.at(-1)?.time ?? 0);
    return [{ ...step, time: before.at(-1)?.effect === 'notified' ? time + 1 : time - 1 }];
  }),
  'a step comes after the answer': (made) => {
    const answer = made.events.find(({ effect }) => effect === 'acknowledged');
    if (answer === undefined) return undefined;
    const late = {
      ...answer,
      effect: 'notified',
      step: answer.step + 1,
      time: answer.time + 9_000,
    };
    return { ...made, events: [...made.events, { ...late, seenAt: answer.seenAt + 9_000 }] };
  },
  'the end is never reached': (made) => {
    const last = exhaustedOf(made);
    return last && { ...made, events: made.events.filter((each) => each !== last) };
  },
  'nobody is told of the end': (made) => {
    const last = exhaustedOf(made);
    return last && { ...made, unanswered: new Map() };
  },
  'the end is told twice': (made) => {
    const last = exhaustedOf(made);
    return last && { ...made, unanswered: new Map([...made.unanswered, [last.alertId, 2]]) };
  },
  'a page never leaves': (made) => {
    const last = unansweredOf(made);
    const pages = made.pages.filter((page) => page.alertId !== last?.alertId || page.loop === 0);
    return last && { ...made, pages };
  },
  'a step is paged under two ids': (made, prng) => {
    if (made.pages.length === 0) return undefined;
    return { ...made, pages: [...made.pages, { ...prng.pick(made.pages), notification: 'other' }] };
  },
  'an id pages two steps': (made, prng) => {
    if (made.pages.length === 0) return undefined;
    return { ...made, pages: [...made.pages, { ...prng.pick(made.pages), loop: 7 }] };
  },
  'our own clock says that it is early': (made) => {
    const raisedAt = new Map([...made.raisedAt].map(([key, at]) => [key, at + 5_000] as const));
    return stepsOf(made).some(({ step }) => step > 1) ? { ...made, raisedAt } : undefined;
  },
};

test.each(Object.entries(MUTATORS))('%s: caught', (_name, mutate) => {
  let made = 0;
  for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
    const spoiled = mutate(makeEscalations(seed), new Prng(seed));
    if (spoiled === undefined) continue;
    made += 1;
    expect(verdictOn(spoiled).findings.length, `seed ${seed}`).toBeGreaterThan(0);
  }
  expect(made).toBeGreaterThan(RUNS / 4);
});
