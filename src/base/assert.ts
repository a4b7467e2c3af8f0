/** A broken promise of our own code. Never caught to carry on: the process ends (see docs/STYLE.md, rule 4). */
export class BugError extends Error {
  override readonly name = 'BugError';
}

const { isSafeInteger } = Number;

/** Text, with `%` in the place of each value that stands behind it; or what makes the text. */
type Message = string | (() => string);

/**
 * States one fact the code below relies on. Stays on in production. Where it is stated many times a second, the
 * values stand behind `message`, not in it: as long as it holds neither a text nor a function is made then.
 *
 * What is done when it does not stands elsewhere, so that this is small enough for the compiler to put it into every caller,
 * however large.
 */
export function assert(
  condition: unknown,
  message: Message,
  one?: unknown,
  two?: unknown,
  three?: unknown,
): asserts condition {
  if (!condition) fail(message, one, two, three);
}

/**
 * States that a value is a safe integer from 0, as positions, terms and revisions are. A function of its own, because so
 * many are made.
 */
export function assertWhole(value: number, what: string): void {
  if (!(value >= 0 && isSafeInteger(value))) failWhole(value, what);
}

/** The value, which the caller knows to be there. `message` and what stands behind it as for `assert`. */
export function must<T>(there: T | undefined | null, message: Message, one?: unknown): T {
  if (there === undefined || there === null) fail(message, one);
  return there;
}

function failWhole(value: number, what: string): never {
  throw new BugError(`${what} is no safe integer from 0: ${value}`);
}

function fail(message: Message, ...values: readonly unknown[]): never {
  if (typeof message === 'function') throw new BugError(message());
  const [first, ...others] = message.split('%');
  throw new BugError(others.reduce((text, part, at) => `${text}${values[at]}${part}`, first ?? ''));
}
