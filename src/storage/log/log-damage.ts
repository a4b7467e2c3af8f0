import { assert, must } from '../../base/assert.ts';
import { type LogIndex, logIndex } from '../../base/ids.ts';
import type { EntryRecord } from '../../wire/log/record.ts';
import type { DamagedRange, LogPlace } from '../types.ts';
import { endAfter, findBreak } from './log-state.ts';

/**
 * What of a log is there and fits together. Each entry's chain hash answers for all before it, so the log is read from its
 * known end backwards: an entry whose hash is the one that the next entry names is the right one, byte for byte. Where
 * entries are missing or wrong, the one after them says what the last of them must be.
 */

/** Where a log begins or ends: the hash names everything up to there. */
export type ChainAt = Pick<LogPlace, 'index' | 'chain'>;

/** Entries that are there, intact by themselves, each chained to the one before. */
interface Run {
  readonly from: number;
  /** Chain hash that the first of them follows. */
  readonly previousChain: number;
  last: LogPlace;
}

/** Collects the runs while the log passes by, oldest first. */
export class RunCollector {
  readonly runs: Run[] = [];
  /** Chain hashes at the places that were asked for, of entries that are there. */
  readonly chains: Map<number, number> = new Map();
  readonly #asked: ReadonlySet<number>;

  constructor(asked: readonly number[]) {
    this.#asked = new Set(asked);
  }

  add(record: EntryRecord): void {
    const place = endAfter(record);
    if (this.#asked.has(record.index)) this.chains.set(record.index, record.chain);
    const run = this.runs.at(-1);
    if (run !== undefined && findBreak(run.last, record) === undefined) run.last = place;
    else this.runs.push({ from: record.index, previousChain: record.previousChain, last: place });
  }
}

/** What the log says the hash at `index` is: by the entry itself, or by the one after it. */
export function chainAt({ runs, chains }: RunCollector, index: number): number | undefined {
  return chains.get(index) ?? runs.find(({ from }) => from === index + 1)?.previousChain;
}

/** Where the log ends: as `end` says, or further, along the entries that go on from it. */
export function reachOf(found: RunCollector, end: ChainAt): ChainAt {
  if (chainAt(found, end.index) !== end.chain) return end;
  const run = found.runs.find(({ from, last }) => from <= end.index + 1 && last.index > end.index);
  return run?.last ?? end;
}

/**
 * What is missing or wrong between `base` and `end`, the last first; undefined = the log as a whole is not the one that
 * begins at `base`. The hashes at `base` and `end` must have been asked for.
 */
export function findDamage(
  { runs, chains }: RunCollector,
  base: ChainAt,
  end: ChainAt,
): DamagedRange[] | undefined {
  const ranges: DamagedRange[] = [];
  /** What the entry at `at` must have; unknown below a range. */
  let chain: number | undefined = end.chain;
  let at: number = end.index;
  for (let place = runs.length - 1; at > base.index; ) {
    const run = runs[place];
    const reach = Math.max(run?.last.index ?? 0, base.index);
    if (run === undefined || reach < at) {
      addGap(ranges, reach + 1, at, chain);
      at = reach;
      chain = undefined;
    } else if (run.from > at) place -= 1;
    else if (chain !== undefined && chainIn(run, at, chains) !== chain) {
      addGap(ranges, at, at, chain);
      at -= 1;
      chain = undefined;
    } else if (run.from <= base.index) {
      chain = chainIn(run, base.index, chains);
      at = base.index;
    } else {
      chain = run.previousChain;
      at = run.from - 1;
    }
  }
  if (chain === undefined || chain === base.chain) return ranges;
  return withFirstRun(ranges, base);
}

/**
 * The entries right after the base are of another log, so up to the next range, which answers for itself, all are: there
 * is no telling what they should be but by going on from that range.
 */
function withFirstRun(ranges: DamagedRange[], base: ChainAt): DamagedRange[] | undefined {
  const first = ranges.pop();
  if (first === undefined) return undefined;
  return [...ranges, { ...first, from: logIndex(base.index + 1) }];
}

function chainIn(run: Run, at: number, chains: ReadonlyMap<number, number>): number | undefined {
  return run.last.index === at ? run.last.chain : chains.get(at);
}

/** Below an entry that is wrong nothing says what must be there: what is missing, or wrong, goes with it. */
function addGap(ranges: DamagedRange[], from: number, to: number, chain: number | undefined): void {
  if (chain !== undefined)
    ranges.push({ from: logIndex(from), to: logIndex(to), chainAfter: chain });
  else {
    const above = must(ranges.pop(), `nothing says what entry ${to} must be`);
    assert(above.from === to + 1, `range ${above.from} is not right above ${to}`);
    ranges.push({ ...above, from: logIndex(from) });
  }
}

/**
 * The ranges once the entries `from` … `to` are as they must be, of which the first follows `previousChain`. `chainBefore`
 * is the hash of what stands before them; undefined = nothing intact does.
 */
export function repaired(
  ranges: readonly DamagedRange[],
  from: LogIndex,
  previousChain: number,
  chainBefore: number | undefined,
): DamagedRange[] {
  const left = ranges.filter((range) => range.from < from);
  const before = logIndex(from - 1);
  const next = left[0];
  if (next !== undefined && next.to >= before)
    return [{ ...next, to: before, chainAfter: previousChain }, ...left.slice(1)];
  if (chainBefore === previousChain) return left;
  // What stands there is not what the repaired entries follow: it was cut once, and has come back.
  return [{ from: before, to: before, chainAfter: previousChain }, ...left];
}
