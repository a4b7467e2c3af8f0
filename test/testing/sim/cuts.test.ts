import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Cuts, type Way } from '../../../src/testing/sim/cuts.ts';

const HOSTS = ['a', 'b', 'c'];
const way: fc.Arbitrary<Way> = fc
  .tuple(fc.constantFrom(...HOSTS), fc.constantFrom(...HOSTS))
  .filter(([from, to]) => from !== to);

/** A fault begins that cuts these ways, or the n-th of those that last is over. */
const step = fc.oneof(
  fc.record({ cut: fc.uniqueArray(way, { maxLength: 4, selector: (each) => each.join('>') }) }),
  fc.record({ end: fc.nat(5) }),
);

test('a way is cut for as long as any fault cuts it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const cut = new Set<string>();
      const cuts = new Cuts({
        cut: (from, to) => void cut.add(`${from}>${to}`),
        heal: (from, to) => void cut.delete(`${from}>${to}`),
      });
      let lasting: { readonly ways: readonly Way[]; readonly end: () => void }[] = [];
      for (const each of steps) {
        if ('cut' in each) lasting.push({ ways: each.cut, end: cuts.cut(each.cut) });
        else {
          const over = lasting[each.end];
          // Ended twice it ends nothing else.
          over?.end();
          over?.end();
          lasting = lasting.filter((other) => other !== over);
        }
        const wanted = lasting.flatMap(({ ways }) => ways.map((one) => one.join('>')));
        expect([...cut].sort()).toEqual([...new Set(wanted)].sort());
      }
      cuts.healAll();
      expect([...cut]).toEqual([]);
      for (const { end } of lasting) end();
      expect([...cut]).toEqual([]);
    }),
  );
});
