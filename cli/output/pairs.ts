import type { Paint } from './paint.ts';

const GAP = '  ';

/** Names and values, one pair a line, the values in one column. */
export function renderPairs(
  pairs: readonly (readonly [name: string, value: string | undefined])[],
  paint: Paint,
): string {
  const shown = pairs.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
  const width = Math.max(0, ...shown.map(({ name }) => name.length));
  return shown
    .map(({ name, value }) => `${paint('title', name.padEnd(width))}${GAP}${value}\n`)
    .join('');
}
