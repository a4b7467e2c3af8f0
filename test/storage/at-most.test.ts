import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AtMost } from '../../src/storage/trend/at-most.ts';

test('no more run at once than may, whoever fails gives the place up, and all have their turn in order', async () => {
  const task = fc.record({ breaths: fc.nat(4), fails: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(task), async (most, tasks) => {
      const places = new AtMost(most);
      let running = 0;
      let highest = 0;
      const begun: number[] = [];
      const all = tasks.map(({ breaths, fails }, at) =>
        places.run(async () => {
          begun.push(at);
          running += 1;
          highest = Math.max(highest, running);
          for (let left = breaths; left > 0; left -= 1) await Promise.resolve();
          running -= 1;
          if (fails) throw new Error('no');
          return at;
        }),
      );
      const ends = (await Promise.allSettled(all)).map(({ status }) => status === 'rejected');
      expect(ends).toEqual(tasks.map(({ fails }) => fails));
      expect(highest).toBeLessThanOrEqual(most);
      expect(begun).toEqual([...tasks.keys()]);
    }),
  );
});
