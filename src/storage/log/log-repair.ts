import { assert } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, logIndex, lower } from '../../base/ids.ts';
import type { Entry } from '../../raft/types.ts';
import { entryOf, recordOf } from '../../wire/log/record.ts';
import type { Database } from '../level/level.ts';
import type { Damage, DamagedRange, LogPlace, LookUp } from '../types.ts';
import { descendEntries, isWhole, readPlace } from './level-entries.ts';
import { repaired } from './log-damage.ts';
import type { LogState } from './log-state.ts';

/** What a log, damaged itself or not, says of entries that a peer has lost. */
export async function lookUp(
  database: Database,
  { hardState, base, end }: LogState,
  damage: Damage | undefined,
  range: DamagedRange,
  bytesMax: number,
): Promise<LookUp> {
  if (range.to <= base.index) return { found: 'compacted' };
  const entries: Entry[] = [];
  let bytes = 0;
  const from = Math.max(range.from, base.index + 1);
  if (range.to <= end.index)
    await descendEntries(database, from, range.to, range.chainAfter, (record) => {
      bytes += record.byteLength;
      if (entries.length > 0 && bytes > bytesMax) return false;
      entries.push(entryOf(record));
      return bytes < bytesMax;
    });
  if (entries.length > 0) return { found: 'entries', entries: entries.reverse() };
  const isLost = damage?.ranges.some(({ from: first, to }) => first <= range.to && range.to <= to);
  if (isLost) return { found: 'damaged' };
  // Who has lost something else, or may have, cannot say that it never had this.
  const sure = damage === undefined && hardState.abstain !== true;
  // Nor can who has a record in that place that has rotted meanwhile; only another one that is whole says so.
  const isKnown = range.to > end.index || (await isWhole(database, range.to));
  return { found: sure && isKnown ? 'absent' : 'unsure' };
}

/** @throws TocsinError BODY_MALFORMED when the entries are not the last ones of the range, as its chain hash names them. */
export function mustFit(entries: readonly Entry[], range: DamagedRange, base: LogPlace): void {
  let expected = { index: range.to as number, chain: range.chainAfter };
  for (const entry of [...entries].reverse()) {
    const record = recordOf(entry);
    if (record.index !== expected.index || record.chain !== expected.chain)
      throw new TocsinError(
        'BODY_MALFORMED',
        `entry ${record.index} is not the one that was lost as ${expected.index}`,
      );
    expected = { index: record.index - 1, chain: record.previousChain };
  }
  if (entries.length === 0 || expected.index < base.index)
    throw new TocsinError('BODY_MALFORMED', `${entries.length} entries to repair ${range.to}`);
}

/**
 * The state of a log that is cut behind `kept`. What is cut may have been acknowledged, and that peers do not have it is no
 * promise that they never will: a leader that still counts on this replica can commit it with them. So the replica abstains.
 * @throws TocsinError DATA_LOST
 */
export function cutState(state: LogState, kept: LogPlace, never: LogIndex): LogState {
  const { hardState, end } = state;
  assert(never > kept.index && never <= end.index, `${never} is not in what is cut`);
  if (never <= hardState.commit)
    throw new TocsinError('DATA_LOST', `entry ${never} was committed, and nobody has it`);
  const commit = lower(hardState.commit, kept.index);
  return { ...state, end: kept, hardState: { ...hardState, commit, abstain: true } };
}

export const damageOf = (
  ranges: readonly DamagedRange[],
  snapshotFrom: LogIndex | undefined,
): Damage | undefined =>
  ranges.length === 0 && snapshotFrom === undefined ? undefined : { ranges, snapshotFrom };

/** What is still lost of a log that begins after `base`: not what a complete snapshot, the newest of which reaches `reach`, holds. */
export function damageLeft(
  damage: Damage | undefined,
  base: LogIndex,
  reach: number,
): Damage | undefined {
  if (damage === undefined) return undefined;
  const ranges = damage.ranges.filter(({ to }) => to > base && to > reach);
  return damageOf(ranges, damage.snapshotFrom !== undefined && reach < base ? base : undefined);
}

/** The damage with a range that was found now; overlapping ones become one, the last first. */
export function withRange(damage: Damage | undefined, lost: DamagedRange): Damage {
  const ranges: DamagedRange[] = [];
  for (const range of [...(damage?.ranges ?? []), lost].sort((a, b) => b.to - a.to)) {
    const above = ranges.at(-1);
    if (above === undefined || range.to < above.from) ranges.push(range);
    else ranges[ranges.length - 1] = { ...above, from: lower(above.from, range.from) };
  }
  return { ranges, snapshotFrom: damage?.snapshotFrom };
}

/** What is still damaged once `entries` are there. @throws TocsinError DATA_CORRUPT, DISK_FAILED */
export async function rangesLeft(
  database: Database,
  ranges: readonly DamagedRange[],
  entries: readonly Entry[],
  base: LogPlace,
): Promise<DamagedRange[]> {
  const first = recordOf(entries[0] as Entry);
  const before = logIndex(first.index - 1);
  if (before === base.index) {
    if (first.previousChain === base.chain) return [];
    throw new TocsinError('DATA_CORRUPT', `entry ${first.index} does not follow the base`);
  }
  const isDamaged = ranges.some(({ from, to }) => from <= before && before <= to);
  // It may have rotted since the ranges were found.
  const isThere = !isDamaged && (await isWhole(database, before));
  const chain = isThere ? (await readPlace(database, before)).chain : undefined;
  return repaired(ranges, first.index, first.previousChain, chain);
}

/** For people. */
export const describeDamage = ({ ranges, snapshotFrom }: Damage): string =>
  [
    ...[...ranges].reverse().map(({ from, to }) => (from === to ? `${to}` : `${from} … ${to}`)),
    ...(snapshotFrom === undefined ? [] : [`a snapshot that reaches ${snapshotFrom}`]),
  ].join(', ');
