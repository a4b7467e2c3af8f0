import { describe, expect, it } from 'vitest';
import { SubjectIndex } from '../../src/statemachine/collections/subject-index.ts';
import type { Alert } from '../../src/statemachine/types.ts';

/** As much of an alert as the index looks at. */
const alert = (dedupKey: string, device: string | undefined, over = false): Alert =>
  ({
    dedupKey,
    condition: dedupKey,
    subject: { device },
    resolution: over ? { how: 'cleared' } : undefined,
  }) as unknown as Alert;

describe('the open alerts of a device', () => {
  it('come and go with the alerts, and move with them', () => {
    const index = new SubjectIndex('device');
    const [a, b] = [alert('a', 'm1'), alert('b', 'm1')];
    index.file(undefined, a);
    index.file(undefined, b);
    expect([...index.of('m1')]).toEqual(['a', 'b']);
    index.file(a, alert('a', 'm2'));
    expect([[...index.of('m1')], [...index.of('m2')]]).toEqual([['b'], ['a']]);
    index.file(b, alert('b', 'm1', true));
    index.file(alert('a', 'm2'), alert('a', undefined));
    expect([[...index.of('m1')], [...index.of('m2')]]).toEqual([[], []]);
  });

  it('are only those of the conditions that were asked for', () => {
    const index = new SubjectIndex('device', (condition) => condition === 'a');
    for (const key of ['a', 'b']) index.file(undefined, alert(key, 'm1'));
    expect([...index.of('m1')]).toEqual(['a']);
  });
});
