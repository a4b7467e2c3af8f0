/** Numbers as they are typed after an option of a test program. */

/** @throws Error naming the option, what was typed and what may be */
export function numberOf(option: string, text: string, low: number, high: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= low && value <= high))
    throw new Error(`--${option} ${text} is not a number from ${low} to ${high}`);
  return value;
}

/** @throws Error as above */
export function wholeOf(option: string, text: string, low: number, high: number): number {
  const value = numberOf(option, text, low, high);
  if (!Number.isInteger(value)) throw new Error(`--${option} ${text} is not a whole number`);
  return value;
}
