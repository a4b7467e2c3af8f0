import type { Clock } from '../base/clock.ts';
import type { ReplicaId } from '../base/ids.ts';
import type { AlertLimits } from '../statemachine/alert-limits.ts';
import type { AlertMachine } from '../statemachine/machine.ts';
import type { Identity, LogStore, Restored } from '../storage/types.ts';
import type { Transport } from '../transport/types.ts';
import type { Hello } from '../wire/handshake.ts';
import type { TrendsFeed } from './peers/trends-feed.ts';
import type { RulesFeed } from './pipeline/rules-feed.ts';
import type { MachineOptions } from './snapshots/machine-image.ts';
import type { SnapshotPolicy } from './snapshots/snapshotter.ts';
import type { Turns } from './turns.ts';

/** What a replica runs on. Production passes disk, sockets and clock; the simulator virtual ones. */
export interface ReplicaParts {
  readonly identity: Identity;
  readonly restored: Restored;
  /** The one in the restored snapshot, or a new one. */
  readonly machine: AlertMachine;
  readonly store: LogStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly turns: Turns;
  /** Decides election time-outs, and where things lie in memory; nothing that replicas must share. */
  readonly seed: number;
  readonly agent: string;
  readonly log: (line: string) => void;
  /** The replica must not go on: its disk failed, its log is damaged, or a bug showed. Called once. */
  readonly onFault: (error: unknown) => void;
  /** Of the state machine; all replicas must be told the same. @defaultValue those of production */
  readonly limits?: Partial<AlertLimits> | undefined;
  /** Which alerts are packed, and how. @defaultValue the limits */
  readonly packing?: MachineOptions['packing'];
  /** Events kept for watchers that resume. @defaultValue HISTORY_EVENTS_MAX */
  readonly historyEventsMax?: number;
  /** Leaders answer reads of the level `lease` by themselves; all replicas must be told the same. @defaultValue false */
  readonly leases?: boolean | undefined;
  /** Told of the rules that samples are judged by. */
  readonly rules?: RulesFeed | undefined;
  /** Where its trend tier listens, which the other members are told; undefined = it has none. */
  readonly trend?: string | undefined;
  /** Told of the trend tiers of the other members. */
  readonly trends?: TrendsFeed | undefined;
  /** @defaultValue the limits */
  readonly snapshots?: SnapshotPolicy | undefined;
}

/** How a replica introduces itself to peers; the lane is the caller's to set. */
export function helloOf({
  identity,
  agent,
  trend,
}: Pick<ReplicaParts, 'identity' | 'agent' | 'trend'>): Hello & { readonly replicaId: ReplicaId } {
  const { clusterId, replicaId, incarnation, joining } = identity;
  return {
    ...{ role: 'peer', lane: 'control', clusterId, replicaId, incarnation, agent, trend },
    joined: joining === true || undefined,
  };
}
