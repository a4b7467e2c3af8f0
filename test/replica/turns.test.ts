import { stat } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Millis, millis } from '../../src/base/ids.ts';
import { TURN_LEFT_SHARE, TURN_MS_MAX } from '../../src/base/limits.ts';
import { Turns, type Work } from '../../src/replica/turns.ts';
import { SystemClock } from '../../src/transport/system-clock.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { WorkingClock } from './working-clock.ts';

/** What those who wait have of a turn. */
const SHARED_MS = TURN_MS_MAX * (1 - TURN_LEFT_SHARE);

/** Milliseconds that its steps take. */
const steps = fc.array(fc.double({ min: 0.01, max: 3, noNaN: true }), {
  minLength: 1,
  maxLength: 20,
});
const works = fc.array(steps, { minLength: 1, maxLength: 8 });

/** One call of a work: in which turn of the loop, and how long it took. */
interface Share {
  readonly work: number;
  readonly turn: number;
  readonly ms: number;
  readonly lastStepMs: number;
}

/** Runs the works, asked for `later` or `now`; in each turn of the loop time is counted anew. */
async function sharesOf(
  works: readonly (readonly number[])[],
  how: 'later' | 'now',
): Promise<Share[]> {
  const clock = new WorkingClock();
  const turns = new Turns(clock);
  const shares: Share[] = [];
  let turn = 0;
  let left = works.length;
  const count = (): void => {
    turn += 1;
    if (left > 0) clock.soon(count);
  };
  clock.soon(count);
  for (const [work, steps] of works.entries()) {
    let at = 0;
    turns[how]((isOver) => {
      const began = clock.monotonic();
      let ms = 0;
      do {
        ms = steps[at] ?? 0;
        clock.work(ms);
        at += 1;
      } while (at < steps.length && !isOver(true));
      shares.push({ work, turn, ms: clock.monotonic() - began, lastStepMs: ms });
      if (at < steps.length) return true;
      left -= 1;
      return false;
    });
  }
  await clock.run(0);
  expect(left).toBe(0);
  return shares;
}

test.each(['later', 'now'] as const)(
  'whatever waits, a turn takes no longer than it may, and the step under way then (%s)',
  async (how) => {
    await fc.assert(
      fc.asyncProperty(works, async (works) => {
        const shares = await sharesOf(works, how);
        for (const turn of new Set(shares.map((share) => share.turn))) {
          const taken = shares.filter((share) => share.turn === turn);
          const ms = taken.reduce((sum, share) => sum + share.ms, 0);
          expect(ms - (taken.at(-1)?.lastStepMs ?? 0)).toBeLessThan(TURN_MS_MAX + 1e-9);
        }
      }),
    );
  },
);

/** Whether a short step can be made at once. */
function takesStep(turns: Turns): boolean {
  let isNow = true;
  let isTaken = false;
  turns.now((isOver) => {
    isTaken = isNow;
    isOver(true);
    return false;
  });
  isNow = false;
  return isTaken;
}

test('nobody has a second share while somebody who was there before waits for the first', async () => {
  await fc.assert(
    fc.asyncProperty(works, async (works) => {
      const shares = await sharesOf(works, 'later');
      const had = works.map(() => 0);
      for (const { work } of shares) {
        had[work] = (had[work] ?? 0) + 1;
        for (const [other, steps] of works.entries()) {
          const isDone = shares.filter((share) => share.work === other).length === had[other];
          if (!isDone)
            expect((had[work] ?? 0) - (had[other] ?? 0), `${steps}`).toBeLessThanOrEqual(1);
        }
      }
    }),
  );
});

test('those who wait have equal parts, and one alone has all of it', async () => {
  const small = Array.from({ length: 400 }, () => SHARED_MS / 100);
  const four = await sharesOf([small, small, small, small], 'later');
  const first = four.filter(({ turn }) => turn === 1);
  expect(first.map(({ work }) => work)).toEqual([0, 1, 2, 3]);
  for (const { ms } of first) expect(ms).toBeCloseTo(SHARED_MS / 4, 1);
  const alone = await sharesOf([small], 'later');
  expect(alone).toHaveLength(4);
});

test('whoever comes after those who waited finds something left of the turn, and no more than that', async () => {
  const clock = new WorkingClock();
  const turns = new Turns(clock);
  const hungry: Work = (isOver) => {
    do clock.work(0.01);
    while (!isOver(true));
    return clock.monotonic() < 20;
  };
  const taken: number[] = [];
  const come = (): void => {
    let count = 0;
    for (; takesStep(turns); count += 1) clock.work(0.05);
    taken.push(count);
    if (taken.length < 5) clock.soon(come);
  };
  turns.later(hungry);
  clock.soon(come);
  await clock.run(0);
  const due = (TURN_MS_MAX * TURN_LEFT_SHARE) / 0.05;
  for (const count of taken) expect(Math.abs(count - due)).toBeLessThanOrEqual(1);
});

/** Node's own loop, in which time passes only while something is done. */
class CountedClock extends SystemClock {
  worked = 0;
  override monotonic(): Millis {
    return millis(this.worked);
  }
}

test.each([0, 20, 60])(
  'what comes in and what waits then share one turn of the loop, when %i steps are made as they come',
  async (early) => {
    const clock = new CountedClock();
    const turns = new Turns(clock);
    const taken: number[] = [];
    let [left, last] = [60, 0];
    await new Promise<void>((resolve) => {
      const step = (): void => {
        clock.worked += 0.2;
        left -= 1;
      };
      const look = (): void => {
        taken.push(clock.worked - last);
        last = clock.worked;
        if (left > 0) setImmediate(look);
        else resolve();
      };
      // Its callback runs where the loop polls, as those of sockets do.
      stat('.', () => {
        setImmediate(look);
        for (let n = 0; n < early && takesStep(turns); n += 1) step();
        turns.later((isOver) => {
          do step();
          while (left > 0 && !isOver(true));
          return left > 0;
        });
      });
    });
    expect(Math.max(...taken)).toBeLessThan(TURN_MS_MAX + 0.2);
    expect(taken.length).toBeGreaterThan(6);
  },
);

test('what is begun within a share leaves the share as long as it was', async () => {
  const clock = new WorkingClock();
  const turns = new Turns(clock);
  const took: number[] = [];
  const work: Work = (isOver) => {
    const began = clock.monotonic();
    turns.now(() => false);
    do clock.work(0.01);
    while (!isOver());
    took.push(clock.monotonic() - began);
    return false;
  };
  for (let n = 0; n < 4; n += 1) turns.later(work);
  await clock.run(0);
  for (const ms of took) expect(ms).toBeCloseTo(SHARED_MS / 4, 1);
});

test('after work that throws the others go on, and so does it', async () => {
  const clock = new VirtualClock();
  const turns = new Turns(clock);
  const made: string[] = [];
  let isBad = true;
  turns.later(() => {
    if (!isBad) made.push('first');
    else {
      isBad = false;
      throw new Error('a bug');
    }
    return false;
  });
  turns.later(() => {
    made.push('second');
    return false;
  });
  await expect(clock.run(0)).rejects.toThrow('a bug');
  await clock.run(0);
  expect(made).toEqual(['second', 'first']);
});

test('a turn has done enough after so many steps, whatever the clock says, and each turn begins anew', async () => {
  const clock = new VirtualClock();
  const turns = new Turns(clock, 3);
  expect([takesStep(turns), takesStep(turns)]).toEqual([true, true]);
  const made: number[] = [];
  const work: Work = (isOver) => {
    do made.push(made.length);
    while (made.length < 8 && !isOver());
    return made.length < 8;
  };
  turns.now(work);
  expect(made).toHaveLength(1);
  expect(takesStep(turns)).toBe(false);
  const seen: number[] = [];
  clock.soon(() => seen.push(made.length));
  clock.soon(() => clock.soon(() => seen.push(made.length)));
  await clock.run(0);
  expect(seen).toEqual([1, 4]);
  expect(made).toHaveLength(8);
  expect(takesStep(turns)).toBe(true);
});

test('when nothing waits nothing is left running', async () => {
  const clock = new VirtualClock();
  const turns = new Turns(clock);
  expect(clock.pending).toBe(0);
  turns.now(() => false);
  await clock.run(0);
  expect(clock.pending).toBe(0);
});

test('whoever waits for work to be done learns of its end, and of what it throws, and the others go on', async () => {
  const clock = new VirtualClock();
  const turns = new Turns(clock);
  let left = 5;
  const done = turns.done(() => {
    left -= 1;
    return left > 0;
  });
  const failed = turns.done(() => {
    throw new Error('no');
  });
  const isRefused = expect(failed).rejects.toThrow('no');
  const after = turns.done(() => false);
  await clock.run(0);
  await isRefused;
  await Promise.all([done, after]);
  expect(left).toBe(0);
});

test('each thing that is made after another has a later turn, and whoever made it learns what it is', async () => {
  const clock = new VirtualClock();
  const turns = new Turns(clock);
  let turn = 0;
  const count = (): void => {
    turn += 1;
    if (turn < 10) clock.soon(count);
  };
  clock.soon(count);
  const madeIn: number[] = [];
  const make = async (): Promise<void> => {
    for (let times = 0; times < 3; times += 1) madeIn.push(await turns.make(() => turn));
  };
  const made = make();
  expect(takesStep(turns)).toBe(true);
  const failed = expect(turns.make(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await clock.run(0);
  await Promise.all([made, failed]);
  expect(new Set(madeIn).size).toBe(3);
  expect(madeIn.every((at) => at > 0)).toBe(true);
});
