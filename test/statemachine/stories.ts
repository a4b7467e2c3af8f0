import fc from 'fast-check';
import { hashText } from '../../src/base/hash.ts';
import { logIndex, type Revision, revision, unixMillis } from '../../src/base/ids.ts';
import type { AlertLimits } from '../../src/statemachine/alert-limits.ts';
import type { AlertCommand } from '../../src/statemachine/care-commands.ts';
import type { Batch, Command, Submission } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import type { Guard as Guarding, PartCommand } from '../../src/statemachine/transaction.ts';
import type {
  AcknowledgeCommand,
  Alert,
  AlertRef,
  ClearCommand,
  RaiseCommand,
  Reply,
} from '../../src/statemachine/types.ts';
import { type CareDeed, careCommand, careDeed } from './care-stories.ts';
import { actor, type RecordDeed, recordCommand, recordDeed } from './record-stories.ts';
import { modelState, type ReferenceModel } from './reference-model.ts';
import { type WardDeed, wardDeed } from './ward-stories.ts';

/**
 * Random stories: what happens is drawn first, and made into commands against the state the story
 * has reached.
 */

export const SMALL_LIMITS: AlertLimits = {
  repliesMax: 8,
  resolvedAlertsMax: 3,
  dedupKeysRememberedMax: 3,
  acknowledgementsMax: 3,
  listScanMax: 8_192,
  policiesMax: 3,
  policyVersionsMax: 3,
  notificationsLiveMax: 5,
  openAlertsMax: 1_000,
  openBytesMax: 10_000_000,
  effortPerEntryMax: 1_000_000,
};

const KEYS = ['phys:p1:m1:HR:HI', 'phys:p1:m1:SPO2:LO', 'tech:-:m2:PROBE:OFF', 'a', '__proto__'];

type Guard = 'none' | 'none2' | 'none3' | 'exact' | 'stale' | 'zero';
type Aim = { by: 'key'; key: number } | { by: 'id'; back: number } | { by: 'nonsense' };

interface Timing {
  newBatch: boolean;
  advanceMs: number;
  skipped: number;
}
type Deed =
  | { do: 'raise'; key: number; guard: Guard; command: Omit<RaiseCommand, 'dedupKey'> }
  | { do: 'clear'; aim: Aim; guard: Guard; actor: string; observedAt: number }
  | {
      do: 'acknowledge';
      aim: Aim;
      guard: Guard;
      actor: string;
      offset: number | undefined;
      note: string | undefined;
    }
  | { do: 'care'; aim: Aim; guard: Guard; actor: string; deed: CareDeed }
  | { do: 'record'; actor: string; deed: RecordDeed }
  | { do: 'transaction'; actor: string; holds: boolean; parts: (AlertDeed | WardPart)[] }
  | { do: 'malformed' }
  | { do: 'repeat'; back: number }
  | { do: 'reuse'; back: number };

/** What is done with beds, patients and devices, as part of a transaction. */
interface WardPart {
  do: 'ward';
  deed: WardDeed;
}

/** What is done about one alert. */
type AlertDeed = Extract<Deed, { do: 'raise' | 'clear' | 'acknowledge' | 'care' }>;

export type Step = Timing & Deed;

const guard: fc.Arbitrary<Guard> = fc.constantFrom(
  'none',
  'none2',
  'none3',
  'exact',
  'stale',
  'zero',
);
const key = fc.nat(KEYS.length - 1);
const aim: fc.Arbitrary<Aim> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ by: fc.constant('key' as const), key }) },
  { weight: 4, arbitrary: fc.record({ by: fc.constant('id' as const), back: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.constant({ by: 'nonsense' as const }) },
);
const observedAt = fc.integer({ min: 0, max: 99 }).map(unixMillis);
const cause = fc.record(
  {
    metric: fc.constantFrom('HR', 'SpO2'),
    value: fc.constantFrom(null, 0, 141, 36.6, -2.5),
    unit: fc.constantFrom('/min', '%'),
    limit: fc.constantFrom(140, 36.5),
    rule: fc.constant('hr-high@1'),
  },
  { requiredKeys: ['metric', 'value'] },
);

export const raiseBody: fc.Arbitrary<Omit<RaiseCommand, 'dedupKey'>> = fc
  .record({
    kind: fc.constantFrom('physiological', 'technical', 'advisory'),
    priority: fc.constantFrom('high', 'medium', 'low', 'none'),
    condition: fc.constantFrom('HR:HI', 'PROBE:OFF', 'SPO2:LO', 'ECG:TEC'),
    text: fc.constantFrom('Heart rate high', 'Probe off', ''),
    subject: fc.record(
      {
        unit: fc.constantFrom('icu-1', 'icu-2'),
        bed: fc.constantFrom('1', '2'),
        device: fc.constantFrom('m1', 'm2'),
      },
      { requiredKeys: [] },
    ),
    latching: fc.boolean(),
    acknowledgementRequired: fc.boolean(),
    actor,
    observedAt,
    extra: fc.record(
      {
        acknowledgementSeconds: fc.constantFrom(1, 3, 60),
        resetAfterClear: fc.constant(true),
        policy: fc.constantFrom('icu', 'ward', 'nowhere'),
        cause,
        labels: fc.dictionary(fc.constantFrom('a', 'b', '1'), fc.constantFrom('x', 'y')),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ extra, ...rest }) => ({ type: 'raise' as const, ...rest, ...extra })) as fc.Arbitrary<
  Omit<RaiseCommand, 'dedupKey'>
>;

const alertDeed: fc.Arbitrary<AlertDeed> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('raise' as const), key, guard, command: raiseBody }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('clear' as const), aim, guard, actor, observedAt }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('acknowledge' as const),
      aim,
      guard,
      actor,
      offset: fc.constantFrom(undefined, undefined, undefined, 0, 0, -1, 1),
      note: fc.constantFrom(undefined, 'on my way', ''),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('care' as const), aim, guard, actor, deed: careDeed }),
  },
);

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 27, arbitrary: alertDeed },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('record' as const), actor, deed: recordDeed }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('transaction' as const),
      actor,
      holds: fc.boolean(),
      parts: fc.array(
        fc.oneof(
          { weight: 3, arbitrary: alertDeed },
          { weight: 2, arbitrary: fc.record({ do: fc.constant('ward' as const), deed: wardDeed }) },
        ),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'malformed' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('repeat' as const), back: fc.nat(12) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reuse' as const), back: fc.nat(12) }) },
);
const timing: fc.Arbitrary<Timing> = fc.record({
  newBatch: fc.boolean(),
  advanceMs: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: -20, max: 100 }) },
    { weight: 3, arbitrary: fc.constantFrom(999, 1_000, 1_001, 2_500, 5_000, 70_000, 900_000) },
  ),
  skipped: fc.nat(2),
});

export const story: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(timing, deed).map(([when, what]) => ({ ...when, ...what })),
  { maxLength: 40, size: 'max' },
);

/** Makes the commands of a story, one batch after another, as the reference model goes along. */
export function write(steps: readonly Step[], model: ReferenceModel): Batch[] {
  const sent: Submission[] = [];
  const batches: (Batch & { submissions: Submission[] })[] = [];
  let time = 1_000;
  for (const step of steps) {
    let batch = batches.at(-1);
    if (batch === undefined || step.newBatch) {
      time = Math.max(0, time + step.advanceMs);
      const index = logIndex((batch?.index ?? 0) + 1 + step.skipped);
      batch = { index, time: unixMillis(time), submissions: [] };
      batches.push(batch);
      model.begin(batch);
    }
    const submission = deepFreeze(submissionOf(step, model, sent));
    sent.push(submission);
    batch.submissions.push(submission);
    model.submit(submission);
  }
  return batches;
}

function submissionOf(step: Step, model: ReferenceModel, sent: Submission[]): Submission {
  const key = `${sent.length}`.padStart(32, '0');
  const earlier = step.do === 'repeat' || step.do === 'reuse' ? sent.at(-1 - step.back) : undefined;
  switch (step.do) {
    case 'repeat':
      return earlier ?? { key, fingerprint: 7, command: undefined };
    case 'reuse':
      return { key: earlier?.key ?? key, fingerprint: 8, command: earlier?.command };
    case 'malformed':
      return { key, fingerprint: 9, command: undefined };
    default:
      return submit(key, commandOf(step, model));
  }
}

function commandOf(
  step: Extract<
    Deed,
    { do: 'raise' | 'clear' | 'acknowledge' | 'care' | 'record' | 'transaction' }
  >,
  model: ReferenceModel,
): Command {
  if (step.do === 'record') return recordCommand(step.deed, step.actor, model);
  if (step.do === 'transaction') return transactionOf(step, model);
  return alertCommandOf(step, model);
}

/** Guarded by what the first command is about, as it is or as it is not. */
function transactionOf(
  { actor: by, holds, parts }: Extract<Deed, { do: 'transaction' }>,
  model: ReferenceModel,
): Command {
  const asked = { actor: by, observedAt: unixMillis(4) };
  const commands = parts.map((part) =>
    part.do === 'ward' ? { ...part.deed, ...asked } : alertCommandOf(part, model),
  );
  const [first] = commands as [PartCommand];
  const guards = [guardOf(first, model, holds ? 0 : 1)];
  return { type: 'transaction', ...asked, guards, commands };
}

function guardOf(first: PartCommand, model: ReferenceModel, off: number): Guarding {
  if ('patient' in first) {
    const version = model.patients.find(({ id }) => id === first.patient)?.version ?? 0;
    return { record: 'patient', id: first.patient, version: version + off };
  }
  if ('device' in first) {
    const version = model.devices.find(({ id }) => id === first.device)?.version ?? 0;
    return { record: 'device', id: first.device, version: version + off };
  }
  if ('bed' in first) {
    const id = `${first.unit}/${first.bed}`;
    const version = model.beds.find((one) => one.id === id)?.version ?? 0;
    return { record: 'bed', id, version: version + off };
  }
  const target = first.type === 'raise' ? { dedupKey: first.dedupKey } : first.target;
  const alert = model.find(target);
  const at = (alert?.revision ?? 0) + off;
  const state = alert === undefined ? {} : { state: modelState(alert) };
  return { target, revision: revision(at), ...state };
}

function alertCommandOf(step: AlertDeed, model: ReferenceModel): AlertCommand {
  if (step.do === 'raise') {
    const dedupKey = KEYS[step.key] as string;
    const command: RaiseCommand = { ...step.command, dedupKey };
    return guarded(command, step.guard, model.find({ dedupKey }));
  }
  const target = aimed(step.aim, model);
  const alert = model.find(target);
  if (step.do === 'care')
    return guarded(careCommand(step.deed, target, step.actor, model), step.guard, alert);
  if (step.do === 'clear') {
    const { actor, observedAt } = step;
    const command: ClearCommand = {
      type: 'clear',
      target,
      actor,
      observedAt: unixMillis(observedAt),
    };
    return guarded(command, step.guard, alert);
  }
  const command: AcknowledgeCommand = {
    type: 'acknowledge',
    target,
    actor: step.actor,
    observedAt: unixMillis(5),
    ...(step.offset === undefined ? {} : { activation: (alert?.activation ?? 1) + step.offset }),
    ...(step.note === undefined ? {} : { note: step.note }),
  };
  return guarded(command, step.guard, alert);
}

function aimed(at: Aim, model: ReferenceModel): AlertRef {
  if (at.by === 'key') return { dedupKey: KEYS[at.key] as string };
  if (at.by === 'nonsense') return { id: 'A01' as Alert['id'] };
  return { id: model.events.at(-1 - at.back)?.alert.id ?? 'A99999' };
}

function guarded<T extends AlertCommand>(command: T, how: Guard, alert: Alert | undefined): T {
  const actual = alert?.revision ?? 0;
  if (how === 'exact') return { ...command, expectedRevision: actual as Revision };
  if (how === 'stale') return { ...command, expectedRevision: revision(Math.max(0, actual - 1)) };
  if (how === 'zero') return { ...command, expectedRevision: revision(0) };
  return command;
}

/** The command is copied, since those that come by wire have parts of the usual prototype, unlike some that are drawn. */
export const submit = (key: string, command: Command): Submission => ({
  key,
  fingerprint: hashText(JSON.stringify(command)),
  command: structuredClone(command),
});

/** Applies batches to a fresh machine. */
export function play(
  batches: readonly Batch[],
  limits: Partial<AlertLimits> = SMALL_LIMITS,
): { machine: AlertMachine } & Applied {
  const machine = new AlertMachine(limits);
  const out: Applied = { replies: [], events: [] };
  for (const batch of batches) machine.apply(batch, out);
  return { machine, ...out };
}

/** A reply without its text for people. */
export const bare = (reply: Reply): unknown =>
  reply.ok ? reply : { ok: reply.ok, code: reply.code };

/** So that a change to anything that was handed out, or handed in, throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
