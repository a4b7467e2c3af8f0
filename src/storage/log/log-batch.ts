import { PUT_BYTES_PER_TURN_MAX } from '../../base/limits.ts';
import type { Entry } from '../../raft/types.ts';
import { recordOf } from '../../wire/log/record.ts';
import { type Batch, entryKey, STATE_KEYS } from '../level/level.ts';
import type { LogPlace } from '../types.ts';
import type { Mark } from './high-water.ts';
import { emptyState, type LogState, restartedAt } from './log-state.ts';
import { encodeState, type StoredState } from './state-record.ts';

/** What the batches of a log consist of. */

/** What a new folder's log holds: no entries, no votes. `after`: what it begins after, if not the very beginning. */
export function putInitialState(batch: Batch, clusterId: string, after?: LogPlace): Mark {
  const empty = emptyState(clusterId);
  const state = after === undefined ? empty : restartedAt(after, empty.hardState);
  putState(batch, state, 0);
  return markOf(state, 0);
}

/**
 * The bytes of the records go to LevelDB as they are. It copies them at once, so a turn of the loop gets only so many, from place `from` of
 * `entries` on. Answers the place that it got to.
 */
export function putEntries(batch: Batch, entries: readonly Entry[], from: number): number {
  let at = from;
  for (let bytes = 0; at < entries.length; at += 1) {
    const entry = entries[at] as Entry;
    const record = recordOf(entry).bytes;
    bytes += record.byteLength;
    if (at > from && bytes > PUT_BYTES_PER_TURN_MAX) break;
    batch.put(entryKey(entry.index), record);
  }
  return at;
}

export function delEntries(batch: Batch, from: number, to: number): void {
  for (let index = from; index <= to; index += 1) batch.del(entryKey(index));
}

export function putState(batch: Batch, { hardState, base, end }: LogState, sequence: number): void {
  putStored(batch, { sequence, hardState, lastIndex: end.index, lastChain: end.chain, base });
}

/** Both copies. */
export function putStored(batch: Batch, stored: StoredState): void {
  batch.put(STATE_KEYS[0], encodeState(stored, 0));
  batch.put(STATE_KEYS[1], encodeState(stored, 1));
}

/** What the second place is told once such a state is durable. */
export const markOf = ({ hardState, end }: LogState, sequence: number): Mark => ({
  sequence,
  last: end,
  voted: hardState,
});
