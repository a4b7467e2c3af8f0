/** Marks the parser of a flag that may be repeated: it is given what came before, and adds to it. */
export const repeatable = <P extends (text: string, before: never) => unknown>(
  parse: P,
): P & { readonly isRepeatable: true } => Object.assign(parse, { isRepeatable: true as const });

export const isRepeatable = (parse: unknown): boolean =>
  typeof parse === 'function' && 'isRepeatable' in parse;
