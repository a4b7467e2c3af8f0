/** Half-open: `from` ≤ instant < `until`, Unix milliseconds. */
export interface Interval {
  readonly from: number;
  readonly until: number;
}

/** What two intervals share, or undefined. */
export function intersect(a: Interval, b: Interval): Interval | undefined {
  const from = Math.max(a.from, b.from);
  const until = Math.min(a.until, b.until);
  return from < until ? { from, until } : undefined;
}

/** Intervals in order, those that touch or overlap joined. */
export function joined(intervals: readonly Interval[]): readonly Interval[] {
  const result: Interval[] = [];
  for (const next of [...intervals].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last !== undefined && next.from <= last.until)
      result[result.length - 1] = { from: last.from, until: Math.max(last.until, next.until) };
    else result.push(next);
  }
  return result;
}

/** `base` where `cover` does not apply, and `cover`: both in order and without overlap, so is the result. */
export function overlay<T extends Interval>(base: readonly T[], cover: readonly T[]): readonly T[] {
  const result: T[] = [...cover];
  for (const piece of base) {
    let from = piece.from;
    for (const above of cover) {
      if (above.until <= from || above.from >= piece.until) continue;
      if (above.from > from) result.push({ ...piece, from, until: above.from });
      from = above.until;
    }
    if (from < piece.until) result.push({ ...piece, from });
  }
  return result.sort((a, b) => a.from - b.from);
}
