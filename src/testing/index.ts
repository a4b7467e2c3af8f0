/**
 * What the project tests itself with, for those who build on it: cores on a network and disks that obey the test, and
 * the network and disk in memory on which whole replicas and clients run, `MemoryCluster`, which is all of it at once, a
 * simulator of whole clusters under faults, and the checkers of what callers were told.
 */
export { MemoryDisk } from '../storage/log/memory-log-store.ts';
export { MemoryNetwork } from '../transport/memory-transport.ts';
export { checkHistory, type HistoryVerdict } from './checkers/check-history.ts';
export type { Finding, History, Operation, SeenEvent, WatchLog } from './checkers/history.ts';
export { CoreCluster, type CoreClusterOptions } from './core-cluster.ts';
export { MemoryCluster, type MemoryClusterOptions } from './memory-cluster.ts';
export { type Outcome, runScenario } from './sim/run.ts';
export { drawScenario, type Scenario } from './sim/scenario.ts';
export { Caller, type CallerParts, type Mix } from './workload/caller.ts';
export { Recorder } from './workload/recorder.ts';
