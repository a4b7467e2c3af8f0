/** A broken promise of our own code. Never caught to carry on: the process ends (see docs/STYLE.md, rule 4). */
export class BugError extends Error {
  override readonly name = 'BugError';
}

/** States one fact the code below relies on. Stays on in production. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BugError(message);
}

/** The value, which the caller knows to be there. */
export function must<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new BugError(message);
  return value;
}
