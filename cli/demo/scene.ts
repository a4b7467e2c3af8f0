import type { Alert, AlertEvent, Priority } from '../../src/statemachine/types.ts';

/** All that the live table shows, as plain data: what is not in here is not on the screen. */
export interface Scene {
  readonly elapsedMs: number;
  readonly durationMs: number;
  readonly seed: number;
  /** Seconds of ward time for each second. */
  readonly speed: number;
  readonly beds: readonly BedScene[];
  /** In order of id. */
  readonly replicas: readonly ReplicaScene[];
  /** The newest last. */
  readonly events: readonly AlertEvent[];
  /** What happened to the cluster and to the demo itself, the newest last. */
  readonly story: readonly string[];
  readonly counts: AlertCounts;
  /** How to look at the same cluster from elsewhere. */
  readonly hint: string;
}

export interface BedScene {
  /** `B01` … */
  readonly bed: string;
  /** The newest sample of each of WARD_METRICS; NaN = missing. */
  readonly values: readonly number[];
  /** Priority of the worst alert about each of WARD_METRICS whose condition is present. */
  readonly alarms: readonly (Priority | undefined)[];
  /** The highest priority of the bed's open alerts, and whether all of them are acknowledged. */
  readonly worst: Pick<Alert, 'priority' | 'acknowledged'> | undefined;
}

export interface ReplicaScene {
  readonly id: number;
  /** `leader`, `follower` and so on; `down` = no process; `starting`; `silent` = no answer. */
  readonly state: string;
  readonly term: number | undefined;
  readonly commit: number | undefined;
  readonly applied: number | undefined;
}

/** What the commands of ward and nurse did. */
export interface AlertCounts {
  readonly raised: number;
  readonly acknowledged: number;
  readonly cleared: number;
  readonly open: number;
}
