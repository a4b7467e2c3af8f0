import { parseDocument } from 'yaml';
import { z } from 'zod';
import { TocsinError } from '../../src/base/errors.ts';
import type {
  AcknowledgeInput,
  CareInput,
  ClearInput,
  RaiseInput,
} from '../../src/statemachine/alert-api.ts';
import {
  acknowledgeFrom,
  type CommandOrigin,
  clearFrom,
  commandFrom,
  raiseFrom,
} from '../../src/statemachine/inputs.ts';
import type { PartCommand, TransactionCommand } from '../../src/statemachine/transaction.ts';
import { firstLine } from './first-line.ts';
import { plainWords } from './plain-words.ts';

const file = z.strictObject({
  guards: z.array(z.looseObject({})).default([]),
  commands: z.array(z.looseObject({ type: z.string() })),
});

const EXAMPLES = { commands: '[{ type: clear, dedupKey: k }]', type: 'acknowledge' };

/**
 * Guards and commands as somebody wrote them, in JSON or YAML. Commands have the fields and the defaults that they have in the
 * client, which checks them; who does not say who asks, and when, has it from `origin`. `path` is for messages.
 * @throws TocsinError BAD_REQUEST naming the file and the field
 */
export function parseTransaction(
  text: string,
  path: string,
  origin: CommandOrigin,
): Pick<TransactionCommand, 'guards' | 'commands'> {
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  if (problem !== undefined) throw badFile(path, firstLine(problem.message));
  const parsed = file.safeParse(document.toJS({ maxAliasCount: 100 }), plainWords(EXAMPLES));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.map(String).join('.') ?? '';
    throw badFile(path, `${where === '' ? 'file' : `field ${where}`}: ${issue?.message}`);
  }
  const { guards, commands } = parsed.data;
  return {
    guards: guards as unknown as TransactionCommand['guards'],
    commands: commands.map((one) => completed(one, origin)),
  };
}

/** Nothing is checked here: what is wrong stays, for the client to refuse. */
function completed(written: { readonly type: string }, origin: CommandOrigin): PartCommand {
  const input: unknown = written;
  switch (written.type) {
    case 'raise':
      return raiseFrom(input as RaiseInput, origin);
    case 'clear':
      return clearFrom(input as ClearInput, origin);
    case 'acknowledge':
      return acknowledgeFrom(input as AcknowledgeInput, origin);
    default:
      return commandFrom(input as CareInput, origin) as PartCommand;
  }
}

const badFile = (path: string, what: string): TocsinError =>
  new TocsinError('BAD_REQUEST', `${path}: ${what}`);
