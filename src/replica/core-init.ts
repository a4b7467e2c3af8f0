import { must } from '../base/assert.ts';
import { logIndex, type ReplicaId } from '../base/ids.ts';
import { COMMIT_NOTICE_MS, LEASE_MS, READ_ROUND_MS } from '../base/limits.ts';
import { Prng } from '../base/prng.ts';
import type { Restored } from '../storage/types.ts';
import { recordOf } from '../wire/log/record.ts';
import { listsOf } from '../wire/peers/members.ts';
import type { DriverParts } from './core-driver.ts';
import type { Members } from './peers/members.ts';

/** What a core starts from, out of what the disk remembers. */
export function initFrom(
  { hardState, tail, terms, base, snapshot, configurations }: Restored,
  id: ReplicaId,
  members: Members,
  seed: number,
  leases: boolean,
): DriverParts['init'] {
  // Who belonged to the cluster where the log begins matters no more than until its next configuration entry, which is
  // in the snapshot if there is one: it cannot be cut any more.
  const configuration = listsOf(snapshot?.members ?? members.first);
  const committed = Math.max(hardState.commit, (snapshot ?? base).index);
  return {
    id,
    options: {
      commitNoticeMs: COMMIT_NOTICE_MS,
      readRoundMs: READ_ROUND_MS,
      leaseMs: leases ? LEASE_MS : 0,
    },
    voters: configuration.voters,
    prng: new Prng(seed),
    hardState: { ...hardState, commit: logIndex(committed) },
    tail,
    terms,
    snapshot: base.index === 0 ? undefined : { ...base, configuration },
    configurations: configurations.map((entry) => ({
      index: entry.index,
      configuration: must(recordOf(entry).configuration, `entry ${entry.index}`),
    })),
  };
}
