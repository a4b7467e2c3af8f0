/** Words of other tools for what has another name here; `acknowledge` and `ack` are found by their beginnings. */
const SAID_ELSEWHERE: ReadonlyMap<string, readonly string[]> = new Map([
  ['ls', ['list']],
  ['show', ['get', 'status']],
  ['describe', ['get', 'explain']],
  ['rm', ['remove']],
  ['delete', ['remove']],
  ['create', ['add', 'set', 'raise', 'open']],
  ['new', ['add', 'set', 'raise', 'open']],
  ['apply', ['set']],
  ['put', ['set']],
  ['start', ['serve']],
  ['init', ['format']],
  ['tail', ['watch']],
  ['backup', ['save']],
  ['health', ['check', 'status']],
  ['move', ['transfer']],
]);

/** As `didYouMean`, for the names of commands. */
export function didYouMeanCommand(word: string, known: readonly string[]): string {
  const said = word.toLowerCase();
  const found =
    SAID_ELSEWHERE.get(said)?.find((name) => known.includes(name)) ??
    known.find((name) => said.length >= 3 && (said.startsWith(name) || name.startsWith(said)));
  return found === undefined ? didYouMean(word, known) : ` (did you mean "${found}"?)`;
}

/** ` (did you mean "SpO2"?)` for a word that is close to one of the known ones, else an empty text. */
export function didYouMean(word: string, known: readonly string[]): string {
  const limit = word.length <= 3 ? 1 : 2;
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    const distance = distanceOf(word.toLowerCase(), candidate.toLowerCase(), limit);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? '' : ` (did you mean "${best}"?)`;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that lead from one to the other, none in the same place twice
 * (Damerau, 1964); above `limit` any value above it.
 */
function distanceOf(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? limit + 1;
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        ...(isSwapped && row > 1 && column > 1 ? [at(row - 2, column - 2) + 1] : []),
      );
    }
  }
  return at(from.length, to.length);
}
