/**
 * What the project tests itself with, for those who build on it: cores on a network and disks that obey the test, and
 * the network and disk in memory on which whole replicas and clients run, and `MemoryCluster`, which is all of it at once.
 */
export { MemoryDisk } from '../storage/memory-log-store.ts';
export { MemoryNetwork } from '../transport/memory-transport.ts';
export { CoreCluster, type CoreClusterOptions } from './core-cluster.ts';
export { MemoryCluster, type MemoryClusterOptions } from './memory-cluster.ts';
