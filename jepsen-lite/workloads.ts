import type { Mix } from '../src/testing/workload/caller.ts';

export const WORKLOADS = [
  'mixed',
  'register',
  'unique',
  'lifecycle',
  'watch',
  'list',
  'sessions',
] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

export interface Workload {
  readonly name: Exclude<WorkloadName, 'mixed'>;
  readonly mix: Mix;
  readonly watchers: number;
  /** Operations after which a caller connects anew; undefined = never. */
  readonly reconnectAfter: number | undefined;
}

const NOTHING: Mix = {
  raise: 0,
  clear: 0,
  acknowledge: 0,
  get: 0,
  list: 0,
  guarded: 0,
  local: 0,
  keys: 1,
  units: 1,
};

const CYCLE: Mix = {
  ...NOTHING,
  raise: 3,
  clear: 2,
  acknowledge: 2,
  get: 2,
  list: 1,
  guarded: 0.2,
  local: 0.1,
  keys: 20,
  units: 4,
};

const KNOWN: readonly Workload[] = [
  {
    // Compare-and-set on few conditions, with many reads.
    name: 'register',
    mix: { ...NOTHING, raise: 3, clear: 1, acknowledge: 1, get: 5, guarded: 0.8, keys: 5 },
    watchers: 1,
    reconnectAfter: undefined,
  },
  {
    // Each raise under a key of its own: lost and doubled ones cannot hide.
    name: 'unique',
    mix: { ...NOTHING, raise: 1, keys: 1_000_000_000 },
    watchers: 1,
    reconnectAfter: undefined,
  },
  { name: 'lifecycle', mix: CYCLE, watchers: 1, reconnectAfter: undefined },
  { name: 'watch', mix: CYCLE, watchers: 8, reconnectAfter: undefined },
  {
    name: 'list',
    mix: { ...CYCLE, get: 0, list: 6, local: 0 },
    watchers: 1,
    reconnectAfter: undefined,
  },
  { name: 'sessions', mix: CYCLE, watchers: 1, reconnectAfter: 10 },
];

/** What the callers do, each in its turn; `mixed` gives every caller another kind of work. */
export const workloadsOf = (name: WorkloadName): readonly Workload[] =>
  name === 'mixed' ? KNOWN : KNOWN.filter((workload) => workload.name === name);
