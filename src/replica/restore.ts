import { TocsinError } from '../base/errors.ts';
import { replicaId } from '../base/ids.ts';
import { withBackup } from '../storage/backup.ts';
import { formatFolder } from '../storage/data-folder.ts';
import type { Identity, SnapshotMeta } from '../storage/types.ts';
import { SystemClock } from '../transport/system-clock.ts';
import { snapshotBytes } from '../wire/log/snapshot-meta.ts';
import { readImage } from './snapshots/machine-image.ts';
import { Turns } from './turns.ts';

/** What a backup holds, all of it verified: its bytes, and that the state in them is the one that it says. */
export interface BackupReport {
  readonly id: string;
  /** The cluster that it is of. */
  readonly clusterId: string;
  readonly index: number;
  readonly revision: number;
  readonly bytes: number;
  readonly openAlerts: number;
  readonly members: readonly number[];
}

/** @throws TocsinError DATA_MISSING, DATA_CORRUPT, DATA_NEWER_FORMAT, DISK_FAILED */
export const examineBackup = (file: string): Promise<BackupReport> =>
  withBackup(file, async ({ clusterId, meta, readChunk }) => {
    const chunks = { readChunk: (_id: string, chunk: number) => readChunk(chunk) };
    const machine = await readImage(chunks, meta, { seed: 1 }, new Turns(new SystemClock()));
    const { id, index, revision, members } = meta;
    const bytes = snapshotBytes(meta);
    const { openCount: openAlerts } = machine;
    return {
      id,
      clusterId,
      index,
      revision,
      bytes,
      openAlerts,
      members: members.map((member) => member.id),
    };
  });

/**
 * Formats a folder so that it begins with the state in a backup, as a member of a new cluster: all the members are restored
 * from the same file. Nothing of the old members is known to the new cluster, and none of them is let in.
 * @throws TocsinError as `examineBackup` and `formatFolder`; DATA_OTHER_CLUSTER: the new cluster cannot have the old one's id
 */
export async function restoreFolder(
  folder: string,
  file: string,
  identity: Identity,
): Promise<BackupReport> {
  const report = await examineBackup(file);
  if (report.clusterId === identity.clusterId)
    throw new TocsinError(
      'DATA_OTHER_CLUSTER',
      `${file} is of cluster ${identity.clusterId} itself: what is restored becomes a new cluster, under an id of its own`,
    );
  await withBackup(file, ({ meta, readChunk }) =>
    formatFolder(folder, identity, { meta: { ...meta, members: membersOf(identity) }, readChunk }),
  );
  return report;
}

/** Those that the new cluster begins with. Which disks they have is found out when they meet. */
const membersOf = ({ members }: Identity): SnapshotMeta['members'] =>
  members.map(({ id, address }) => ({
    id: replicaId(id),
    address,
    incarnation: 0,
    roles: ['voter'],
    priority: 0,
  }));
