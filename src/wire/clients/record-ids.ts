import { refuse } from '../check.ts';
import type { Check } from '../commands/shape.ts';

/** A letter and a positive number in its only spelling. */
export const idOf =
  <L extends string>(letter: L, what: string): Check<`${L}${number}`> =>
  (origin, field, value) => {
    const number = typeof value === 'string' ? Number(value.slice(1)) : 0;
    const isId = Number.isSafeInteger(number) && number >= 1 && `${letter}${number}` === value;
    if (!isId) refuse(origin, field, `must be ${what} such as ${letter}12`);
    return `${letter}${number}`;
  };
