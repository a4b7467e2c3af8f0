import { expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';

test('a part of the items is never none and never all of them, and each can be in it', () => {
  for (const size of [2, 3, 5]) {
    const prng = new Prng(size);
    const items = Array.from({ length: size }, (_, at) => at);
    const met = new Set<number>();
    for (let draw = 0; draw < 200; draw += 1) {
      const part = prng.part(items);
      expect(part.size).toBeGreaterThan(0);
      expect(part.size).toBeLessThan(size);
      for (const item of part) met.add(item);
    }
    expect(met.size).toBe(size);
  }
});
