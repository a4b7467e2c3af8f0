import type { z } from 'zod';

/**
 * For parsing with zod what people wrote: a field that is not there is called missing, with an example by its name where
 * there is one.
 */
export const sayMissing = (
  examples: Readonly<Record<string, string>> = {},
): { readonly error: z.core.$ZodErrorMap } => ({
  error: ({ input, path }) => {
    if (input !== undefined) return undefined;
    const field = String(path?.at(-1) ?? '');
    const example = Object.hasOwn(examples, field) ? `, such as ${field}: ${examples[field]}` : '';
    return `is missing${example}`;
  },
});
