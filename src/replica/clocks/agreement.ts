import { majorityOf } from '../../raft/quorum.ts';

/**
 * What a majority of clocks shows: the middle of those of them that lie closest together, if they lie within `bound` of each
 * other; undefined = no majority agrees. At least one clock of a majority is right as long as fewer than half are wrong, so
 * what it agrees on is no further from the truth than the bound.
 */
export function agreementOf(
  clocks: readonly number[],
  voters: number,
  bound: number,
): number | undefined {
  const needed = majorityOf(voters);
  const rising = [...clocks].sort((a, b) => a - b);
  let closest = Number.POSITIVE_INFINITY;
  let agreed: number | undefined;
  for (let first = 0; first + needed <= rising.length; first += 1) {
    const spread = (rising[first + needed - 1] as number) - (rising[first] as number);
    if (spread > bound || spread >= closest) continue;
    closest = spread;
    agreed = rising[first + Math.floor((needed - 1) / 2)];
  }
  return agreed;
}
