import type { LogIndex, ReplicaId, Revision, Term } from '../../base/ids.ts';
import type { Role } from '../../raft/types.ts';
import type { MemberRole } from '../peers/members.ts';

/** What a replica tells of itself: as of the moment it was asked, from its own knowledge alone. */
export interface ReplicaStatus {
  readonly replicaId: ReplicaId;
  /** Of its data folder; 0 = it was not told. */
  readonly incarnation: number;
  /** 32 hex digits. */
  readonly clusterId: string;
  readonly role: Role;
  readonly term: Term;
  /** Who leads, as far as this replica knows. */
  readonly leader: ReplicaId | undefined;
  /** Multiaddr of the leader. */
  readonly leaderAddress: string | undefined;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly lastIndex: LogIndex;
  readonly revision: Revision;
  /** Hash of the applied state, 14 to 16 hex digits: equal at equal `applied` on all replicas. */
  readonly digest: string;
  readonly uptimeMs: number;
  /** Program and version. */
  readonly agent: string;
  readonly openAlerts: number;
  /** In order of id. */
  readonly members: readonly ReplicaAddress[];
  /** What an operator should look at; empty when all is well. */
  readonly alarms: readonly Alarm[];
  /** Where the time of commands went on this replica, since it was started: all but the syncs while it led. */
  readonly stages?: readonly StageTime[];
}

export const STAGES = ['queue', 'sync', 'quorum', 'apply'] as const;

/** One part of the way of an entry, in microseconds. */
export interface StageTime {
  /**
   * queue: until it has a place in the log. sync: one write of the replica's own disk. quorum: from its place until it is
   * committed, syncs included. apply: from then until the replies leave.
   */
  readonly name: (typeof STAGES)[number];
  /** Entries, or writes. */
  readonly count: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Something that is wrong and that the replica lives with. */
export interface Alarm {
  /** For programs: a few words in small letters with hyphens. */
  readonly name: string;
  /** One line for people. */
  readonly says: string;
}

export interface ReplicaAddress {
  readonly id: ReplicaId;
  /** Multiaddr. */
  readonly address: string;
  /** Absent = it was not told. */
  readonly roles?: readonly MemberRole[];
  readonly priority?: number;
}
