/** A broken promise of our own code. Never caught to carry on: the process ends (see docs/STYLE.md, rule 4). */
export class BugError extends Error {
  override readonly name = 'BugError';
}

/**
 * States one fact the code below relies on. Stays on in production. Where it is stated many times a second, `message` is a
 * function: putting numbers into a text costs more than the question.
 */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new BugError(typeof message === 'string' ? message : message());
}

/**
 * States that a value is a safe integer from 0, as positions, terms and revisions are. A function of its own, because so
 * many are made: with nothing to be said of a value that is good, neither a text nor a function is made.
 */
export function assertWhole(value: number, what: string): void {
  if (value >= 0 && Number.isSafeInteger(value)) return;
  throw new BugError(`${what} is no safe integer from 0: ${value}`);
}

/** The value, which the caller knows to be there. */
export function must<T>(value: T | undefined | null, message: string | (() => string)): T {
  assert(value !== undefined && value !== null, message);
  return value;
}
