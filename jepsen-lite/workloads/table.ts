import { type Mix, NO_MIX } from '../../src/testing/workload/caller.ts';
import { alertWorkload } from './alerts.ts';
import { escalationWorkload } from './escalation.ts';
import { transferWorkload } from './transfers.ts';
import type { Workload } from './workload.ts';

const CYCLE: Mix = {
  ...NO_MIX,
  raise: 3,
  clear: 2,
  acknowledge: 2,
  get: 2,
  list: 1,
  guarded: 0.2,
  local: 0.1,
  keys: 20,
  units: 4,
  aimed: 0.85,
};

export const WORKLOADS = [
  'mixed',
  'register',
  'unique',
  'lifecycle',
  'watch',
  'list',
  'sessions',
  'escalation',
  'transfers',
] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

const KNOWN: Readonly<Record<Exclude<WorkloadName, 'mixed'>, Workload>> = {
  // Compare-and-set on few conditions, with many reads.
  register: alertWorkload('register', {
    ...NO_MIX,
    raise: 3,
    clear: 1,
    acknowledge: 1,
    get: 5,
    guarded: 0.8,
    keys: 5,
    aimed: 0.85,
  }),
  // Each raise under a key of its own: lost and doubled ones cannot hide.
  unique: alertWorkload('unique', { ...NO_MIX, raise: 1, keys: 1_000_000_000 }),
  lifecycle: alertWorkload('lifecycle', CYCLE),
  watch: alertWorkload('watch', CYCLE, { watchers: 8 }),
  list: alertWorkload('list', { ...CYCLE, get: 0, list: 6, local: 0 }),
  // Leases shorter than many a fault, and callers that come and go.
  sessions: alertWorkload('sessions', CYCLE, {
    reconnectAfter: 10,
    session: { leaseSeconds: 1, window: 16 },
  }),
  escalation: escalationWorkload,
  transfers: transferWorkload,
};

/** What the callers do, each in its turn; `mixed` gives every caller another kind of work. */
export const workloadsOf = (name: WorkloadName): readonly Workload[] =>
  name === 'mixed' ? Object.values(KNOWN) : [KNOWN[name]];
