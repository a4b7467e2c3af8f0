import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SUBJECT_LIST_MAX } from '../../src/base/limits.ts';
import { AlertTable } from '../../src/statemachine/alerts/alert-table.ts';
import { Subjects } from '../../src/statemachine/alerts/subjects.ts';
import { SubjectIndex } from '../../src/statemachine/collections/subject-index.ts';
import type { Alert } from '../../src/statemachine/types.ts';

/** As much of an alert as is looked at. */
const alert = (id: number, device: string | undefined, more: Partial<Alert> = {}): Alert =>
  ({
    id: `A${id}`,
    dedupKey: `${id}`,
    condition: 'HR:HI',
    text: '',
    labels: {},
    acknowledgements: [],
    subject: { device, bed: `bed of ${device}` },
    ...more,
  }) as unknown as Alert;

const OVER = { resolution: { how: 'auto' } } as unknown as Partial<Alert>;

/** Alerts, and the index of them. */
class Ward {
  readonly #table = new AlertTable(
    { resolvedAlertsMax: 9, dedupKeysRememberedMax: 9 },
    { seed: 1 },
  );
  readonly subjects = new Subjects(this.#table);

  open(one: Alert): void {
    this.#table.open(one, 0);
    this.subjects.file(undefined, one);
  }

  change(before: Alert, after: Alert): Alert {
    this.#table.replace(before, after);
    this.subjects.file(before, after);
    return after;
  }
}

/** Of all alerts that are open about it. */
const openOf = (subjects: Subjects, field: 'device' | 'bed', value: string): string =>
  subjects
    .next(field, [value], 0, 1_000)
    .map((number) => `A${number}`)
    .join();

describe('the open alerts about something', () => {
  it('come and go with the alerts, and move with them', () => {
    const [a, b] = [alert(1, 'm1'), alert(2, 'm1')];
    const ward = new Ward();
    const { subjects } = ward;
    ward.open(a);
    ward.open(b);
    const there = (): string[] =>
      ['m1', 'm2'].flatMap((device) => [
        openOf(subjects, 'device', device),
        openOf(subjects, 'bed', `bed of ${device}`),
      ]);
    expect(there()).toEqual(['A1,A2', 'A1,A2', '', '']);
    const moved = ward.change(a, alert(1, 'm2'));
    expect(there()).toEqual(['A2', 'A2', 'A1', 'A1']);
    ward.change(b, alert(2, 'm1', OVER));
    ward.change(moved, alert(1, undefined));
    expect(there()).toEqual(['', '', '', '']);
  });

  it('are those that a list of them would name, wherever they move', () => {
    const about = fc.constantFrom(undefined, 'm1', 'm2', 'm3');
    // Now and then many at once, so that a device has more than stand in a list, and fewer again.
    const count = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: SUBJECT_LIST_MAX * 2 }));
    const step = fc.record({ from: fc.integer({ min: 1, max: 40 }), count, about });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.nat(),
        fc.nat(200),
        (steps, seed, after) => {
          const open = new Map<number, string | undefined>();
          const index = new SubjectIndex(seed, (number) => open.get(number));
          for (const { from, count, about: is } of steps) {
            for (let id = from; id < from + count; id += 1) {
              index.move(`A${id}`, open.get(id), is);
              open.set(id, is);
            }
            for (const one of ['m1', 'm2', 'm3']) {
              const there = [...open].filter(([, device]) => device === one);
              const numbers = there.map(([number]) => number).sort((x, y) => x - y);
              expect([index.of(one), index.countOf(one)]).toEqual([numbers, numbers.length]);
              const above = numbers.filter((number) => number > after);
              expect(index.next(one, after, 5)).toEqual(above.slice(0, 5));
            }
          }
        },
      ),
    );
  });

  it('are kept account of exactly: what is not there cannot go', () => {
    const open = new Map([
      [1, 'm1'],
      [3, 'm1'],
    ]);
    const index = new SubjectIndex(1, (number) => open.get(number));
    index.move('A1', undefined, 'm1');
    expect(() => index.move('A2', 'm1', undefined)).toThrow('A2 is not about m1');
    index.move('A3', undefined, 'm1');
    expect(() => index.move('A2', 'm1', undefined)).toThrow('A2 is not about m1');
    expect(() => index.move('A1', 'm2', undefined)).toThrow('nothing is about m2');
    expect(index.of('m1')).toEqual([1, 3]);
  });
});
