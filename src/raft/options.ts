import {
  APPEND_BYTES_MAX,
  APPEND_ENTRIES_MAX,
  ELECTION_TICKS_MAX,
  ELECTION_TICKS_MIN,
  HEARTBEAT_TICKS,
  INFLIGHT_APPENDS_MAX,
  INFLIGHT_BYTES_MAX,
  LOG_MEMORY_BYTES_MAX,
  READS_PENDING_MAX,
  UNCOMMITTED_BYTES_MAX,
} from '../base/limits.ts';

/** Knobs of the core. Times are in ticks. */
export interface RaftOptions {
  readonly heartbeatTicks: number;
  /** A follower campaigns after so many ticks of silence, drawn anew each time between these two, both included. */
  readonly electionTicksMin: number;
  readonly electionTicksMax: number;
  readonly appendBytesMax: number;
  readonly appendEntriesMax: number;
  readonly inflightAppendsMax: number;
  readonly inflightBytesMax: number;
  /** Bytes of entries proposed and not committed; beyond it proposals are refused. */
  readonly uncommittedBytesMax: number;
  readonly logMemoryBytesMax: number;
  readonly readsPendingMax: number;
  /**
   * How long after a heartbeat that a quorum answered its leader may answer reads by itself, in milliseconds; 0 = never.
   * All replicas must be told the same, for with it they keep to a leader whose connection broke. @see LEASE_MS
   */
  readonly leaseMs: number;
  /**
   * How long a commit may wait for the next append to carry it to the followers, in milliseconds; 0 = it is told at once, in
   * a message of its own. A heartbeat tells it in any case.
   */
  readonly commitNoticeMs: number;
  /** How long a round of reads may keep the next one waiting, in milliseconds; 0 = not at all. */
  readonly readRoundMs: number;
}

export const DEFAULT_OPTIONS: RaftOptions = {
  heartbeatTicks: HEARTBEAT_TICKS,
  electionTicksMin: ELECTION_TICKS_MIN,
  electionTicksMax: ELECTION_TICKS_MAX,
  appendBytesMax: APPEND_BYTES_MAX,
  appendEntriesMax: APPEND_ENTRIES_MAX,
  inflightAppendsMax: INFLIGHT_APPENDS_MAX,
  inflightBytesMax: INFLIGHT_BYTES_MAX,
  uncommittedBytesMax: UNCOMMITTED_BYTES_MAX,
  logMemoryBytesMax: LOG_MEMORY_BYTES_MAX,
  readsPendingMax: READS_PENDING_MAX,
  leaseMs: 0,
  commitNoticeMs: 0,
  readRoundMs: 0,
};
