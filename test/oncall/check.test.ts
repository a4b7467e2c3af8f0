import { describe, expect, it } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import { mustBeSensible } from '../../src/oncall/check.ts';
import type { Layer, Schedule } from '../../src/statemachine/beside/schedule.ts';

const layer: Layer = {
  name: 'day',
  users: ['ana'],
  rotation: { start: '2026-03-23T07:00', every: 1, unit: 'day' },
  restrictions: [{ days: [1], from: '19:00', to: '07:00' }],
};
const good: Schedule = { timeZone: 'Europe/Berlin', layers: [layer], overrides: [] };
const withLayer = (over: Partial<Layer>): Schedule => ({
  ...good,
  layers: [{ ...layer, ...over }],
});

describe('a schedule', () => {
  it('that makes sense is taken', () => {
    expect(() => mustBeSensible(good)).not.toThrow();
  });

  it.each([
    ['a zone nobody knows', { ...good, timeZone: 'Mars/Olympus' }, 'timeZone'],
    ['a layer without people', withLayer({ users: [] }), 'layers[0].users'],
    ['no turn at all', withLayer({ rotation: { ...layer.rotation, every: 0 } }), 'every'],
    ['half a turn', withLayer({ rotation: { ...layer.rotation, every: 1.5 } }), 'every'],
    [
      'a start with an offset',
      withLayer({ rotation: { ...layer.rotation, start: '2026-03-23T07:00Z' } }),
      'local time',
    ],
    [
      'a start on no day',
      withLayer({ rotation: { ...layer.rotation, start: '2026-02-30T07:00' } }),
      'local time',
    ],
    [
      'an eighth day',
      withLayer({ restrictions: [{ days: [8], from: '19:00', to: '07:00' }] }),
      'days',
    ],
    [
      'a 25th hour',
      withLayer({ restrictions: [{ days: [], from: '25:00', to: '07:00' }] }),
      'time of day',
    ],
    [
      'an override that ends before it begins',
      { ...good, overrides: [{ user: 'max', from: unixMillis(2), until: unixMillis(1) }] },
      'overrides[0]',
    ],
  ] as const)('with %s is refused, and the place is named', (_, bad, names) => {
    expect(() => mustBeSensible(bad)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    expect(() => mustBeSensible(bad)).toThrow(names);
  });
});
