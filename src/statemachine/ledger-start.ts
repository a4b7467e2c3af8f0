import {
  type LogIndex,
  logIndex,
  type Revision,
  revision,
  type UnixMillis,
  unixMillis,
} from '../base/ids.ts';

/** Where a ledger begins. */
export interface LedgerStart {
  readonly index: LogIndex;
  readonly time: UnixMillis;
  readonly revision: Revision;
  readonly digest: number;
  /** The newest number given to a record. */
  readonly recordsMade: number;
}

/** Nothing has happened yet. */
export const NEW_LEDGER: LedgerStart = {
  index: logIndex(0),
  time: unixMillis(0),
  revision: revision(0),
  digest: 0,
  recordsMade: 0,
};
