import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SubjectIndex } from '../../src/statemachine/collections/subject-index.ts';
import type { Alert } from '../../src/statemachine/types.ts';

/** As much of an alert as the index looks at. */
const alert = (id: number, device: string | undefined, over = false): Alert =>
  ({
    id: `A${id}`,
    condition: `${id}`,
    subject: { device },
    resolution: over ? { how: 'cleared' } : undefined,
  }) as unknown as Alert;

describe('the open alerts of a device', () => {
  it('come and go with the alerts, and move with them', () => {
    const index = new SubjectIndex('device', 1);
    const [a, b] = [alert(1, 'm1'), alert(2, 'm1')];
    index.file(undefined, a);
    index.file(undefined, b);
    expect(index.of('m1')).toEqual([1, 2]);
    index.file(a, alert(1, 'm2'));
    expect([index.of('m1'), index.of('m2')]).toEqual([[2], [1]]);
    index.file(b, alert(2, 'm1', true));
    index.file(alert(1, 'm2'), alert(1, undefined));
    expect([index.of('m1'), index.of('m2')]).toEqual([[], []]);
  });

  it('are only those of the conditions that were asked for', () => {
    const index = new SubjectIndex('device', 1, (condition) => condition === '1');
    for (const id of [1, 2]) index.file(undefined, alert(id, 'm1'));
    expect(index.of('m1')).toEqual([1]);
  });

  it('are those that a list of them would name, wherever they move', () => {
    const device = fc.constantFrom(undefined, 'm1', 'm2', 'm3');
    const step = fc.record({ id: fc.integer({ min: 1, max: 40 }), device, over: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.nat(), (steps, seed) => {
        const index = new SubjectIndex('device', seed);
        const open = new Map<number, Alert>();
        for (const { id, device: name, over } of steps) {
          const next = alert(id, name, over);
          index.file(open.get(id), next);
          if (over) open.delete(id);
          else open.set(id, next);
          for (const one of ['m1', 'm2', 'm3']) {
            const there = [...open].filter(([, { subject }]) => subject.device === one);
            expect(index.of(one)).toEqual(there.map(([number]) => number).sort((x, y) => x - y));
          }
        }
      }),
    );
  });
});
