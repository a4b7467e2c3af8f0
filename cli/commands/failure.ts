import { BugError } from '../../src/base/assert.ts';
import { MEANING, TocsinError } from '../../src/base/errors.ts';
import { printable } from '../output/escape.ts';
import { toSafeJson } from '../output/json.ts';

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
  if (TocsinError.is(thrown)) return failure(thrown, undefined);
  if (thrown instanceof Error && thrown.name === 'AbortError')
    return failure(new TocsinError('CANCELLED', 'interrupted', { cause: thrown }), undefined);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const what = thrown instanceof BugError ? 'a broken promise of our own code' : 'unexpected';
  return {
    ...failure(new TocsinError('INTERNAL', `${what}: ${message}`, { cause: thrown }), undefined),
    stack: thrown instanceof Error ? thrown.stack : undefined,
  };
}

const failure = (error: TocsinError, hint: string | undefined): Failure => ({
  error,
  hint,
  stack: undefined,
  exit: MEANING[error.code].exit,
});

/** For standard error: lines for people, or one JSON object. Each ends with a line feed. */
export function renderFailure({ error, hint, stack, exit }: Failure, isJson: boolean): string {
  const { code, message, outcome } = error;
  if (isJson) {
    const { retry } = MEANING[code];
    return `${toSafeJson({ error: { code, message, hint, retry, outcome, exit, stack } })}\n`;
  }
  const lines = [`tocsin: ${code}: ${printable(message)}`];
  if (hint !== undefined) lines.push(...hint.split('\n').map((line) => `  ${printable(line)}`));
  if (stack !== undefined) lines.push(...stack.split('\n').slice(1).map(printable));
  return `${lines.join('\n')}\n`;
}
