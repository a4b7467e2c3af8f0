import { type LogIndex, logIndex } from '../base/ids.ts';
import { accepted } from './append.ts';
import type { SnapshotPoint } from './configuration.ts';
import { becomeFollower } from './roles.ts';
import type { State } from './state.ts';
import type { SnapshotOffer } from './types.ts';

/** What a snapshot stands for need not be in the log (§7). Fetching one is the shell's work; here is what it does to the log. */

/** The leader no longer has what is missing here. */
export function onSnapshotOffer(s: State, m: SnapshotOffer): void {
  const { log, out } = s;
  // What is offered is committed: who holds the entry already needs only to be told.
  if (m.last.index > log.committed && log.holds(m.last)) log.commitTo(m.last.index);
  if (m.last.index <= log.committed) out.sendAfterSync.push(accepted(s, m.from, log.committed));
  else out.snapshotOffer = m;
}

/** Takes over a snapshot. False if there is nothing new in it, or this replica leads. */
export function restore(s: State, point: SnapshotPoint): boolean {
  const { log, out } = s;
  if (s.role.role === 'leader' || point.index <= log.committed) return false;
  const { index, term, configuration } = point;
  // Whoever gave it may have gone on to a later term: what was committed then is not for the leader of an earlier one.
  if (term > s.term) becomeFollower(s, term, undefined);
  const before = out.snapshot;
  const holds = log.holds(point);
  if (holds) {
    log.commitTo(index);
    compact(s, index);
    out.append = out.append.filter((entry) => entry.index > index);
    if (out.truncateFrom !== undefined)
      out.truncateFrom = logIndex(Math.max(out.truncateFrom, index + 1));
  } else {
    // A log that ends elsewhere must not live on behind the snapshot: it may contradict it.
    log.reset({ index, term });
    s.configurations.reset({ index, configuration });
    out.append = [];
    out.truncateFrom = undefined;
  }
  out.snapshot = { index, term, configuration, keepsLog: holds && before?.keepsLog !== false };
  out.hardStateChanged = true;
  if (s.role.role === 'follower' && s.role.leader !== undefined)
    out.sendAfterSync.push(accepted(s, s.role.leader, index));
  return true;
}

/** A durable snapshot stands for everything up to `index`. */
export function compact(s: State, index: LogIndex): void {
  if (index <= s.log.base.index) return;
  s.log.compact(index);
  s.configurations.compact(index);
}
