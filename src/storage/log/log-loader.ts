import { TocsinError } from '../../base/errors.ts';
import type { HardState } from '../../raft/types.ts';
import { type Database, faultOf, STATE_KEYS } from '../level/level.ts';
import type { Damage, LogPlace, Restored, SnapshotMeta } from '../types.ts';
import type { Mark } from './high-water.ts';
import { surveyEntries } from './level-entries.ts';
import { type ChainAt, chainAt, findDamage, RunCollector, reachOf } from './log-damage.ts';
import { damageOf } from './log-repair.ts';
import {
  committedTo,
  emptyEnd,
  findContradiction,
  type LogState,
  restartedAt,
  TailCollector,
} from './log-state.ts';
import {
  decodeState,
  type Known,
  reconcile,
  type StateCopy,
  type StoredState,
} from './state-record.ts';

/** What the disk says, judged but not changed. */
export interface Found {
  readonly sequence: number;
  readonly state: LogState;
  /** The disk says all of it: no vote or place is to be put right. */
  readonly isSound: boolean;
  /** Something stands behind the end that does not belong to the log. */
  readonly surplus: boolean;
  readonly damage: Damage | undefined;
  readonly contents: Pick<Restored, 'tail' | 'terms' | 'configurations'>;
}

/**
 * Reads and verifies a whole log against its hard state, the mark and the newest snapshot.
 * @throws TocsinError DATA_CORRUPT: what no peer can repair; DISK_FAILED
 */
export async function examineLog(
  database: Database,
  clusterId: string,
  mark: Mark,
  snapshot: SnapshotMeta | undefined,
): Promise<Found> {
  const known = reconcile([await readCopy(database, 0), await readCopy(database, 1)], mark);
  const base = known.base.index === 0 ? emptyEnd(clusterId) : known.base;
  const runs = new RunCollector([known.end.index, snapshot?.index ?? 0]);
  const tail = new TailCollector(known.hardState.commit);
  let last = 0;
  await surveyEntries(database, base.index + 1, (index, record) => {
    last = index;
    if (record !== undefined) runs.add(record);
    if (record !== undefined && index <= known.end.index) tail.add(record);
  });
  const verdict = judge(runs, { ...known, base }, snapshot);
  const { state } = verdict;
  const contradiction = findContradiction(state);
  if (contradiction !== undefined) throw corrupt(contradiction);
  return {
    ...verdict,
    sequence: known.sequence,
    isSound: known.agreed && state.base.index === base.index && state.end.index === known.end.index,
    surplus: last > state.end.index,
    contents: tail.finish(),
  };
}

type Verdict = Pick<Found, 'state' | 'damage'>;

function judge(runs: RunCollector, known: Known, snapshot: SnapshotMeta | undefined): Verdict {
  const { base, hardState } = known;
  const end = known.lost ? reachOf(runs, known.end) : known.end;
  if (snapshot === undefined || snapshot.index < base.index)
    return verdictOf(runs, hardState, base, end, base.index > 0);
  const { index, term: inTerm, chain } = snapshot;
  if (index === base.index && chain !== base.chain)
    throw corrupt(`the snapshot at ${index} is of another log`);
  const committed = committedTo(hardState, snapshot);
  const own = index === base.index ? base.chain : chainAt(runs, index);
  // The snapshot is of what was committed: a log that ends before it, or went another way, is the older one.
  if (index > end.index || (own !== undefined && own !== chain))
    return { state: restartedAt(snapshot, hardState), damage: undefined };
  const whole = verdictOf(runs, committed, base, end, false);
  const healed = whole.damage?.ranges.some(({ from }) => from <= index) === true;
  // What is in the snapshot need not be repaired: the log begins after it.
  return healed ? verdictOf(runs, committed, { index, term: inTerm, chain }, end, false) : whole;
}

function verdictOf(
  runs: RunCollector,
  hardState: HardState,
  base: LogPlace,
  end: ChainAt,
  lacksSnapshot: boolean,
): Verdict {
  const ranges = findDamage(runs, base, end);
  if (ranges === undefined)
    throw corrupt(`the entries after ${base.index} are not those of this log`);
  const reached = runs.runs.find(({ last }) => last.index === end.index)?.last;
  const place = end.index === base.index ? base : { ...end, term: reached?.term ?? base.term };
  const damage = damageOf(ranges, lacksSnapshot ? base.index : undefined);
  return { state: { hardState, base, end: place }, damage };
}

async function readCopy(database: Database, copy: StateCopy): Promise<StoredState | string> {
  const bytes = await database.get(STATE_KEYS[copy]).catch((error: unknown) => {
    throw faultOf(error, `reading m/hs${copy}`);
  });
  return bytes === undefined ? `m/hs${copy} is missing` : named(copy, decodeState(bytes, copy));
}

const named = (copy: StateCopy, state: StoredState | string): StoredState | string =>
  typeof state === 'string' ? `m/hs${copy}: ${state}` : state;

const corrupt = (what: string): TocsinError => new TocsinError('DATA_CORRUPT', what);
