import { must } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import { type LogIndex, logIndex, term, type UnixMillis } from '../base/ids.ts';
import { EntryRecord, entryOf, recordOf } from '../wire/log/record.ts';
import type { ClusterMember } from '../wire/peers/members.ts';
import { openFolder, rewriteIdentity } from './data-folder.ts';
import { newIncarnation } from './identity.ts';
import { describeDamage } from './log/log-repair.ts';
import type { Identity, LogPlace, LogStore, Restored } from './types.ts';

export interface RecoverOptions {
  /** Typed by an operator who has read what is going to be lost: the cluster's id, to show that this folder is meant. */
  readonly clusterId: string;
  readonly now: UnixMillis;
}

/** What an operator is told, before and after. */
export interface Recovery {
  readonly identity: Identity;
  /** The log goes on after this entry. */
  readonly last: LogIndex;
  /** For people: entries that this replica had acknowledged and that are gone for good; undefined = none. */
  readonly lost: string | undefined;
}

/**
 * Makes the replica of this folder a cluster of its own, of whatever it holds: for a single replica whose log is damaged,
 * and for the last one when a majority is gone for good. Whatever it holds counts as committed, what it lacks is lost, and
 * its incarnation is a new one, so that none of the others can take it for a member of theirs. The others must never run
 * again with their folders; they can be formatted anew and join.
 * @throws TocsinError DATA_OTHER_CLUSTER, DATA_LOST (nothing to go on from is left), and all of `openFolder`
 */
export async function recoverFolder(path: string, options: RecoverOptions): Promise<Recovery> {
  const { identity, store } = await openFolder(path, { clusterId: options.clusterId });
  const incarnation = newIncarnation();
  let recovery: Recovery;
  try {
    recovery = await takeOver(store, { ...identity, incarnation }, options.now);
  } finally {
    await store.close();
  }
  await rewriteIdentity(path, recovery.identity);
  return recovery;
}

async function takeOver(
  store: LogStore & { acceptLoss(): Promise<void> },
  identity: Identity,
  now: UnixMillis,
): Promise<Recovery> {
  let restored = await store.load();
  const { damage } = restored;
  if (damage?.snapshotFrom !== undefined)
    throw new TocsinError(
      'DATA_LOST',
      `the log begins after entry ${damage.snapshotFrom}, and no snapshot reaches that: there is nothing to go on from`,
    );
  if (damage !== undefined) {
    await store.acceptLoss();
    restored = await store.load();
  }
  const self = selfOf(identity, restored);
  const last = await putConfiguration(store, restored, self, now);
  const members = [{ id: self.id, address: self.address }];
  const lost = damage && `entries ${describeDamage(damage)}, and all after the first of them`;
  return { identity: { ...identity, members }, last, lost };
}

/** This replica as the newest configuration it knows of has it, a voter and alone. */
function selfOf(
  { replicaId: id, incarnation, members }: Identity,
  restored: Restored,
): ClusterMember {
  const newest = restored.configurations.at(-1);
  const known = (newest && recordOf(newest).members) ?? restored.snapshot?.members ?? members;
  const own = known.find((member) => member.id === id) ?? members.find((each) => each.id === id);
  const { address } = must(own, `replica ${id} is not among the members`);
  return { id, address, incarnation, roles: ['voter'], priority: 0 };
}

/** One entry more, by which this replica is the cluster; with it everything before counts as committed. */
async function putConfiguration(
  store: LogStore,
  { hardState, tail, base }: Restored,
  self: ClusterMember,
  now: UnixMillis,
): Promise<LogIndex> {
  const newest = tail.at(-1);
  const last: LogPlace = newest === undefined ? base : { ...newest, chain: recordOf(newest).chain };
  const time = Math.max(now, newest === undefined ? 0 : recordOf(newest).time) as UnixMillis;
  const id = { index: logIndex(last.index + 1), term: term(hardState.term + 1) };
  const record = EntryRecord.draftConfiguration(time, [self]);
  record.seal(id, last.chain);
  await store.write({
    hardState: { term: id.term, vote: self.id, commit: id.index },
    truncateFrom: undefined,
    entries: [entryOf(record)],
  });
  return id.index;
}
