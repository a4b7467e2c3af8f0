import type { OperatorClient, Services } from '../../../cli/commands/io.ts';
import { logIndex, replicaId, term, unixMillis } from '../../../src/base/ids.ts';
import type { BackupReport } from '../../../src/replica/restore.ts';
import type { EntryLine, FolderReport } from '../../../src/storage/inspect.ts';
import type { Recovery } from '../../../src/storage/recover.ts';
import type { ChangeReport, MemberChange } from '../../../src/wire/clients/admin-messages.ts';

/** What a test may decide of what operators ask. */
export interface OperatorAnswers {
  readonly change?: (change: MemberChange, isDryRun: boolean) => ChangeReport;
  readonly folder?: FolderReport;
  readonly entries?: readonly EntryLine[];
  readonly recovery?: Recovery;
}

export const A_BACKUP: BackupReport = {
  id: '9-1-ab',
  clusterId: '3f2a9c0d4b5e6f708192a3b4c5d6e7f8',
  index: 9,
  revision: 8,
  bytes: 100,
  openAlerts: 3,
  members: [1, 2, 3],
};

type Note = (method: string, ...args: readonly unknown[]) => void;

/** Of a replica that is well. */
export const A_FOLDER: FolderReport = {
  identity: {
    clusterId: '3f2a9c0d4b5e6f708192a3b4c5d6e7f8',
    replicaId: replicaId(1),
    incarnation: 7,
    members: [{ id: replicaId(1), address: '/ip4/10.0.0.1/tcp/7400' }],
  },
  term: term(3),
  vote: 1,
  commit: logIndex(40),
  base: logIndex(20),
  last: logIndex(42),
  snapshots: [{ id: '30-3-ab', index: logIndex(30), bytes: 1_000, chunks: 1 }],
  damage: undefined,
  abstains: false,
};

const AN_ENTRY: EntryLine = {
  index: logIndex(21),
  term: term(3),
  kind: 'commands',
  time: unixMillis(1_772_334_245_000),
  bytes: 200,
  commands: 1,
};

export const aReport = (outcome: ChangeReport['outcome'], says = ''): ChangeReport => ({
  outcome,
  says,
  before: { voters: 3, needed: 2, alive: 3 },
  after: { voters: 2, needed: 2, alive: 2 },
  members: [
    { id: replicaId(1), address: '/ip4/10.0.0.1/tcp/7400', roles: ['voter'], priority: 0 },
    { id: replicaId(2), address: '/ip4/10.0.0.2/tcp/7400', roles: ['voter'], priority: 0 },
  ],
});

export const fakeFolderServices = (
  note: Note,
  { folder = A_FOLDER, entries = [AN_ENTRY], recovery }: OperatorAnswers,
): Pick<
  Services,
  'inspectFolder' | 'dumpLog' | 'writeBackup' | 'examineBackup' | 'restoreFolder' | 'recoverFolder'
> => ({
  inspectFolder: (path) => {
    note('inspectFolder', path);
    return Promise.resolve(folder);
  },
  dumpLog: async function* (path, from, to) {
    note('dumpLog', path, from, to);
    yield* entries;
  },
  writeBackup: async (path, clusterId, source) => {
    note('writeBackup', path, clusterId, (await source(undefined)).byteLength);
  },
  examineBackup: (path) => {
    note('examineBackup', path);
    return Promise.resolve(A_BACKUP);
  },
  restoreFolder: (path, file, identity) => {
    note('restoreFolder', path, file, identity);
    return Promise.resolve(A_BACKUP);
  },
  recoverFolder: (path, clusterId) => {
    note('recoverFolder', path, clusterId);
    const { identity, last } = folder;
    return Promise.resolve(recovery ?? { identity, last, lost: undefined });
  },
});

export const fakeOperator = (
  note: Note,
  { change: answer }: OperatorAnswers,
): OperatorClient['operator'] => ({
  change: async (change, options = {}) => {
    note('change', change, options.dryRun);
    const isDryRun = options.dryRun ?? false;
    return answer?.(change, isDryRun) ?? aReport(isDryRun ? 'planned' : 'done');
  },
  transfer: async (to) => note('transfer', to),
  drain: async (endpoint, options = {}) => note('drain', endpoint, options.undo ?? false),
  snapshot: async (endpoint) => {
    note('snapshot', endpoint);
    return { id: '9-1-ab', index: 9, bytes: 100, chunks: 1 };
  },
  snapshotPart: async (endpoint, id, chunk) => {
    note('snapshotPart', endpoint, id, chunk);
    return new Uint8Array(100);
  },
});
