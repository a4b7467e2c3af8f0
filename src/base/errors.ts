/** Every code a caller can meet. Callers branch on the code; people read the message. docs/errors.md is printed from this. */
export type Code =
  // what the caller asked
  | 'USAGE'
  | 'BAD_CONFIG'
  | 'BAD_ADDRESS'
  | 'BAD_REQUEST'
  | 'BAD_RECORDING'
  | 'BAD_RULES'
  // the alerts said no: refusals, part of the replicated history
  | 'ALERT_NOT_FOUND'
  | 'REVISION_MISMATCH'
  | 'ACTIVATION_MISMATCH'
  | 'ALREADY_RESOLVED'
  | 'KEY_REUSED'
  | 'SESSION_EXPIRED'
  | 'REPLY_FORGOTTEN'
  | 'CONFLICT'
  // what operators ask
  | 'CHANGE_REFUSED'
  | 'CONFIRMATION_REQUIRED'
  | 'RECORD_NOT_FOUND'
  | 'OVER_LIMIT'
  | 'NOT_OWNER'
  | 'TOO_BROAD'
  | 'QUOTA_EXCEEDED'
  | 'GUARD_FAILED'
  // what a reader asks for is gone
  | 'CURSOR_EXPIRED'
  // the cluster cannot, now
  | 'NOT_LEADER'
  | 'UNAVAILABLE'
  | 'OVERLOADED'
  | 'DEADLINE_EXCEEDED'
  | 'OUTCOME_UNKNOWN'
  | 'CANCELLED'
  | 'CLOSED'
  // bytes on a connection
  | 'CONNECTION_LOST'
  | 'WRONG_CLUSTER'
  | 'WRONG_REPLICA'
  | 'WRONG_INCARNATION'
  | 'VERSION_UNSUPPORTED'
  | 'FRAME_MALFORMED'
  | 'FRAME_TOO_LONG'
  | 'FRAME_UNKNOWN_TYPE'
  | 'BODY_MALFORMED'
  | 'HANDSHAKE_TIMEOUT'
  // this machine
  | 'ADDRESS_IN_USE'
  | 'DATA_EXISTS'
  | 'DATA_MISSING'
  | 'DATA_LOCKED'
  | 'DATA_OTHER_CLUSTER'
  | 'DATA_NEWER_FORMAT'
  | 'DATA_OLDER_FORMAT'
  | 'DATA_CORRUPT'
  | 'DATA_LOST'
  | 'DISK_FULL'
  | 'DISK_FAILED'
  | 'STATE_DIVERGED'
  | 'INTERNAL';

export interface Meaning {
  /** Whether asking again can help: at once, after a pause, or not without changing something. */
  readonly retry: 'now' | 'later' | 'never';
  /** What became of a write that ended so: surely nothing, surely what was asked, or nobody knows. */
  readonly outcome: 'none' | 'applied' | 'unknown';
  /** Exit status of the command line. */
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 130;
  /** One sentence for the error reference. */
  readonly says: string;
}

const never = (exit: Meaning['exit'], says: string): Meaning => ({
  retry: 'never',
  outcome: 'none',
  exit,
  says,
});
const later = (exit: Meaning['exit'], says: string): Meaning => ({
  retry: 'later',
  outcome: 'none',
  exit,
  says,
});

export const MEANING: Readonly<Record<Code, Meaning>> = {
  USAGE: never(2, 'A flag, an argument or a command is not known or not well formed.'),
  BAD_CONFIG: never(2, 'A configuration file has an unknown key or a value out of range.'),
  BAD_ADDRESS: never(2, 'An address is not a TCP multiaddr such as /ip4/127.0.0.1/tcp/7400.'),
  BAD_REQUEST: never(2, 'A field of the request is missing, of the wrong type or out of range.'),
  BAD_RECORDING: never(2, 'A recording cannot be read; the message names file and line.'),
  BAD_RULES: never(2, 'A rules file cannot be read; the message names the rule and the field.'),
  ALERT_NOT_FOUND: never(3, 'No alert has this id, or none is open under this dedup key.'),
  REVISION_MISMATCH: never(5, 'The alert has changed since the revision the caller named.'),
  ACTIVATION_MISMATCH: never(
    5,
    'The alert was annunciated again since; a new activation needs a new acknowledgement.',
  ),
  ALREADY_RESOLVED: never(5, 'The alert is resolved; nothing leads out of that state.'),
  KEY_REUSED: never(5, 'The idempotency key was used before for a different command.'),
  SESSION_EXPIRED: {
    retry: 'now',
    outcome: 'none',
    exit: 5,
    says: 'The session is over: the command was not carried out. It can be sent again in another session.',
  },
  REPLY_FORGOTTEN: {
    retry: 'never',
    outcome: 'applied',
    exit: 5,
    says: 'The command was carried out before, once; its reply is no longer kept, because the client had it.',
  },
  CONFLICT: never(
    5,
    'Somebody or something is where it cannot be twice: a bed that is taken, a device that is at another one.',
  ),
  CHANGE_REFUSED: never(
    5,
    'A change of who takes part is not safe, or could not be committed now.',
  ),
  CONFIRMATION_REQUIRED: never(
    5,
    'The act is allowed only with `force`, with a `reason`, or with a second person (`confirmedBy`); the message says which.',
  ),
  RECORD_NOT_FOUND: never(3, 'No policy, notification, silence or other record has this id.'),
  OVER_LIMIT: never(5, 'A duration or a number is over the cap for this priority or kind.'),
  QUOTA_EXCEEDED: never(
    5,
    'Too many alerts are open for another one of this priority; clearing and acknowledging still work.',
  ),
  GUARD_FAILED: never(
    5,
    'An alert is not at the revision or in the state that a transaction depends on.',
  ),
  CURSOR_EXPIRED: never(
    5,
    'The list was begun at a revision that the history no longer reaches back to; begin it anew.',
  ),
  TOO_BROAD: never(
    5,
    'A silence or a maintenance window does not say narrowly enough what it is about.',
  ),
  NOT_OWNER: never(
    5,
    'The condition belongs to another source, which alone may raise or clear it.',
  ),
  NOT_LEADER: {
    retry: 'now',
    outcome: 'none',
    exit: 6,
    says: 'This replica does not lead; the error names the one that does, if known.',
  },
  UNAVAILABLE: later(6, 'No replica could be reached, or there is no leader now.'),
  OVERLOADED: later(6, 'The queue is full; nothing was written.'),
  DEADLINE_EXCEEDED: later(6, 'The time allowed ran out before anything was written.'),
  OUTCOME_UNKNOWN: {
    retry: 'now',
    outcome: 'unknown',
    exit: 7,
    says: 'The write may or may not have happened. Repeating it with the same idempotency key is safe.',
  },
  CANCELLED: {
    retry: 'never',
    outcome: 'none',
    exit: 130,
    says: 'The caller gave up before anything was written.',
  },
  CLOSED: never(1, 'The client or replica was closed.'),
  CONNECTION_LOST: later(6, 'The connection broke.'),
  WRONG_CLUSTER: never(5, 'The other side belongs to another cluster.'),
  WRONG_REPLICA: never(5, 'The other side is not the replica that was meant, or is not a member.'),
  WRONG_INCARNATION: never(
    5,
    'The replica of this number is another one: its disk was wiped or replaced, and may have forgotten a promise. Remove it, and add it under a new number.',
  ),
  VERSION_UNSUPPORTED: never(5, 'The two sides have no protocol version in common.'),
  FRAME_MALFORMED: never(1, 'Bytes on a connection are not a frame, or their checksum is wrong.'),
  FRAME_TOO_LONG: never(1, 'A frame announces more bytes than the limit.'),
  FRAME_UNKNOWN_TYPE: never(1, 'A frame has a type this side does not know.'),
  BODY_MALFORMED: never(1, 'The body of a frame is not what its type promises.'),
  HANDSHAKE_TIMEOUT: later(6, 'The other side did not introduce itself in time.'),
  ADDRESS_IN_USE: later(1, 'Another process listens on this address.'),
  DATA_EXISTS: never(5, 'The data folder is already formatted; nothing was touched.'),
  DATA_MISSING: never(3, 'The folder holds no formatted replica; see tocsin format.'),
  DATA_LOCKED: later(5, 'Another process uses this data folder.'),
  DATA_OTHER_CLUSTER: never(5, 'The data folder belongs to another cluster or replica.'),
  DATA_NEWER_FORMAT: never(5, 'The data folder, or the log, was written by a newer version.'),
  DATA_OLDER_FORMAT: never(
    5,
    'A snapshot was written by an older version that this one cannot read: serve it with that version, or let a new replica fetch what it needs.',
  ),
  DATA_CORRUPT: never(1, 'The data folder holds a damaged record; the replica refuses to guess.'),
  DATA_LOST: never(
    1,
    'The same entries are damaged on every replica; only an operator can decide to go on without them.',
  ),
  DISK_FULL: later(6, 'The disk has no room left; nothing that was acknowledged is lost.'),
  DISK_FAILED: never(
    1,
    'The disk reported an error; the replica stopped rather than risk a false yes.',
  ),
  STATE_DIVERGED: never(
    1,
    'The state of this replica differs from that of a majority; it serves nobody until it is rebuilt.',
  ),
  INTERNAL: never(1, 'A bug. Please report it with the message.'),
};

/** What a caller may add so that the other end can act on it. */
export interface ErrorDetails {
  /** Multiaddr of the replica that leads, when known (NOT_LEADER). */
  readonly leader?: string | undefined;
  readonly cause?: unknown;
}

const MARK = Symbol.for('tocsin.error');

/** The one error class. `retryable` and `outcome` follow from the code (see MEANING). */
export class TocsinError extends Error {
  override readonly name = 'TocsinError';
  readonly code: Code;
  readonly leader: string | undefined;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.leader = details.leader;
    Object.defineProperty(this, MARK, { value: true });
  }

  get retryable(): boolean {
    return MEANING[this.code].retry !== 'never';
  }

  get outcome(): Meaning['outcome'] {
    return MEANING[this.code].outcome;
  }

  /** Recognises an error of this class even from a second copy of the package. */
  static is(value: unknown): value is TocsinError {
    return typeof value === 'object' && value !== null && MARK in value;
  }
}

export const isCode = (value: unknown): value is Code =>
  typeof value === 'string' && Object.hasOwn(MEANING, value);
