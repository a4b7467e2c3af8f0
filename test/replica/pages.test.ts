import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { type Millis, millis, type Revision, revision } from '../../src/base/ids.ts';
import { TURN_MS_MAX } from '../../src/base/limits.ts';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import { Pages, type Wanted } from '../../src/replica/service/pages.ts';
import { Turns } from '../../src/replica/turns.ts';
import type { AlertPage, Answer } from '../../src/statemachine/alert-api.ts';
import type { AlertId } from '../../src/statemachine/types.ts';
import { decodeListAnswer } from '../../src/wire/clients/answers.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { Bench, clear, raise } from '../statemachine/commands.ts';
import { join } from '../wire/helpers.ts';
import { WorkingClock } from './working-clock.ts';

interface Scene {
  readonly bench: Bench;
  readonly pages: Pages;
  readonly state: AppliedState;
  ask(asked: Asked): Promise<Answer<AlertPage>>;
}

type Asked = Omit<Wanted, 'asOf' | 'deadline'> & { readonly deadline?: Millis };

function scene(clock: VirtualClock, alerts: number): Scene {
  const bench = new Bench();
  const state = new AppliedState(bench.machine);
  const pages = new Pages(state, clock, new Turns(clock));
  for (let n = 0; n < alerts; n += 1) bench.done(raise({ dedupKey: `k${n}` }));
  for (const event of bench.out.events) state.history.push(event);
  const ask = ({
    deadline = millis(Number.MAX_SAFE_INTEGER),
    ...asked
  }: Asked): ReturnType<Scene['ask']> =>
    new Promise((resolve, reject) => {
      pages.ask({ ...asked, asOf: undefined, deadline }, (outcome) => {
        if (TocsinError.is(outcome)) reject(outcome);
        else resolve(decodeListAnswer(join(outcome)));
      });
    });
  return { bench, pages, state, ask };
}

describe('a page', () => {
  test('is made in later turns, in order, and is of one state, whatever is applied while it is written', async () => {
    const clock = new VirtualClock();
    const { ask, bench } = scene(clock, 100);
    const told: number[] = [];
    const asked = [100, 3].map(async (limit) => {
      const answer = await ask({ filter: { open: true }, options: { limit } });
      told.push(limit);
      return [answer.value.alerts.length, answer.revision];
    });
    bench.done(clear({ target: { dedupKey: 'k1' } }));
    expect(told).toEqual([]);
    await clock.run(0);
    expect(await Promise.all(asked)).toEqual([
      [99, 101],
      [3, 101],
    ]);
    expect(told).toEqual([100, 3]);
  });

  test('is not made for somebody whose time is over while those before have their turn', async () => {
    const clock = new WorkingClock(TURN_MS_MAX / 16);
    const { ask } = scene(clock, 500);
    const first = ask({ filter: { text: 'K49' }, options: { limit: 100 } });
    const deadline = millis(clock.monotonic() + TURN_MS_MAX / 32);
    const late = ask({ filter: {}, options: {}, deadline });
    const isRefused = expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await clock.run(0);
    await first;
    await isRefused;
  });

  test('is full although the slice ends again and again, and of one state although that changes meanwhile', async () => {
    const clock = new WorkingClock(TURN_MS_MAX / 16);
    const { ask, bench, state } = scene(clock, 500);
    let cleared = 0;
    const clearOne = (): void => {
      const { length } = bench.out.events;
      bench.done(clear({ target: { dedupKey: `k${cleared}` } }));
      for (const event of bench.out.events.slice(length)) state.history.push(event);
      cleared += 1;
      if (cleared < 400) clock.soon(clearOne);
    };
    clock.soon(clearOne);
    const asked = ask({ filter: { open: true }, options: { limit: 300 } });
    await clock.run(0);
    const { value, revision: at } = await asked;
    const first = at - 500;
    expect(cleared).toBeGreaterThan(first + 3);
    expect(value.alerts.map(({ id }) => id)).toEqual(
      Array.from({ length: 300 }, (_, n) => `A${first + 1 + n}`),
    );
  });

  test('ends early rather than look through many alerts for long, and the next ones find the rest', async () => {
    const clock = new WorkingClock(TURN_MS_MAX / 8);
    const { ask } = scene(clock, 5_000);
    const found: AlertId[] = [];
    let pages = 0;
    let after: AlertId | undefined;
    do {
      const options = after === undefined ? { limit: 100 } : { limit: 100, after };
      const asked = ask({ filter: { text: 'K49' }, options });
      await clock.run(0);
      const { value } = await asked;
      found.push(...value.alerts.map(({ id }) => id));
      after = value.next?.split('@')[0] as AlertId | undefined;
      pages += 1;
    } while (after !== undefined);
    const matching = Array.from({ length: 5_000 }, (_, n) => n).filter((n) =>
      `k${n}`.startsWith('k49'),
    );
    expect(found).toEqual(matching.map((n) => `A${n + 1}`));
    expect(pages).toBeGreaterThan(3);
  });

  test('of the past is made after what happened since was undone, a slice at a time', async () => {
    const clock = new WorkingClock(TURN_MS_MAX / 4);
    const { ask } = scene(clock, 500);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      if (turns < 1_000) clock.soon(count);
    };
    clock.soon(count);
    let turnsTaken = 0;
    const asked = ask({ at: revision(7), filter: {}, options: {} }).then((answer) => {
      turnsTaken = turns;
      return answer;
    });
    await clock.run(0);
    const { value, revision: at } = await asked;
    expect([value.alerts.length, at]).toEqual([7, 7]);
    expect(turnsTaken).toBeGreaterThan(5);
  });

  test.each([
    [{ at: revision(9) }, 'BAD_REQUEST'],
    [{ options: { limit: 0 } }, 'BAD_REQUEST'],
  ] as [{ at?: Revision; options?: Wanted['options'] }, string][])(
    'that cannot be made is refused alone: %o',
    async (wrong, code) => {
      const clock = new VirtualClock();
      const { ask } = scene(clock, 3);
      const refused = expect(ask({ filter: {}, options: {}, ...wrong })).rejects.toMatchObject({
        code,
      });
      const answered = ask({ filter: {}, options: {} });
      await clock.run(0);
      await refused;
      expect((await answered).value.alerts).toHaveLength(3);
    },
  );

  test('that fails by a bug keeps nobody behind it waiting', async () => {
    const clock = new VirtualClock();
    const { ask, bench } = scene(clock, 3);
    const list = bench.machine.list.bind(bench.machine);
    bench.machine.list = () => {
      bench.machine.list = list;
      throw new Error('a bug');
    };
    void ask({ filter: {}, options: {} });
    const behind = ask({ filter: {}, options: {} });
    await expect(clock.run(0)).rejects.toThrow('a bug');
    await clock.run(0);
    expect((await behind).value.alerts).toHaveLength(3);
  });
});

test('an answer that waits behind a long one is not begun when nobody waits for it any more', async () => {
  const clock = new VirtualClock();
  const pages = new Pages(new AppliedState(new Bench().machine), clock, new Turns(clock, 5));
  const answering = { step: () => left-- > 0, finish: () => [] };
  const outcomes: unknown[] = [];
  let left = 20;
  pages.make(
    millis(1),
    () => answering,
    () => {
      outcomes.push('long');
      clock.monotonic = () => millis(3);
    },
  );
  pages.make(
    millis(2),
    () => expect.fail('it was begun'),
    (outcome) => outcomes.push(TocsinError.is(outcome) ? outcome.code : outcome),
  );
  await clock.run(0);
  expect(outcomes).toEqual(['long', 'DEADLINE_EXCEEDED']);
});
