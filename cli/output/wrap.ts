/**
 * Breaks a line at blanks so that none is wider than the terminal; what follows is indented. A word that is wider stays
 * whole. `width` undefined = there is no terminal, and lines are as long as they are.
 */
export function wrapLine(text: string, width: number | undefined, indent = '  '): string {
  if (width === undefined) return text;
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : `${indent}${word}`);
  }
  return lines.join('\n');
}
