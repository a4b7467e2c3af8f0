import fc from 'fast-check';
import { unixMillis } from '../../src/base/ids.ts';
import type { CareCommand } from '../../src/statemachine/care-commands.ts';
import type { AlertRef } from '../../src/statemachine/types.ts';
import { actor } from './record-stories.ts';
import type { ReferenceModel } from './reference-model.ts';

/** What is done about alerts, and about the records beside them, as stories draw it. */

type Said<T> = T extends unknown ? Omit<T, 'target' | 'actor' | 'observedAt'> : never;
export type CareDeed = Said<Exclude<CareCommand, { type: 'merge' }>> | MergeDeed;

interface MergeDeed {
  type: 'merge';
  earlierMs: number;
  acknowledgements: { by: string; atMs: number; offset: number; note?: string }[];
}

const seconds = fc.constantFrom(1, 2, 5, 120, 121, 600, 3_600, 86_400);
const reason = fc.constantFrom('wrong bed', 'artefact');

const of = <T extends CareDeed['type']>(
  type: T,
  more: Record<string, fc.Arbitrary<unknown>> = {},
) => fc.record({ type: fc.constant(type), ...more }) as unknown as fc.Arbitrary<CareDeed>;

const optional = (more: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(more, { requiredKeys: [] });

const subject = fc.record(
  {
    unit: fc.constantFrom('icu-3', 'icu-1'),
    bed: fc.constantFrom('7', '8'),
    device: fc.constantFrom('m1', 'm2'),
  },
  { requiredKeys: [] },
);

const policy = fc.constantFrom('default', 'icu', 'ward', 'nowhere');

const resolve = fc
  .tuple(reason, optional({ force: fc.constant(true), confirmedBy: actor }))
  .map(([why, more]) => ({ type: 'resolve', reason: why, ...more }) as CareDeed);
const strike = fc
  .tuple(reason, optional({ confirmedBy: actor }))
  .map(([why, more]) => ({ type: 'void', reason: why, ...more }) as CareDeed);
const transfer = fc
  .tuple(subject, optional({ policy }))
  .map(([to, more]) => ({ type: 'transfer', subject: to, ...more }) as CareDeed);
const discharge = optional({ reason }).map((more) => ({ type: 'discharge', ...more }) as CareDeed);
const reject = optional({ reason }).map((more) => ({ type: 'reject', ...more }) as CareDeed);
const merge = of('merge', {
  earlierMs: fc.integer({ min: -5_000, max: 5_000 }),
  acknowledgements: fc.array(
    fc.record(
      { by: actor, atMs: fc.nat(3), offset: fc.constantFrom(-1, 0, 0, 1), note: reason },
      { requiredKeys: ['by', 'atMs', 'offset'] },
    ),
    { maxLength: 3 },
  ),
});

export const careDeed: fc.Arbitrary<CareDeed> = fc.oneof(
  { weight: 3, arbitrary: of('unacknowledge', { reason }) },
  { weight: 3, arbitrary: of('accept') },
  { weight: 3, arbitrary: reject },
  { weight: 3, arbitrary: of('pause', { seconds }) },
  { weight: 1, arbitrary: of('resume') },
  { weight: 3, arbitrary: of('escalate', { reason }) },
  { weight: 2, arbitrary: resolve },
  { weight: 2, arbitrary: transfer },
  { weight: 1, arbitrary: discharge },
  { weight: 1, arbitrary: strike },
  { weight: 2, arbitrary: merge },
);

/** The command of a deed about an alert, as the model stands. */
export function careCommand(
  deed: CareDeed,
  target: AlertRef,
  by: string,
  model: ReferenceModel,
): CareCommand {
  const asked = { target, actor: by, observedAt: unixMillis(6) };
  if (deed.type !== 'merge') return { ...deed, ...asked };
  const alert = model.find(target);
  const activation = alert?.activation ?? 1;
  return {
    type: 'merge',
    ...asked,
    raisedAt: unixMillis(Math.max(0, (alert?.raisedAt ?? 0) + deed.earlierMs)),
    acknowledgements: deed.acknowledgements.map(({ by: who, atMs, offset, note }) => ({
      by: who,
      at: unixMillis(atMs),
      activation: Math.max(1, activation + offset),
      ...(note === undefined ? {} : { note }),
    })),
  };
}
