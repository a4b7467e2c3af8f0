import { BugError } from '../../src/base/assert.ts';
import { type Code, MEANING, TocsinError } from '../../src/base/errors.ts';
import { printable } from '../output/escape.ts';
import { toSafeJson } from '../output/json.ts';
import { wrapLine } from '../output/wrap.ts';

/** Ends the command with a status and no message: what there is to say has been said. */
export class Exit extends Error {
  override readonly name = 'Exit';
  readonly status: number;

  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

/** A TocsinError with a sentence on what to do about it. */
export class HintedError extends Error {
  override readonly name = 'HintedError';
  readonly error: TocsinError;
  readonly hint: string;

  constructor(error: TocsinError, hint: string) {
    super(error.message, { cause: error });
    this.error = error;
    this.hint = hint;
  }
}

/** The flags or arguments are not well formed. */
export const usageError = (message: string, hint?: string): Error => {
  const error = new TocsinError('USAGE', message);
  return hint === undefined ? error : new HintedError(error, hint);
};

/** Adds a hint to a TocsinError that has none yet; undefined, or another error, changes nothing. */
export function withHint(
  error: unknown,
  hintOf: (error: TocsinError) => string | undefined,
): unknown {
  if (!TocsinError.is(error)) return error;
  const hint = hintOf(error);
  return hint === undefined ? error : new HintedError(error, hint);
}

/** What the user is told of a command that did not do what was asked. */
export interface Failure {
  readonly error: TocsinError;
  readonly hint: string | undefined;
  /** Where it was thrown: only for bugs. */
  readonly stack: string | undefined;
  readonly exit: number;
}

export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof HintedError) return failure(thrown.error, thrown.hint);
  if (TocsinError.is(thrown)) return failure(thrown, HINTS[thrown.code]);
  if (thrown instanceof Error && thrown.name === 'AbortError')
    return failure(new TocsinError('CANCELLED', 'interrupted', { cause: thrown }), undefined);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const what = thrown instanceof BugError ? 'a broken promise of our own code' : 'unexpected';
  return {
    ...failure(new TocsinError('INTERNAL', `${what}: ${message}`, { cause: thrown }), undefined),
    stack: thrown instanceof Error ? thrown.stack : undefined,
  };
}

/** What helps whatever the command was. */
const HINTS: Readonly<Partial<Record<Code, string>>> = {
  DATA_LOCKED: 'a replica runs on this folder: stop it first, or look at a copy of the folder',
};

const failure = (error: TocsinError, hint: string | undefined): Failure => ({
  error,
  hint,
  stack: undefined,
  exit: MEANING[error.code].exit,
});

export interface FailureLook {
  readonly isJson: boolean;
  /** Of the terminal, if there is one. */
  readonly width: number | undefined;
}

/** For standard error: lines for people, or one JSON object. Each ends with a line feed. Hints stay whole: to be copied. */
export function renderFailure(
  { error, hint, stack, exit }: Failure,
  { isJson, width }: FailureLook,
): string {
  const { code, message, outcome } = error;
  if (isJson) {
    const { retry } = MEANING[code];
    return `${toSafeJson({ error: { code, message, hint, retry, outcome, exit, stack } })}\n`;
  }
  const lines = [wrapLine(`tocsin: ${code}: ${printable(message)}`, width)];
  if (hint !== undefined) lines.push(...hint.split('\n').map((line) => `  ${printable(line)}`));
  if (stack !== undefined) lines.push(...stack.split('\n').slice(1).map(printable));
  return `${lines.join('\n')}\n`;
}
