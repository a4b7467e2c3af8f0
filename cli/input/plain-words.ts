import type { z } from 'zod';

const KINDS: Readonly<Record<string, string>> = {
  object: 'a map',
  array: 'a list',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
};

/**
 * For parsing with zod what people wrote: says that a field is missing, with an example by its name where there is one, or
 * what it must be, in words that are not those of a programming language.
 */
export const plainWords = (
  examples: Readonly<Record<string, string>> = {},
): { readonly error: z.core.$ZodErrorMap } => ({
  error: (issue) => {
    const field = String(issue.path?.at(-1) ?? '');
    if (issue.input === undefined) {
      const example = Object.hasOwn(examples, field)
        ? `, such as ${field}: ${examples[field]}`
        : '';
      return `is missing${example}`;
    }
    const kind = issue.code === 'invalid_type' ? KINDS[issue.expected] : undefined;
    return kind === undefined ? undefined : `must be ${kind}`;
  },
});
