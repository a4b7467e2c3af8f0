import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SLICE_MS_MAX } from '../../src/base/limits.ts';
import { SlicedWork } from '../../src/replica/slices.ts';
import { WorkingClock } from './working-clock.ts';

test('work is done in the order in which it came, each turn a slice and at most one step more', async () => {
  const piece = fc.array(fc.double({ min: 0.01, max: 3, noNaN: true }), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      const clock = new WorkingClock();
      const work = new SlicedWork(clock);
      const done: number[] = [];
      let turnBegan = 0;
      let turn = -1;
      for (const [number, steps] of pieces.entries()) {
        let at = 0;
        work.add(() => {
          if (turn < 0) turnBegan = clock.monotonic();
          turn = 1;
          expect(clock.monotonic() - turnBegan).toBeLessThan(SLICE_MS_MAX + 1e-9);
          clock.work(steps[at] ?? 0);
          at += 1;
          if (at < steps.length) return true;
          done.push(number);
          return false;
        });
      }
      const everyTurn = (): void => {
        turn = -1;
        if (done.length < pieces.length) clock.soon(everyTurn);
      };
      clock.soon(everyTurn);
      await clock.run(0);
      expect(done).toEqual([...pieces.keys()]);
    }),
  );
});
