import { type LogIndex, logIndex, type Term, term, unixMillis } from '../../src/base/ids.ts';
import type { Entry } from '../../src/raft/types.ts';
import { EntryRecord, entryOf, genesisChain } from '../../src/wire/log/record.ts';

/** A chained run of sealed entries, one for each term, from `first` on. */
export function entriesOf(
  first: LogIndex,
  terms: readonly Term[],
  bodies: readonly Uint8Array[] = [],
): Entry[] {
  let chain = genesisChain('0123456789abcdef0123456789abcdef');
  return terms.map((itsTerm, i) => {
    const body = bodies[i] ?? new Uint8Array(0);
    const record = EntryRecord.draft('commands', unixMillis(1_790_000_000_000 + i), i, [body]);
    record.seal({ index: logIndex(first + i), term: term(itsTerm) }, chain);
    chain = record.chain;
    return entryOf(record);
  });
}
