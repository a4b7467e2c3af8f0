import fc from 'fast-check';
import type { Place, WardCommand } from '../../src/statemachine/beside/ward.ts';

/** What is done with beds, patients and devices, as stories draw it. */

type Said<T> = T extends unknown ? Omit<T, 'actor' | 'observedAt'> : never;
export type WardDeed = Said<WardCommand>;

const type = <T extends WardDeed['type']>(name: T): fc.Arbitrary<T> => fc.constant(name);
const place: fc.Arbitrary<Place> = fc.record({
  unit: fc.constant('icu-1'),
  bed: fc.constantFrom('1', '1', '2', '3'),
});
// As the alerts of stories name them.
const patient = fc.constantFrom('p1', 'p1', 'p2');
const device = fc.constantFrom('m1', 'm1', 'm2');
const at = <T extends WardDeed['type'], F>(
  name: T,
  fields: { [K in keyof F]: fc.Arbitrary<F[K]> },
) =>
  fc
    .tuple(fc.record({ type: type(name), ...fields }), place)
    .map(([what, where]) => ({ ...what, ...where }) as unknown as WardDeed);

const move = at('move-patient', { patient, devices: fc.subarray(['m1', 'm2']) });
const policy = fc.record(
  { policy: fc.constantFrom('default', 'icu', 'nowhere') },
  { requiredKeys: [] },
);

export const wardDeed: fc.Arbitrary<WardDeed> = fc.oneof(
  { weight: 4, arbitrary: at('set-bed', {}) },
  { weight: 1, arbitrary: at('remove-bed', {}) },
  { weight: 4, arbitrary: at('admit-patient', { patient }) },
  { weight: 3, arbitrary: fc.tuple(move, policy).map(([one, how]) => ({ ...one, ...how })) },
  {
    weight: 2,
    arbitrary: fc
      .record(
        { type: type('discharge-patient'), patient, reason: fc.constant('went home') },
        { requiredKeys: ['type', 'patient'] },
      )
      .map((one) => one as WardDeed),
  },
  { weight: 3, arbitrary: at('attach-device', { device }) },
  { weight: 1, arbitrary: fc.record({ type: type('detach-device'), device }) },
  { weight: 1, arbitrary: fc.record({ type: type('remove-device'), device }) },
);
