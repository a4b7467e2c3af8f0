import {
  MERGED_ACKNOWLEDGEMENTS_MAX,
  POLICY_REPEATS_MAX,
  POLICY_STEPS_MAX,
  SECONDS_MAX,
} from '../base/limits.ts';
import type { ReportCommand } from '../statemachine/notifications.ts';
import type {
  Acknowledgement,
  AlertRef,
  Command,
  ConditionCommand,
} from '../statemachine/types.ts';
import { refuse, type Unchecked } from './check.ts';
import { ACTIVATION_MAX, parseRef, parseRevision, parseSubject } from './parse-parts.ts';
import { notificationId, step } from './record-shapes.ts';
import {
  type Check,
  instant,
  listOf,
  mark,
  may,
  must,
  name,
  ofShape,
  oneOf,
  prose,
  reason,
  type Shape,
  whole,
} from './shape.ts';
import { PRIORITIES } from './words.ts';

/** The commands that are rare, by description. Their bodies have the names of the API. */

export type RareCommand = Exclude<Command, ConditionCommand>;

type Body<T> = Omit<T, 'type' | 'observedAt'>;

const ref: Check<AlertRef> = (_, field, value) => parseRef(value, field);

const guards = {
  actor: must(name),
  expectedRevision: may(parseRevision),
};
const targeted = { ...guards, target: must(ref) } as const;

const acknowledgement: Check<Acknowledgement> = ofShape<Acknowledgement>({
  by: must(name),
  at: must(instant),
  activation: must(whole(1, ACTIVATION_MAX)),
  note: may(prose),
});

const OUTCOMES: readonly ReportCommand['outcome'][] = ['sent', 'confirmed', 'failed'];

type Shapes = {
  readonly [T in RareCommand['type']]: Shape<Body<Extract<RareCommand, { readonly type: T }>>>;
};

const SHAPES: Shapes = {
  unacknowledge: { ...targeted, reason: must(reason) },
  accept: targeted,
  reject: { ...targeted, reason: may(prose) },
  pause: { ...targeted, seconds: must(whole(1, SECONDS_MAX)) },
  resume: targeted,
  escalate: { ...targeted, reason: must(reason) },
  resolve: { ...targeted, reason: must(reason), force: may(mark), confirmedBy: may(name) },
  transfer: {
    ...targeted,
    subject: must((origin, _, value) => parseSubject(origin, value)),
  },
  discharge: { ...targeted, reason: may(reason) },
  void: { ...targeted, reason: must(reason) },
  merge: {
    ...targeted,
    raisedAt: must(instant),
    acknowledgements: must(listOf(acknowledgement, 0, MERGED_ACKNOWLEDGEMENTS_MAX)),
  },
  'set-policy': {
    actor: must(name),
    id: must(name),
    steps: must(listOf(step, 1, POLICY_STEPS_MAX)),
    repeat: must(whole(0, POLICY_REPEATS_MAX)),
    minPriority: must(oneOf(PRIORITIES)),
    confirmSeconds: must(whole(1, SECONDS_MAX)),
  },
  'remove-policy': { actor: must(name), id: must(name) },
  report: {
    actor: must(name),
    notification: must(notificationId),
    outcome: must(oneOf(OUTCOMES)),
    to: may(name),
    detail: may(prose),
  },
};

export const RARE_TYPES: readonly RareCommand['type'][] = Object.keys(
  SHAPES,
) as RareCommand['type'][];

const CHECKS: Readonly<Record<string, Check<Body<RareCommand>>>> = Object.fromEntries(
  Object.entries(SHAPES).map(([type, shape]) => [
    type,
    ofShape(shape as unknown as Shape<Body<RareCommand>>),
  ]),
);

export const isRare = (type: Command['type']): type is RareCommand['type'] => type in CHECKS;

/**
 * What a rare command says, in the order in which it is written.
 * @throws TocsinError BAD_REQUEST naming the field
 */
export function parseRareBody(type: RareCommand['type'], value: unknown): Body<RareCommand> {
  const check = CHECKS[type];
  if (check === undefined) refuse('request', 'type', `${type} is not a command`);
  return check('request', type, value);
}

/** The same of a command in the form of the API, which also says its type and when it was observed. */
export function parseRareCommand(
  type: RareCommand['type'],
  value: Unchecked<RareCommand>,
): Command {
  const { type: said, observedAt, ...body } = value;
  if (said !== undefined && said !== type) refuse('request', 'type', `must be ${type}`);
  const when = instant('request', 'observedAt', observedAt);
  return { type, ...parseRareBody(type, body), observedAt: when } as Command;
}
