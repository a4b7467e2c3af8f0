import { type LogIndex, logIndex, type ReplicaId } from '../base/ids.ts';
import type { State } from './state.ts';
import type { AppendReply, Entry, EntryId, Payload } from './types.ts';

/** Appends to the leader's own log. It is sent, and counted, only later. */
export function appendOwn(s: State, payload: Payload): EntryId {
  const id: EntryId = { index: logIndex(s.log.last.index + 1), term: s.term };
  // Not `{ ...id, payload }`: of what is spread and then added to, V8 makes a shape for each object alone, 208 bytes, and keeps it.
  takeEntry(s, { index: id.index, term: id.term, payload });
  // To itself, like to any follower: counted when the disk has it (thesis §10.2.1), void if the term has passed.
  s.out.sendAfterSync.push(accepted(s, s.id, id.index));
  return id;
}

/** Puts an entry at the end of the log; what it says of who takes part holds from now on (§6). */
export function takeEntry(s: State, entry: Entry): void {
  s.log.append(entry);
  s.out.append.push(entry);
  const { configuration } = entry.payload;
  if (configuration !== undefined) s.configurations.append(entry.index, configuration);
}

/** Everything up to `index` is here. To be said only when the disk has it. */
export const accepted = (s: State, to: ReplicaId, index: LogIndex): AppendReply => ({
  type: 'append-reply',
  from: s.id,
  to,
  term: s.term,
  accepted: true,
  index,
  hint: { index, term: s.log.termAt(index) as EntryId['term'] },
});
