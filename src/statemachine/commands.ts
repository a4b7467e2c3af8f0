import type { LogIndex, UnixMillis } from '../base/ids.ts';
import type { IncidentCommand } from './beside/incidents.ts';
import type { InhibitionCommand } from './beside/inhibition.ts';
import type { NotificationCommand } from './beside/notifications.ts';
import type { PolicyCommand } from './beside/policies.ts';
import type { RuleCommand } from './beside/rule-book.ts';
import type { ScheduleCommand } from './beside/schedule.ts';
import type { SessionCommand, SessionPlace } from './beside/sessions.ts';
import type { SourceCommand } from './beside/sources.ts';
import type { SuppressionCommand } from './beside/suppression.ts';
import type { WardCommand } from './beside/ward.ts';
import type { AlertCommand } from './care-commands.ts';
import type { TransactionCommand } from './transaction.ts';

/** Commands as they go in: all that there are, and how the log hands them on. What each of them says stands where it is carried out. */

/** A command about a record beside the alerts. */
export type RecordCommand =
  | PolicyCommand
  | NotificationCommand
  | SuppressionCommand
  | InhibitionCommand
  | SourceCommand
  | IncidentCommand
  | RuleCommand
  | SessionCommand
  | WardCommand
  | ScheduleCommand
  | TransactionCommand;

export type Command = AlertCommand | RecordCommand;

/** A command as it stands in the log, with the key under which its reply is kept. */
export interface Submission {
  /** 16 bytes as 32 hex digits. The same key gets the same reply, however often it arrives. */
  readonly key: string;
  /** Checksum of what was asked, not of when: tells a repetition from a reuse of the key. */
  readonly fingerprint: number;
  /** Undefined when the bytes are not a well-formed command: refused, by every replica alike. */
  readonly command: Command | undefined;
  /** Its place in a session, which the key then spells; undefined = it is in none. */
  readonly place?: SessionPlace;
}

/** One committed entry, as the machine sees it. */
export interface Batch {
  readonly index: LogIndex;
  /** Stamped by the leader; never goes back along the log. */
  readonly time: UnixMillis;
  readonly submissions: readonly Submission[];
}
