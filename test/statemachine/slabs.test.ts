import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Slabs } from '../../src/statemachine/collections/slabs.ts';

const textOf = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.subarray(from, to)).toString('latin1');

const SLAB_BYTES = 2 ** 18;

/** Records by their texts, and where each lies as far as is told. */
class Shelf {
  readonly places = new Map<string, number>();
  readonly slabs = new Slabs(SLAB_BYTES, (to) => this.places.set(this.slabs.read(to, textOf), to));
  moved = 0;

  add(text: string): void {
    // Not at the beginning: a writer's buffer may hold something else there.
    const bytes = Buffer.from(`---${text}---`, 'latin1');
    this.places.set(text, this.slabs.add(bytes, 3, text.length));
  }

  remove(text: string): void {
    const place = this.places.get(text) ?? -1;
    this.places.delete(text);
    this.slabs.remove(place);
  }

  get live(): number {
    return [...this.places.keys()].reduce((sum, text) => sum + text.length, 0);
  }
}

const lengths = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 250_000, max: 400_000 }) },
);

const steps = fc.array(
  fc.record({
    count: fc.integer({ min: 1, max: 60 }),
    length: lengths,
    keep: fc.integer({ max: 9, min: 0 }),
  }),
  { maxLength: 25 },
);

test('records are what was written, wherever they move, and what was frozen stays as it was', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const shelf = new Shelf();
      const views: { view: ReturnType<Slabs['freeze']>; places: [string, number][] }[] = [];
      all.forEach(({ count, length, keep }, step) => {
        for (let n = 0; n < count; n += 1) shelf.add(`${step} ${n} `.padEnd(length, 'x'));
        if (step % 5 === 0) views.push({ view: shelf.slabs.freeze(), places: [...shelf.places] });
        for (const [at, text] of [...shelf.places.keys()].entries())
          if (at % 10 >= keep) shelf.remove(text);
        for (const [text, place] of shelf.places)
          expect(shelf.slabs.read(place, textOf)).toBe(text);
      });
      for (const { view, places } of views)
        for (const [text, place] of places) expect(view.read(place, textOf)).toBe(text);
    }),
    { numRuns: 30 },
  );
});

test('what is removed gives its room back: records take at most some three times their length, and three slabs', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const shelf = new Shelf();
      all.forEach(({ count, length, keep }, step) => {
        for (let n = 0; n < count; n += 1) shelf.add(`${step} ${n} `.padEnd(length + 40, 'x'));
        for (const [at, text] of [...shelf.places.keys()].entries())
          if (at % 10 >= keep) shelf.remove(text);
        expect(shelf.slabs.byteLength).toBeLessThanOrEqual(3 * shelf.live + 3 * SLAB_BYTES);
      });
    }),
    { numRuns: 30 },
  );
});

test('a record is removed once', () => {
  const shelf = new Shelf();
  shelf.add('one');
  const place = shelf.places.get('one') ?? -1;
  shelf.remove('one');
  expect(() => shelf.slabs.remove(place)).toThrow('was removed already');
  expect(() => shelf.slabs.read(2 ** 20, textOf)).toThrow('nothing lies at');
});
