import { printable } from '../output/escape.ts';
import type { Look, Paint } from '../output/paint.ts';

/** A piece of a line in one look; undefined = as it is. */
export interface Span {
  readonly text: string;
  readonly look: Look | undefined;
}

export type Line = readonly Span[];

export const span = (text: string, look?: Look): Span => ({ text, look });

/** Somebody else's text in characters that are one column wide each, so that a line's length is its width. */
export const narrow = (text: string): string =>
  printable(text).replace(/[^\x20-\x7e\u00a1-\u02af·–—…]/g, '?');

/** Cut to so many characters, a piece at a time, and only then painted. */
export function paintLine(line: Line, width: number, paint: Paint): string {
  let room = width;
  return line
    .map(({ text, look }) => {
      const kept = text.slice(0, Math.max(0, room));
      room -= kept.length;
      return look === undefined || kept === '' ? kept : paint(look, kept);
    })
    .join('')
    .trimEnd();
}

export const widthOf = (line: Line): number => line.reduce((sum, { text }) => sum + text.length, 0);

/** The line made so long with blanks; left as it is when it is longer. */
export const padLine = (line: Line, width: number): Line => [
  ...line,
  span(' '.repeat(Math.max(0, width - widthOf(line)))),
];
