import { Command } from 'commander';
import { type Code, isCode, MEANING } from '../../src/base/errors.ts';
import { didYouMean } from '../input/suggest.ts';
import type { TableOptions } from '../output/table.ts';
import { usageError } from './failure.ts';
import type { Io } from './io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from './options.ts';
import { report } from './session.ts';

const CODES: readonly Code[] = Object.keys(MEANING).filter(isCode);

/** `tocsin errors [CODE]`: what a code means, as the code itself has it. */
export function errorsCommand(io: Io): Command {
  const command = new Command('errors')
    .description('explain error codes: exit status, whether to try again, what became of a write')
    .argument('[code]', 'one code, such as OUTCOME_UNKNOWN, or an exit status');
  return withExamples(addOutputOptions(command), [
    ['tocsin errors', 'all of them'],
    ['tocsin errors OUTCOME_UNKNOWN', 'one of them'],
    ['tocsin errors 7', 'what can end with this exit status'],
  ]).action(async (given: string | undefined, flags: OutputFlags) => {
    const { renderCode, renderCodes } = await import('../output/errors.ts');
    const ending = endingWith(given);
    if (given !== undefined && ending.length === 0) {
      const code = codeOf(given);
      const text = (options: TableOptions): string => renderCode(code, options);
      await report(io, flags, { value: meaningOf(code), text });
      return;
    }
    const codes = given === undefined ? CODES : ending;
    const all = codes.map(meaningOf);
    const text = (options: TableOptions): string => renderCodes(codes, options);
    await report(io, flags, { value: all, rows: all, text });
  });
}

const meaningOf = (code: Code): unknown => ({ code, ...MEANING[code] });

/** The codes that end a command with this status; none if it is not a number. */
const endingWith = (given: string | undefined): readonly Code[] =>
  /^\d+$/.test(given ?? '') ? CODES.filter((code) => MEANING[code].exit === Number(given)) : [];

function codeOf(given: string): Code {
  const code = given.toUpperCase().replaceAll('-', '_');
  if (isCode(code)) return code;
  throw usageError(
    `there is no code ${given}${didYouMean(code, CODES)}`,
    'tocsin errors lists them all',
  );
}
