import type { CareCommand } from '../statemachine/care-commands.ts';
import type { RecordCommand } from '../statemachine/types.ts';
import { asOneOf } from '../wire/check.ts';
import { RARE_TYPES } from '../wire/commands/command-shapes.ts';

/** Those about an alert: the compiler sees to it that none is left out. */
const CARE: Readonly<Record<CareCommand['type'], true>> = {
  unacknowledge: true,
  accept: true,
  reject: true,
  pause: true,
  resume: true,
  escalate: true,
  resolve: true,
  transfer: true,
  discharge: true,
  void: true,
  merge: true,
};

const isCare = (type: string): type is CareCommand['type'] => Object.hasOwn(CARE, type);
const CARE_TYPES = RARE_TYPES.filter(isCare);
const RECORD_TYPES = RARE_TYPES.filter((type): type is RecordCommand['type'] => !isCare(type));

/**
 * Which command about an alert an input is. One of another kind would be carried out, and answered with what nobody
 * expects.
 * @throws TocsinError BAD_REQUEST
 */
export const careTypeOf = (input: { readonly type: unknown }): CareCommand['type'] =>
  asOneOf('request', 'type', input?.type, CARE_TYPES);

/** The same of a command about a record beside the alerts. @throws TocsinError BAD_REQUEST */
export const recordTypeOf = (input: { readonly type: unknown }): RecordCommand['type'] =>
  asOneOf('request', 'type', input?.type, RECORD_TYPES);
