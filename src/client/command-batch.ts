import { TocsinError } from '../base/errors.ts';
import { COMMANDS_PER_FRAME_MAX, SUBMIT_BYTES_MAX } from '../base/limits.ts';
import type {
  AcknowledgeInput,
  CareInput,
  ClearInput,
  RaiseInput,
  RecordInput,
} from '../statemachine/alert-api.ts';
import type { Command } from '../statemachine/commands.ts';
import {
  acknowledgeFrom,
  type CommandOrigin,
  clearFrom,
  commandFrom,
  raiseFrom,
} from '../statemachine/inputs.ts';
import { asArray, asFields, asOneOf, refuse } from '../wire/check.ts';
import { RARE_TYPES } from '../wire/commands/command-shapes.ts';
import { encodeCommand } from '../wire/commands/commands.ts';
import { parseCommand } from '../wire/commands/parse.ts';

/** One of several commands: the input of the call of that name, told apart by `type`. */
export type BatchedCommand =
  | ({ readonly type: 'raise' } & RaiseInput)
  | ({ readonly type: 'clear' } & ClearInput)
  | ({ readonly type: 'acknowledge' } & AcknowledgeInput)
  | CareInput
  | RecordInput;

const TYPES: readonly BatchedCommand['type'][] = ['raise', 'clear', 'acknowledge', ...RARE_TYPES];

/**
 * The records of commands that travel together.
 * @throws TocsinError BAD_REQUEST naming which command is wrong, and in what; or that they are too many
 */
export function encodeBatch(
  commands: readonly BatchedCommand[],
  origin: CommandOrigin,
  keyAt: (position: number) => Uint8Array,
): readonly Uint8Array[] {
  const given = asArray('request', 'commands', commands, COMMANDS_PER_FRAME_MAX);
  if (given.length === 0) refuse('request', 'commands', 'must be one at least');
  let bytes = 0;
  // Not `map`, which passes over holes.
  return Array.from(given, (input, position) => {
    const record = encodeOne(input, position, origin, keyAt(position));
    bytes += record.byteLength;
    if (bytes > SUBMIT_BYTES_MAX)
      refuse('request', 'commands', `over ${SUBMIT_BYTES_MAX} bytes with command ${position}`);
    return record;
  });
}

function encodeOne(
  input: unknown,
  position: number,
  origin: CommandOrigin,
  key: Uint8Array,
): Uint8Array {
  try {
    const { type } = asFields('request', 'command', input, undefined);
    const known = asOneOf('request', 'type', type, TYPES);
    return encodeCommand(parseCommand(known, commandOf(input as BatchedCommand, origin)), key);
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    throw new TocsinError(error.code, `command ${position}: ${error.message}`, { cause: error });
  }
}

/** Whatever else is wrong with the input, its type is one of them; `parseCommand` looks at the rest. */
function commandOf(input: BatchedCommand, origin: CommandOrigin): Command {
  switch (input.type) {
    case 'raise':
      return raiseFrom(input, origin);
    case 'clear':
      return clearFrom(input, origin);
    case 'acknowledge':
      return acknowledgeFrom(input, origin);
    default:
      return commandFrom(input, origin);
  }
}
