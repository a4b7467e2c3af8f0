import fc from 'fast-check';
import { unixMillis } from '../../src/base/ids.ts';
import type { CareCommand } from '../../src/statemachine/care-commands.ts';
import type { NotificationId } from '../../src/statemachine/notifications.ts';
import type { AlertRef, RecordCommand } from '../../src/statemachine/types.ts';
import type { ReferenceModel } from './reference-model.ts';

/** What is done about alerts, and about the records beside them, as stories draw it. */

type Said<T> = T extends unknown ? Omit<T, 'target' | 'actor' | 'observedAt'> : never;
export type CareDeed = Said<Exclude<CareCommand, { type: 'merge' }>> | MergeDeed;

interface MergeDeed {
  type: 'merge';
  earlierMs: number;
  acknowledgements: { by: string; atMs: number; offset: number; note?: string }[];
}

export const actor: fc.Arbitrary<string> = fc.constantFrom(
  'nurse-1',
  'nurse-2',
  'nurse-3',
  'nurse-4',
  'monitor-7',
);
const seconds = fc.constantFrom(1, 2, 5, 120, 121, 600, 3_600, 86_400);
const reason = fc.constantFrom('wrong bed', 'artefact');

const of = <T extends CareDeed['type']>(
  type: T,
  more: Record<string, fc.Arbitrary<unknown>> = {},
) => fc.record({ type: fc.constant(type), ...more }) as unknown as fc.Arbitrary<CareDeed>;

const optional = (more: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(more, { requiredKeys: [] });

const subject = fc.record(
  { unit: fc.constantFrom('icu-3', 'icu-1'), bed: fc.constantFrom('7', '8') },
  { requiredKeys: [] },
);

const resolve = fc
  .tuple(reason, optional({ force: fc.constant(true), confirmedBy: actor }))
  .map(([why, more]) => ({ type: 'resolve', reason: why, ...more }) as CareDeed);
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
  { weight: 1, arbitrary: of('transfer', { subject }) },
  { weight: 1, arbitrary: discharge },
  { weight: 1, arbitrary: of('void', { reason }) },
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

export type RecordDeed =
  | Said<Extract<RecordCommand, { type: 'set-policy' | 'remove-policy' }>>
  | { type: 'report'; back: number; outcome: 'sent' | 'confirmed' | 'failed'; to?: string };

const target = fc.constantFrom('user:nurse-1', 'user:nurse-2', 'role:charge', 'webhook:pager');
const step = fc.record({
  targets: fc.uniqueArray(target, { maxLength: 2 }),
  delaySeconds: fc.constantFrom(1, 2, 5, 30),
});
const policyId = fc.constantFrom('default', 'default', 'default', 'icu', 'ward', 'other');

const setPolicy = fc.record({
  type: fc.constant('set-policy' as const),
  id: policyId,
  steps: fc.array(step, { minLength: 1, maxLength: 3 }),
  repeat: fc.nat(2),
  minPriority: fc.constantFrom('none' as const, 'low' as const, 'medium' as const, 'high' as const),
  confirmSeconds: fc.constantFrom(1, 3, 60),
});

export const recordDeed: fc.Arbitrary<RecordDeed> = fc.oneof(
  { weight: 4, arbitrary: setPolicy },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('remove-policy' as const), id: policyId }),
  },
  {
    weight: 6,
    arbitrary: fc.record(
      {
        type: fc.constant('report' as const),
        back: fc.nat(4),
        outcome: fc.constantFrom('sent' as const, 'confirmed' as const, 'failed' as const),
        to: actor,
      },
      { requiredKeys: ['type', 'back', 'outcome'] },
    ),
  },
);

export function recordCommand(deed: RecordDeed, by: string, model: ReferenceModel): RecordCommand {
  const asked = { actor: by, observedAt: unixMillis(6) };
  if (deed.type !== 'report') return { ...deed, ...asked };
  const { back, outcome, to } = deed;
  const notification: NotificationId = model.notifications.at(-1 - back)?.id ?? 'N9999';
  return { type: 'report', notification, outcome, ...(to === undefined ? {} : { to }), ...asked };
}
