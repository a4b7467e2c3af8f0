import type { CareCommand } from '../statemachine/care-commands.ts';
import type { RecordCommand } from '../statemachine/commands.ts';
import { asOneOf } from '../wire/check.ts';
import { isCareType, RARE_TYPES } from '../wire/commands/command-shapes.ts';

const CARE_TYPES = RARE_TYPES.filter(isCareType);
const RECORD_TYPES = RARE_TYPES.filter((type): type is RecordCommand['type'] => !isCareType(type));

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
