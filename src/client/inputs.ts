import { asOneOf } from '../wire/check.ts';
import { RARE_TYPES, type RareCommand } from '../wire/commands/command-shapes.ts';

/** Which command an input is. @throws TocsinError BAD_REQUEST when it is no command */
export function typeOf(input: { readonly type: unknown }): RareCommand['type'] {
  return asOneOf('request', 'type', input?.type, RARE_TYPES);
}
