import { logIndex, replicaId, revision, term, unixMillis } from '../../../src/base/ids.ts';
import type { Alert, AlertEvent } from '../../../src/statemachine/types.ts';
import type { ReplicaStatus } from '../../../src/wire/clients/status.ts';

/** What a healthy cluster holds and says, to be changed where a test needs it. */

/** 2026-03-01T03:04:05Z. */
export const NOW = 1_772_334_245_000;
export const CLUSTER = '3f2a9c0d4b5e6f708192a3b4c5d6e7f8';

export const anAlert = (changes: Partial<Alert> = {}): Alert => ({
  id: 'A1042',
  dedupKey: 'bed:B12:HR:HI',
  occurrence: 1,
  previous: undefined,
  activation: 1,
  activatedAt: revision(1042),
  flaps: 0,
  kind: 'physiological',
  basePriority: 'high',
  priority: 'high',
  condition: 'HR:HI',
  text: 'Heart rate high',
  subject: { unit: 'ED', bed: 'B12' },
  cause: undefined,
  labels: {},
  presence: 'present',
  acknowledged: false,
  acknowledgements: [],
  acknowledgementSeconds: undefined,
  acknowledgedUntil: undefined,
  escalation: undefined,
  responsibility: undefined,
  pausedUntil: undefined,
  staleSince: undefined,
  latching: false,
  resetAfterClear: false,
  acknowledgementRequired: false,
  resolution: undefined,
  count: 1,
  raisedAt: unixMillis(NOW - 192_000),
  lastSeenAt: unixMillis(NOW - 4_000),
  clearedAt: undefined,
  observedAt: unixMillis(NOW - 4_000),
  version: 1,
  revision: revision(1042),
  ...changes,
});

export const anEvent = (changes: Partial<AlertEvent> = {}): AlertEvent => ({
  revision: revision(1042),
  index: logIndex(17),
  time: unixMillis(NOW),
  observedAt: unixMillis(NOW),
  effect: 'raised',
  actor: 'mon-3',
  alert: anAlert(),
  ...changes,
});

const ADDRESSES: readonly string[] = [1, 2, 3].map((id) => `/ip4/10.0.0.${id}/tcp/7400`);

export const aStatus = (id = 1, changes: Partial<ReplicaStatus> = {}): ReplicaStatus => ({
  replicaId: replicaId(id),
  clusterId: CLUSTER,
  role: id === 1 ? 'leader' : 'follower',
  term: term(4),
  leader: replicaId(1),
  leaderAddress: ADDRESSES[0],
  commit: logIndex(1_234),
  applied: logIndex(1_234),
  lastIndex: logIndex(1_234),
  revision: revision(1_042),
  digest: '00c0ffee00beef',
  uptimeMs: 18_120_000,
  agent: 'tocsin/0.1.0',
  openAlerts: 12,
  alarms: [],
  incarnation: 0,
  members: ADDRESSES.map((address, at) => ({ id: replicaId(at + 1), address })),
  ...changes,
});
