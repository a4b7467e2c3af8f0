import { Prng } from '../../base/prng.ts';
import type { Mix } from '../workload/caller.ts';

/** Every kind of fault there is. A run draws which of them it has at all. */
export const FAULTS = [
  'kill',
  'kill-all',
  'pause',
  'isolate',
  'halves',
  'bridge',
  'ring',
  'one-way',
  'reset',
  'slow-link',
  'loss',
  'duplicate',
  'reorder',
  'client-cut',
  'disk-slow',
  'disk-stuck',
  'disk-write-error',
  'disk-read-error',
  'disk-rot',
  'disk-torn',
  'disk-misdirected',
  'disk-state',
  'disk-forgets',
  'disk-wiped',
  'disks-swapped',
  'snapshot-rot',
  'disk-full',
  'clock-jump',
  'hand-over',
  'members',
  'rot-in-use',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Those that take away what was acknowledged. */
export const LOSSES: readonly Fault[] = [
  'disk-rot',
  'disk-torn',
  'disk-misdirected',
  'disk-state',
  'disk-forgets',
  'disk-wiped',
  'snapshot-rot',
  'rot-in-use',
];

/** One run, as its seed draws it: swarm testing leaves much out of each, so that what is left meets undisturbed. */
export interface Scenario {
  readonly seed: number;
  readonly replicas: number;
  readonly callers: number;
  readonly watchers: number;
  readonly mix: Mix;
  /** Milliseconds a caller thinks between two operations, in the mean. */
  readonly thinkMs: number;
  /** Virtual milliseconds of the part with faults. */
  readonly durationMs: number;
  readonly faults: readonly Fault[];
  /** Milliseconds between two faults, in the mean. */
  readonly faultEveryMs: number;
  /** Milliseconds that a fault with an end lasts, in the mean. */
  readonly faultLastsMs: number;
  readonly netDelayMs: number;
  readonly diskMs: number;
  /** Entries after which a replica takes a snapshot and shortens its log; undefined = never, in so short a time. */
  readonly snapshotEvery: number | undefined;
  /** Replicas that nobody starts again when all else is healed: what is left must be a quorum, and must do. */
  readonly leftDead: number;
  /** How far clocks may run fast or slow: 0.1 = from 0.9 to 1.1. */
  readonly drift: number;
  /** Commands have places in sessions of the cluster. */
  readonly sessions: boolean;
  /** Alerts are raised under a policy, and answered or not. */
  readonly escalations: boolean;
  /** The trend tier runs beside the alerts, in the same processes. */
  readonly trends: boolean;
  /** Some processes, drawn anew at each start, are of a build that speaks a later version of the wire format too. */
  readonly mixedVersions: boolean;
}

export function drawScenario(seed: number): Scenario {
  const prng = new Prng(seed).fork(1);
  const keys = prng.between(1, 8);
  const density = prng.unit();
  const replicas = prng.pick([1, 3, 3, 3, 3, 5, 5]);
  const drawn = FAULTS.filter((fault) => fault !== 'rot-in-use' && prng.chance(density));
  const losses = prng.fork(1);
  const more = prng.fork(2);
  const scenario = {
    seed,
    replicas,
    callers: prng.between(1, 6),
    watchers: prng.between(0, 3),
    mix: {
      raise: prng.between(1, 4),
      clear: prng.between(0, 2),
      acknowledge: prng.between(0, 2),
      get: prng.between(0, 4),
      list: prng.between(0, 1),
      guarded: prng.unit() / 2,
      local: prng.unit() / 4,
      keys,
      units: prng.between(1, keys),
    },
    thinkMs: prng.pick([50, 100, 200, 400, 1_000, 3_000]),
    durationMs: prng.between(10_000, 120_000),
    faults: drawn,
    faultEveryMs: prng.pick([300, 1_000, 3_000, 10_000]),
    faultLastsMs: prng.pick([100, 500, 2_000, 5_000]),
    netDelayMs: prng.pick([0.2, 1, 5, 30]),
    diskMs: prng.pick([0.3, 1, 5, 30]),
    snapshotEvery: prng.pick([undefined, 10, 40, 160]),
    leftDead: losses.chance(0.3) ? losses.between(0, Math.floor((replicas - 1) / 2)) : 0,
    drift: prng.pick([0, 0, 0.01, 0.1]),
    sessions: more.chance(0.4),
    escalations: more.chance(0.4),
    mixedVersions: more.chance(0.3),
    trends: prng.fork(3).chance(0.15),
  };
  // Comes last: what is drawn here shifts nothing that a seed means beside it.
  const rots = prng.fork(4).chance(density);
  return rots ? { ...scenario, faults: [...drawn, 'rot-in-use'] } : scenario;
}
