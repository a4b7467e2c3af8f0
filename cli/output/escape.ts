/**
 * What changes how a terminal behaves or in which order it shows what follows, though nobody sees it: control
 * characters, line separators, halves of surrogate pairs, and format characters such as direction overrides and
 * invisible spaces, those among them that no character has yet included. The two joiners are kept: some scripts are not legible without them.
 */
const UNSAFE: RegExp =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}|[\u2065\u{e0000}-\u{e007f}]/gu;

const SHORT: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** Whether a terminal shows all of it as it is. */
export const isPrintable = (text: string): boolean => text.search(UNSAFE) < 0;

/** A text that somebody else wrote, fit for a terminal: on one line, and each unsafe character as an escape. */
export const printable = (text: string): string =>
  text.replace(UNSAFE, (char) => SHORT.get(char) ?? escapeOf(char.codePointAt(0) ?? 0));

const escapeOf = (point: number): string =>
  point < 0x100 ? `\\x${point.toString(16).padStart(2, '0')}` : `\\u{${point.toString(16)}}`;

/** The same within JSON text: still the same JSON value. */
export const printableJson = (json: string): string =>
  json.replace(UNSAFE, (char) => (char === '\n' ? char : unitsOf(char)));

const unitsOf = (char: string): string =>
  Array.from(
    { length: char.length },
    (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
