import { printableJson } from './escape.ts';

/** JSON on one line, safe for a terminal. */
export const toSafeJson = (value: unknown): string => printableJson(JSON.stringify(value));

/** A JSON document for people and programs: indented, safe for a terminal, ended by a line feed. */
export const toJsonDocument = (value: unknown): string =>
  `${printableJson(JSON.stringify(value, undefined, 2))}\n`;
