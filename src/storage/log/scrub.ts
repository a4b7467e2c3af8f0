import { type LogIndex, logIndex, lower } from '../../base/ids.ts';
import type { Database } from '../level/level.ts';
import type { Snapshots } from '../snapshots.ts';
import type { DamagedRange, LogPlace } from '../types.ts';
import { surveySome } from './level-entries.ts';
import { endAfter, findBreak, higher, type LogState } from './log-state.ts';

/** What one slice has read. */
export interface Slice {
  readonly bytes: number;
  /** Everything there is has been read once more. */
  readonly roundEnds: boolean;
  readonly lost: DamagedRange | undefined;
  /** A chunk of this snapshot is damaged. */
  readonly snapshot: string | undefined;
}

/** Where a round has got to. */
type Cursor =
  | { readonly in: 'entries'; readonly after: LogPlace }
  | { readonly in: 'snapshots'; readonly snapshot: number; readonly chunk: number };

/**
 * Reads what is at rest, again and again, a slice at a time: entries that are committed, which nobody changes any more, and
 * the chunks of complete snapshots.
 */
export class Scrub {
  readonly #database: Database;
  readonly #snapshots: Snapshots;
  readonly #state: () => LogState;
  /** Undefined = the next slice begins a round. */
  #cursor: Cursor | undefined;

  /** `state` says how the log is now: it may be written and compacted meanwhile. */
  constructor(database: Database, snapshots: Snapshots, state: () => LogState) {
    this.#database = database;
    this.#snapshots = snapshots;
    this.#state = state;
  }

  /** `known` to be committed may be more than the log knows of. */
  slice(bytesMax: number, known: LogIndex): Promise<Slice> {
    const { base } = this.#state();
    const cursor = this.#cursor ?? { in: 'entries', after: base };
    if (cursor.in === 'snapshots') return this.#chunk(cursor.snapshot, cursor.chunk);
    return this.#entries(cursor.after.index < base.index ? base : cursor.after, bytesMax, known);
  }

  async #entries(from: LogPlace, bytesMax: number, known: LogIndex): Promise<Slice> {
    const { hardState, end } = this.#state();
    const committed = lower(higher(hardState.commit, known), end.index);
    let last: LogPlace = from;
    let lost: DamagedRange | undefined;
    // One more, where there is one: it says what the last of them must be.
    const to = Math.min(committed + 1, end.index);
    const { bytes, ended } = await surveySome(
      this.#database,
      from.index + 1,
      to,
      bytesMax,
      (record) => {
        const next = endAfter(record);
        // If one does not follow the other, the later is right: it answers for what follows it.
        if (findBreak(last, record) !== undefined)
          lost = rangeBetween(last, next.index, record.previousChain);
        last = next;
        return lost === undefined;
      },
    );
    if (ended && lost === undefined && last.index < committed && end.index === committed)
      lost = { from: logIndex(last.index + 1), to: committed, chainAfter: end.chain };
    this.#cursor = ended
      ? { in: 'snapshots', snapshot: 0, chunk: 0 }
      : { in: 'entries', after: last };
    // What was compacted meanwhile is not lost.
    const isLost = lost !== undefined && lost.from > this.#state().base.index;
    return { bytes, roundEnds: false, lost: isLost ? lost : undefined, snapshot: undefined };
  }

  async #chunk(snapshot: number, chunk: number): Promise<Slice> {
    const meta = this.#snapshots.list[snapshot];
    if (meta === undefined) {
      this.#cursor = undefined;
      return { bytes: 0, roundEnds: true, lost: undefined, snapshot: undefined };
    }
    const isWhole = await this.#snapshots.verify(meta.id, chunk);
    const goesOn = isWhole && chunk + 1 < meta.chunks.length;
    // A damaged one leaves the list, and the next takes its place in it.
    const next = isWhole ? snapshot + 1 : snapshot;
    this.#cursor = goesOn
      ? { in: 'snapshots', snapshot, chunk: chunk + 1 }
      : { in: 'snapshots', snapshot: next, chunk: 0 };
    const bytes = meta.chunks[chunk]?.bytes ?? 0;
    return { bytes, roundEnds: false, lost: undefined, snapshot: isWhole ? undefined : meta.id };
  }
}

function rangeBetween(before: LogPlace, index: LogIndex, chainAfter: number): DamagedRange {
  const to = logIndex(index - 1);
  return { from: logIndex(Math.min(before.index + 1, to)), to, chainAfter };
}
