import { unixMillis } from '../../src/base/ids.ts';
import type { Services } from './io.ts';

/** The real ones. Nothing of them is loaded before it is called. */
export const SERVICES: Services = {
  connect: async (options) => {
    const { connect } = await import('../../src/client/index.ts');
    return await connect(options);
  },
  startReplica: async (options) => {
    const { startReplica } = await import('../../src/replica/start.ts');
    return await startReplica(options);
  },
  startTrends: async (options) => {
    const { startTrends } = await import('../trend/trend-thread.ts');
    return await startTrends(options);
  },
  connectTrends: async (options) => {
    const { connectTrends } = await import('../../src/client/trend/trend-client.ts');
    return await connectTrends(options);
  },
  formatFolder: async (path, identity) => {
    const { formatFolder } = await import('../../src/storage/data-folder.ts');
    await formatFolder(path, identity);
  },
  inspectFolder: async (path) => {
    const { inspectFolder } = await import('../../src/storage/inspect.ts');
    return await inspectFolder(path);
  },
  dumpLog: async function* (path, from, to) {
    const { dumpLog } = await import('../../src/storage/inspect.ts');
    yield* dumpLog(path, from, to);
  },
  writeBackup: async (path, clusterId, source) => {
    const { writeBackup } = await import('../../src/storage/backup.ts');
    const { decodeSnapshotMeta } = await import('../../src/wire/log/snapshot-meta.ts');
    const meta = decodeSnapshotMeta(await source(undefined));
    await writeBackup(path, { clusterId, meta, readChunk: source });
  },
  examineBackup: async (path) => {
    const { examineBackup } = await import('../../src/replica/restore.ts');
    return await examineBackup(path);
  },
  restoreFolder: async (folder, path, identity) => {
    const { restoreFolder } = await import('../../src/replica/restore.ts');
    return await restoreFolder(folder, path, identity);
  },
  recoverFolder: async (path, clusterId) => {
    const { recoverFolder } = await import('../../src/storage/recover.ts');
    return await recoverFolder(path, { clusterId, now: unixMillis(Date.now()) });
  },
  parseAddress: async (text) => {
    const { parseTcpAddress } = await import('../../src/transport/address.ts');
    const { multiaddr, port } = parseTcpAddress(text);
    return { text: multiaddr.toString(), port };
  },
  runProgram: async (argv, input, signal) => {
    const { runProgram } = await import('./run-program.ts');
    return await runProgram(argv, input, signal);
  },
  readLines: async (options) => {
    const { processLines } = await import('../shell/process-lines.ts');
    return processLines(options);
  },
  draw: async () => {
    const { newClusterId, newIncarnation } = await import('../../src/storage/identity.ts');
    return { clusterId: newClusterId(), incarnation: newIncarnation() };
  },
};
