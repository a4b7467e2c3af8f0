import type { Code } from '../base/errors.ts';
import type { LogIndex, Revision, UnixMillis } from '../base/ids.ts';

/**
 * The vocabulary of alerts. All of it is plain, immutable data; a record is replaced, never changed. Nothing else of this
 * folder is imported here, so that everything may import it: `commands.ts` gathers the commands of all.
 */

/** `A` and the revision at which the occurrence began, for example `A1042`: short enough to say on the telephone. */
export type AlertId = `A${number}`;

/** Physiological: the patient. Technical: the equipment, this store included. Advisory: for information (IEEE 11073-10207). */
export type Kind = 'physiological' | 'technical' | 'advisory';

/** High: act at once. Medium: act promptly. Low: be aware (IEC 60601-1-8). None: for the record only. */
export type Priority = 'high' | 'medium' | 'low' | 'none';

/** Whom or what an alert is about. Pseudonymous references only, never a name. */
export interface Subject {
  readonly unit?: string;
  readonly bed?: string;
  readonly patient?: string;
  readonly device?: string;
}

/** What made the rule speak; recorded with the limit in force (IEC 60601-1-8, 6.12.2). */
export interface Cause {
  readonly metric: string;
  /** The sample that decided; null = no valid sample was the reason. */
  readonly value: number | null;
  /** Unit of `value` and `limit`, in UCUM: `/min`, `%`, `mm[Hg]`, `Cel`. */
  readonly unit?: string;
  readonly limit?: number;
  /** Rule and version, for example `hr-high@1`. */
  readonly rule?: string;
}

/** An alert by its id, or the open one under a dedup key. */
export type AlertRef = { readonly id: AlertId } | { readonly dedupKey: string };

/** What every command says of itself. */
export interface Asked {
  /** Who asks: a user, a device, a service. */
  readonly actor: string;
  /** When it was seen or done at the far end, by that end's clock; the log has its own time. */
  readonly observedAt: UnixMillis;
}

/** What every command about an alert may carry. */
export interface Guarded extends Asked {
  /** Refuse with REVISION_MISMATCH unless the alert's revision is this. */
  readonly expectedRevision?: Revision;
}

/** The condition `dedupKey` is present: opens an occurrence, or continues the open one (T1 to T6). */
export interface RaiseCommand extends Guarded {
  readonly type: 'raise';
  /** Names the condition, not the occurrence: `ns:subject:source:code:side`. At most one occurrence of it is open. */
  readonly dedupKey: string;
  readonly kind: Kind;
  readonly priority: Priority;
  /** What is wrong, as a code: `HR:HI`. */
  readonly condition: string;
  /** The same for people. */
  readonly text: string;
  readonly subject: Subject;
  readonly cause?: Cause;
  /** Stays on after the condition is gone, until somebody acknowledges it. */
  readonly latching: boolean;
  /**
   * Of a latching alert: an acknowledgement while the condition is present does not end it, somebody has to look again when it
   * is gone. Absent = no.
   */
  readonly resetAfterClear?: boolean;
  /** Somebody has to acknowledge it even when the condition is gone before anybody did. */
  readonly acknowledgementRequired: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  /** An acknowledgement holds for so many seconds, then the alert is annunciated again; absent = without end. */
  readonly acknowledgementSeconds?: number;
  /** Escalation policy of a new occurrence; absent = the policy `default`, if there is one. */
  readonly policy?: string;
}

/** The condition is gone (T7, T8). */
export interface ClearCommand extends Guarded {
  readonly type: 'clear';
  readonly target: AlertRef;
}

/** Somebody has seen it and takes charge (T9 to T11). */
export interface AcknowledgeCommand extends Guarded {
  readonly type: 'acknowledge';
  readonly target: AlertRef;
  /** The activation that was seen; a newer one needs a new acknowledgement. */
  readonly activation?: number;
  readonly note?: string;
}

/** The commands that come with each turn of a condition; the others are rare. */
export type ConditionCommand = RaiseCommand | ClearCommand | AcknowledgeCommand;

export type Presence = 'present' | 'cleared';

export interface Acknowledgement {
  readonly by: string;
  readonly at: UnixMillis;
  readonly activation: number;
  readonly note?: string;
}

export interface Resolution {
  readonly how: 'auto' | 'acknowledged' | 'manual' | 'discharged' | 'entered-in-error';
  readonly by: string;
  readonly at: UnixMillis;
  readonly reason?: string;
  /** Who else agreed, where one person alone was not enough. */
  readonly confirmedBy?: string;
}

/** Who answers for an alert. It says nothing of acknowledgement (IEC 60601-1-8, distributed alarm systems). */
export type Responsibility =
  | { readonly state: 'offered'; readonly to: readonly string[]; readonly at: UnixMillis }
  | { readonly state: 'accepted'; readonly by: string; readonly at: UnixMillis }
  | { readonly state: 'rejected'; readonly by: string; readonly at: UnixMillis };

/**
 * Where an alert stands in the policy that was in force when it was opened. The steps of a loop are carried out one after
 * another; each waits its time before the next. `dueAt` stands in the record, so it outlives leaders, and a step that
 * was carried out is past: it cannot happen twice.
 */
export interface EscalationState {
  readonly policy: string;
  readonly version: number;
  readonly loop: number;
  /** The step that is next, from 0; as many as there are = the loop is at its end. */
  readonly step: number;
  /** When the next step is due; undefined = it waits for nothing: acknowledged, of too low a priority, or exhausted. */
  readonly dueAt: UnixMillis | undefined;
  /** All loops are over and nobody answered. */
  readonly exhausted: boolean;
}

/** One life of an alert, on axes that do not depend on each other (domain model A.2). */
export interface Alert {
  readonly id: AlertId;
  readonly dedupKey: string;
  /** How many lives this condition has had, this one included. */
  readonly occurrence: number;
  readonly previous: AlertId | undefined;
  /** Annunciations within this occurrence; starts at 1. */
  readonly activation: number;
  /** Revision at which the activation in force began. */
  readonly activatedAt: Revision;
  /** Times in a row that the condition came back at once after it had ended: chattering. Counted, never suppressed. */
  readonly flaps: number;
  readonly kind: Kind;
  /** As first raised. */
  readonly basePriority: Priority;
  /** As it stands. */
  readonly priority: Priority;
  readonly condition: string;
  readonly text: string;
  readonly subject: Subject;
  readonly cause: Cause | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly presence: Presence;
  readonly acknowledged: boolean;
  /** First come first, bounded; the first is never overwritten. */
  readonly acknowledgements: readonly Acknowledgement[];
  /** How long an acknowledgement holds; undefined = without end. */
  readonly acknowledgementSeconds: number | undefined;
  /** When the acknowledgement in force ends; undefined = there is none, or it does not end. */
  readonly acknowledgedUntil: UnixMillis | undefined;
  /** Undefined when no policy applies. */
  readonly escalation: EscalationState | undefined;
  /** Undefined = nobody was asked, or nobody answered. */
  readonly responsibility: Responsibility | undefined;
  /** Its sound is off until then; it is shown all the same. */
  readonly pausedUntil: UnixMillis | undefined;
  /** Its source was lost then: nobody knows whether the condition is still there. */
  readonly staleSince: UnixMillis | undefined;
  readonly latching: boolean;
  readonly resetAfterClear: boolean;
  readonly acknowledgementRequired: boolean;
  readonly resolution: Resolution | undefined;
  /** Raises that found this occurrence, the first included. */
  readonly count: number;
  readonly raisedAt: UnixMillis;
  readonly lastSeenAt: UnixMillis;
  readonly clearedAt: UnixMillis | undefined;
  /** By the source's clock, of the newest raise or clear. */
  readonly observedAt: UnixMillis;
  /** Changes of this alert, this one included: its own version. */
  readonly version: number;
  /** Global position of its newest change. */
  readonly revision: Revision;
}

/**
 * As much of an alert as is looked at before anything is done about it. Of what is undefined or not it says whether it is, not always
 * what it is: only an alert itself tells that.
 */
export interface Glance
  extends Pick<
    Alert,
    | 'id'
    | 'kind'
    | 'priority'
    | 'activatedAt'
    | 'condition'
    | 'subject'
    | 'presence'
    | 'acknowledged'
    | 'latching'
    | 'revision'
  > {
  readonly staleSince: unknown;
  readonly resolution: unknown;
}

/** Computed from the axes, never stored. */
export type DisplayState =
  | 'ACTIVE_UNACK'
  | 'ACTIVE_ACK'
  | 'LATCHED'
  | 'RTN_UNACK'
  | 'RESOLVED'
  | 'ENTERED_IN_ERROR';

/** What a command did. */
export type Effect =
  | 'raised'
  | 'continued'
  | 'escalated'
  | 'deescalated'
  | 'reactivated'
  | 'cleared'
  | 'acknowledged'
  | 'unchanged'
  | 'unacknowledged'
  | 'lapsed'
  | 'accepted'
  | 'rejected'
  | 'unanswered'
  | 'paused'
  | 'resumed'
  | 'audible'
  | 'notified'
  | 'exhausted'
  | 'resolved'
  | 'stale'
  | 'live'
  | 'transferred'
  | 'discharged'
  | 'voided'
  | 'merged';

export type RefusalCode = Extract<
  Code,
  | 'BAD_REQUEST'
  | 'ALERT_NOT_FOUND'
  | 'REVISION_MISMATCH'
  | 'ACTIVATION_MISMATCH'
  | 'ALREADY_RESOLVED'
  | 'KEY_REUSED'
  | 'SESSION_EXPIRED'
  | 'REPLY_FORGOTTEN'
  | 'CONFLICT'
  | 'CONFIRMATION_REQUIRED'
  | 'RECORD_NOT_FOUND'
  | 'OVER_LIMIT'
  | 'NOT_OWNER'
  | 'TOO_BROAD'
  | 'QUOTA_EXCEEDED'
  | 'GUARD_FAILED'
>;

/** A replicated "no": a value that every replica stores, not a fault. */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly message: string;
}

export interface Done {
  readonly ok: true;
  readonly effect: Effect;
  readonly alertId: AlertId;
  readonly activation: number;
  /** Of the alert after the command. */
  readonly revision: Revision;
  readonly state: DisplayState;
}

/** A record beside the alerts was made, changed or removed: a policy, a silence, a notification … */
export interface Kept {
  readonly ok: true;
  readonly effect: 'kept' | 'removed' | 'unchanged';
  /** Which record, for example `N12`. */
  readonly id: string;
  /** Changes of this record, this one included. */
  readonly version: number;
}

/** A yes. */
export type Fulfilled = Done | Kept;

/** What the caller of a command is told. */
export type Reply = Fulfilled | Refusal;

/** A command that no leader took in, for want of room on the disks: it is in no log, and nothing came of it. */
export interface NotTaken {
  readonly ok: false;
  readonly code: Extract<Code, 'DISK_FULL'>;
  readonly message: string;
}

/** What is told of one of several commands that were sent together. */
export type BatchReply = Reply | NotTaken;

/** Whether the reply is about an alert. */
export const isDone = (reply: BatchReply): reply is Done => reply.ok && 'alertId' in reply;

/** One step of the alert history. Revisions are contiguous: 1, 2, 3 … */
export interface AlertEvent {
  readonly revision: Revision;
  readonly index: LogIndex;
  readonly time: UnixMillis;
  readonly observedAt: UnixMillis;
  readonly effect: Exclude<Effect, 'unchanged'>;
  readonly actor: string;
  /** The alert as this step left it. */
  readonly alert: Alert;
}

/** A step as the machine tells it, with what its watchers need and nobody is sent. */
export interface AppliedEvent extends AlertEvent {
  /** The alert as it stood before; undefined = this step opened it. */
  readonly before: Alert | undefined;
  /** The first revision of the transaction that the step is part of; undefined = of none. */
  readonly transaction: Revision | undefined;
  /** The resolved alert that is no longer kept, because this step resolved another one. */
  readonly dropped: Alert | undefined;
}

/** Which alerts a list or a watch is about; an absent field does not narrow. */
export interface AlertFilter {
  /** Open = not RESOLVED. */
  readonly open?: boolean;
  readonly states?: readonly DisplayState[];
  readonly priorities?: readonly Priority[];
  readonly kinds?: readonly Kind[];
  readonly dedupKey?: string;
  readonly unit?: string;
  readonly bed?: string;
  readonly patient?: string;
  readonly device?: string;
  /** In its text, condition or dedup key, whatever the case. */
  readonly text?: string;
  /** Raised then or later. */
  readonly raisedFrom?: UnixMillis;
  /** Raised before then. */
  readonly raisedUntil?: UnixMillis;
  /** Whether its source was lost. */
  readonly stale?: boolean;
}
