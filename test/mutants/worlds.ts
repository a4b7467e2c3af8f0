import type { Scenario } from '../../src/testing/sim/scenario.ts';

/** What the simulator is told so that a bug shows within few seeds: the rest of each scenario comes from its seed. */

/** Callers who leave the cluster no rest, on disks that are slow to sync. */
const BUSY: Partial<Scenario> = {
  ...{ replicas: 3, callers: 5, watchers: 1, thinkMs: 40, durationMs: 8_000 },
  ...{ netDelayMs: 1, diskMs: 5, leftDead: 0, drift: 0, faultEveryMs: 300, faultLastsMs: 800 },
  ...{ sessions: false, escalations: false, mixedVersions: false, snapshotEvery: undefined },
};

/** Nothing fails, and much is asked. */
export const CALM: Partial<Scenario> = { ...BUSY, durationMs: 3_000, faults: [] };

/** Processes die, and what was not durable may be there or not. */
export const DYING: Partial<Scenario> = { ...BUSY, faults: ['kill', 'kill-all', 'disk-slow'] };

/** What is at rest rots while processes run, and logs are shortened at different times. */
export const ROTTING: Partial<Scenario> = {
  ...BUSY,
  ...{ durationMs: 20_000, faultEveryMs: 1_000, faultLastsMs: 3_000, snapshotEvery: 40 },
  faults: ['rot-in-use', 'pause', 'isolate', 'kill'],
};

/** Leaders are cut off, and come back with entries that nobody else has. */
export const DEPOSED: Partial<Scenario> = {
  ...BUSY,
  faults: ['isolate', 'hand-over', 'pause', 'halves', 'one-way'],
};

/** Leaders are cut off for much longer than it takes to find out. */
export const CUT_OFF: Partial<Scenario> = {
  ...BUSY,
  ...{ durationMs: 40_000, faultEveryMs: 3_000, faultLastsMs: 8_000 },
  faults: ['isolate', 'halves'],
};

/** A leader that is cut off gathers entries of its own, and two come after it before it is back. */
export const CONTESTED: Partial<Scenario> = {
  ...BUSY,
  ...{ callers: 30, thinkMs: 100, watchers: 0, diskMs: 1, faultEveryMs: 250, faultLastsMs: 1_500 },
  faults: ['isolate', 'hand-over'],
  // So many at once about few conditions leave the search for an order too much to try.
  mix: {
    ...{ raise: 1, clear: 0, acknowledge: 0, get: 0, list: 0 },
    ...{ guarded: 0, local: 0, keys: 90, units: 9 },
  },
};

/** Many read from leaders that are cut off and do not know it. */
export const READING: Partial<Scenario> = {
  ...DEPOSED,
  faults: ['isolate', 'halves', 'pause'],
  faultEveryMs: 1_500,
  faultLastsMs: 2_000,
  mix: {
    ...{ raise: 2, clear: 1, acknowledge: 0, get: 6, list: 0 },
    ...{ guarded: 0, local: 0, keys: 2, units: 1 },
  },
};

/** Frames come late, twice and out of order. */
export const DISORDERLY: Partial<Scenario> = {
  ...BUSY,
  faults: ['reorder', 'duplicate', 'loss', 'hand-over', 'isolate'],
  netDelayMs: 5,
};

/** Snapshots all the time, and restarts that begin with them. */
export const SNAPSHOTS: Partial<Scenario> = {
  ...BUSY,
  snapshotEvery: 10,
  faults: ['kill', 'isolate'],
};

/** The same, and what was done in sessions is repeated after it. */
export const SESSIONS: Partial<Scenario> = {
  ...SNAPSHOTS,
  sessions: true,
  faults: ['kill', 'client-cut', 'reset'],
};

/** Alerts climb under a policy while leaders die. */
export const CLIMBING: Partial<Scenario> = { ...BUSY, escalations: true, faults: ['kill'] };

/** Disks are wiped, and others take their place. */
export const WIPED: Partial<Scenario> = { ...BUSY, faults: ['disk-wiped', 'isolate', 'kill'] };

/** Snapshots rot at rest. */
export const ROTTEN: Partial<Scenario> = { ...SNAPSHOTS, faults: ['snapshot-rot', 'kill'] };

/** Wall clocks jump by up to an hour, of leaders too. */
export const CLOCKS: Partial<Scenario> = {
  ...BUSY,
  ...{ callers: 2, faultEveryMs: 1_500 },
  faults: ['clock-jump', 'hand-over'],
};

/** Programs of two versions. */
export const MIXED: Partial<Scenario> = { ...BUSY, mixedVersions: true, faults: ['kill'] };

/** Trends of members that die and are cut off, while devices bring the same samples to all of them. */
export const TRENDS: Partial<Scenario> = {
  ...BUSY,
  ...{ callers: 1, watchers: 0, thinkMs: 1_000, durationMs: 40_000, trends: true },
  ...{ faultEveryMs: 1_500, faultLastsMs: 5_000 },
  faults: ['isolate', 'halves', 'kill', 'kill-all'],
};
