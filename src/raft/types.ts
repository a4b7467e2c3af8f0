import type { LogIndex, ReplicaId, Term } from '../base/ids.ts';
import type { Configuration, SnapshotPoint } from './configuration.ts';

/**
 * The vocabulary of agreement. Everything here is plain data; the core neither reads nor writes the bytes of a
 * payload, it only counts them.
 */

/** What an entry carries. The shell knows what is inside; the core needs only its size, and who takes part. */
export interface Payload {
  readonly byteLength: number;
  /** Of an entry that changes who takes part: in force from the moment it is appended. */
  readonly configuration?: Configuration | undefined;
}

/** One numbered place in the log. `index` and `term` together name its content for ever (log matching, §5.3). */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly payload: Payload;
}

/** Index and term of an entry; `{0, 0}` is the place before the first one. */
export interface EntryId {
  readonly index: LogIndex;
  readonly term: Term;
}

/** What must be durable before a message that depends on it leaves (Figure 2, "persistent state"). */
export interface HardState {
  readonly term: Term;
  /** Whom this replica voted for in `term`; undefined = nobody yet. */
  readonly vote: ReplicaId | undefined;
  /** A commit index known once; a hint for the restart, allowed to be old. */
  readonly commit: LogIndex;
  /** A vote may have been forgotten: see `RaftInit.abstain`. */
  readonly abstain?: true | undefined;
}

interface Envelope {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  /** The sender's term. For a pre-vote request and its grant, the term the sender would campaign in. */
  readonly term: Term;
}

/** Asks for a vote (§5.2), or whether one would be given (pre-vote, thesis §9.6). */
export interface VoteRequest extends Envelope {
  readonly type: 'vote-request';
  readonly pre: boolean;
  /** The candidate's last entry: a voter refuses a log behind its own (§5.4.1). */
  readonly last: EntryId;
  /** Campaigning by the leader's order: passes pre-vote and the leader's lease (thesis §3.10). */
  readonly transfer: boolean;
}

export interface VoteReply extends Envelope {
  readonly type: 'vote-reply';
  readonly pre: boolean;
  readonly granted: boolean;
}

/** Replicates entries (§5.3). With no entries it probes, or carries a new commit index. */
export interface AppendRequest extends Envelope {
  readonly type: 'append-request';
  /** The entry just before `entries`: the follower accepts only if it holds the same. */
  readonly prev: EntryId;
  /** Contiguous from `prev.index + 1`; terms never fall and never pass `term`. */
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
}

/** Answers an append. Sent only when everything up to `match` is durable on the sender. */
export interface AppendReply extends Envelope {
  readonly type: 'append-reply';
  readonly accepted: boolean;
  /** Accepted: the last index known to equal the leader's. Refused: the `prev.index` that was refused. */
  readonly index: LogIndex;
  /** Refused: the follower's best guess where the logs still agree. Accepted: same as `index`. */
  readonly hint: EntryId;
  /** Refused by one whose disk may have forgotten what it acknowledged: what it is believed to hold is to be found out anew. */
  readonly reverted?: true | undefined;
}

/** Keeps followers from campaigning, tells them the commit index, and confirms leadership for reads (§6.4). */
export interface Heartbeat extends Envelope {
  readonly type: 'heartbeat';
  /** Never above what the receiver is known to hold. */
  readonly commit: LogIndex;
  /** The newest read round this heartbeat confirms; 0 = none. */
  readonly round: number;
  /** The leader's monotonic clock when it was sent, in milliseconds; 0 = not told. Means something to the leader only. */
  readonly stamp: number;
  /** A `beat` of the receiver that reached the leader before a quorum confirmed its reign; 0 = none. */
  readonly echo: number;
  /** Whoever has applied everything up to here knows all that was committed when that beat was sent. */
  readonly reached: LogIndex;
}

export interface HeartbeatReply extends Envelope {
  readonly type: 'heartbeat-reply';
  readonly round: number;
  /** As in the heartbeat that it answers. */
  readonly stamp: number;
  /** Names this answer among all that its sender ever gives. */
  readonly beat: number;
  /** The sender would not take the lead: it rests, or abstains. */
  readonly declines?: true | undefined;
}

/** Asks the leader how far a linearizable read must see (ReadIndex through a follower, thesis §6.4). */
export interface ReadIndex extends Envelope {
  readonly type: 'read-index';
  /** Within the sender's term, names the question; those asked later have higher numbers. */
  readonly sequence: number;
}

export interface ReadIndexReply extends Envelope {
  readonly type: 'read-index-reply';
  readonly sequence: number;
  /** False: the receiver must ask again, elsewhere or later. */
  readonly accepted: boolean;
  /** Reads asked up to `sequence` may be answered once this is applied. */
  readonly index: LogIndex;
}

/** The leader's order to campaign at once (leader transfer, thesis §3.10). */
export interface TimeoutNow extends Envelope {
  readonly type: 'timeout-now';
  /** The receiver must hold this entry, or ignore the order. */
  readonly last: EntryId;
}

/** The leader's log no longer holds what the receiver lacks: it is to fetch a snapshot (§7). */
export interface SnapshotOffer extends Envelope {
  readonly type: 'snapshot-offer';
  /** What the snapshot must reach at least; committed. */
  readonly last: EntryId;
}

export type Message =
  | VoteRequest
  | VoteReply
  | AppendRequest
  | AppendReply
  | Heartbeat
  | HeartbeatReply
  | TimeoutNow
  | SnapshotOffer
  | ReadIndex
  | ReadIndexReply;

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/** A linearizable read that may be answered once `index` is applied. */
export interface ReadState {
  readonly context: number;
  readonly index: LogIndex;
}

/** A peer lags behind what memory holds: the shell reads `from`… and hands it back with `entriesRead`. */
export interface LogRead {
  readonly peer: ReplicaId;
  readonly from: LogIndex;
  readonly bytesMax: number;
}

/** A snapshot takes the place of the log up to `index`. */
export interface SnapshotInstall extends SnapshotPoint {
  /** The entries after `index` stay: the log held the snapshot's last entry. Otherwise all of them go. */
  readonly keepsLog: boolean;
}

/**
 * What the shell owes the core after a step. The order of the fields is the order of duty:
 *
 *  1. `send` may leave at once, in parallel with the disk (thesis §10.2.1).
 *  2. `snapshot`, `truncateFrom`, `append` and `hardState` become durable together, in that order, in one synced write.
 *  3. `sendAfterSync` leaves only then; a message addressed to this replica itself is stepped back in.
 *  4. `committed` may be applied, in order, durable here or not: a quorum holds it.
 *
 * Writes of successive Readys must become durable in the order they were taken.
 */
export interface Ready {
  readonly send: readonly Message[];
  /** The snapshot given to `restore` is taken over: the state is what it holds, and the log begins after it. */
  readonly snapshot: SnapshotInstall | undefined;
  readonly truncateFrom: LogIndex | undefined;
  readonly append: readonly Entry[];
  readonly hardState: HardState | undefined;
  readonly sendAfterSync: readonly Message[];
  /** Everything up to here may be applied. Never falls. */
  readonly committed: LogIndex;
  /** Reads that are confirmed: answer each once its index is applied. */
  readonly reads: readonly ReadState[];
  /** Reads that cannot be answered here any more: the caller must ask again. */
  readonly readsDropped: readonly number[];
  readonly logReads: readonly LogRead[];
  /** The leader can no longer send what is missing here: fetch a snapshot of at least that, then call `restore`. Repeated. */
  readonly snapshotOffer: SnapshotOffer | undefined;
}

/** Who leads, as far as this replica knows. */
export interface Standing {
  readonly role: Role;
  readonly term: Term;
  readonly leader: ReplicaId | undefined;
  /** The leader is being asked to hand over; proposals are refused meanwhile. */
  readonly transferring: boolean;
}

export type ProposeResult =
  | { readonly ok: true; readonly id: EntryId }
  | { readonly ok: false; readonly reason: 'not-leader' | 'overloaded' | 'transferring' };
