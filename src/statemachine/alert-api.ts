import type { Revision } from '../base/ids.ts';
import type { QueryKind, QueryTypes } from './beside/records-beside.ts';
import type { Badges } from './beside/suppression.ts';
import type { CareCommand } from './care-commands.ts';
import type { RecordCommand } from './commands.ts';
import type {
  AcknowledgeCommand,
  Alert,
  AlertEvent,
  AlertFilter,
  AlertId,
  AlertRef,
  Asked,
  ClearCommand,
  Done,
  Kept,
  RaiseCommand,
} from './types.ts';

/**
 * The one interface to the alerts; who calls it cannot tell a replica in this process from a client of a cluster. Times are
 * milliseconds since 1970. Any call may reject with a TocsinError BAD_REQUEST, UNAVAILABLE, OVERLOADED, CANCELLED or CLOSED;
 * one that reads with DEADLINE_EXCEEDED, and one that writes with that or OUTCOME_UNKNOWN.
 */
export interface AlertApi {
  /**
   * Reports that a condition is present: opens an alert, or continues the open one of this dedup key.
   * @throws TocsinError REVISION_MISMATCH, KEY_REUSED, NOT_OWNER, QUOTA_EXCEEDED
   * @example
   * const { alertId } = await alerts.raise({ dedupKey: 'bed:12:HR:HI', condition: 'HR:HI', priority: 'high' });
   */
  raise(input: RaiseInput, options?: WriteOptions): Promise<Done>;
  /**
   * Reports that a condition is gone.
   * @throws TocsinError ALERT_NOT_FOUND, ALREADY_RESOLVED, REVISION_MISMATCH, NOT_OWNER
   * @example
   * await alerts.clear({ target: { dedupKey: 'bed:12:HR:HI' } });
   */
  clear(input: ClearInput, options?: WriteOptions): Promise<Done>;
  /**
   * Takes charge of an alert, as it was annunciated this time: a newer activation needs an acknowledgement of its own.
   * @throws TocsinError ALERT_NOT_FOUND, ALREADY_RESOLVED, ACTIVATION_MISMATCH, REVISION_MISMATCH
   * @example
   * await alerts.acknowledge({ target: { id: alertId }, activation: 1, note: 'at the bed' });
   */
  acknowledge(input: AcknowledgeInput, options?: WriteOptions): Promise<Done>;
  /**
   * One alert, or undefined.
   * @example
   * const { value, ageMs } = await alerts.get({ dedupKey: 'bed:12:HR:HI' }, { consistency: { maxAgeMs: 500 } });
   */
  get(ref: AlertRef, options?: ReadOptions): Promise<Answer<ListedAlert | undefined>>;
  /**
   * Alerts in order of their ids, a page at a time.
   * @throws TocsinError CURSOR_EXPIRED: the list has to be begun anew
   * @example
   * const { value } = await alerts.list({ open: true, unit: 'ICU' }, { consistency: 'session' });
   */
  list(filter?: AlertFilter, options?: ListOptions): Promise<Answer<AlertPage>>;
  /**
   * The alert history as it happens.
   * @example
   * for await (const message of alerts.watch({ from: revision(1), signal }))
   *   if (message.type === 'event') console.log(message.event.effect, message.event.alert.id);
   */
  watch(options?: WatchOptions): AsyncIterable<WatchMessage>;
}

/** What else can be asked of the alerts: for those who look after patients, and for those who run the place. */
export interface CareApi {
  /**
   * What else can be done about an alert: take an acknowledgement back, pause its sound, resolve it, …
   * @throws TocsinError ALERT_NOT_FOUND, ALREADY_RESOLVED, REVISION_MISMATCH, OVER_LIMIT, CONFIRMATION_REQUIRED
   * @example
   * await alerts.care({ type: 'pause', target: { id: 'A1042' }, seconds: 120 });
   */
  care(input: CareInput, options?: WriteOptions): Promise<Done>;
  /**
   * Makes, changes or removes a record beside the alerts: an escalation policy, the outcome of a notification, …
   * @throws TocsinError RECORD_NOT_FOUND, CONFLICT, TOO_BROAD, OVER_LIMIT
   * @example
   * const { id } = await alerts.keep({ type: 'set-bed', unit: 'ICU', bed: '7' });
   */
  keep(input: RecordInput, options?: WriteOptions): Promise<Kept>;
  /**
   * What happened to one alert, as far as the history reaches back; undefined = there is no such alert.
   * @example
   * const { value } = await alerts.history('A1042', { limit: 20 });
   */
  history(id: AlertId, options?: HistoryOptions): Promise<Answer<AlertHistory | undefined>>;
  /**
   * The records of one kind, a page at a time.
   * @example
   * const { value } = await alerts.records('silence');
   */
  records<K extends QueryKind>(kind: K, options?: RecordOptions): Promise<Answer<RecordPage<K>>>;
}

type Defaulted<T, K extends keyof T> = Omit<T, K | 'type'> & Partial<Pick<T, K>>;

/** Each member of a union with `actor` and `observedAt` left to their defaults. */
type SaidOf<T> = T extends Asked ? Omit<T, keyof Asked> & Partial<Asked> : never;

/** `kind` defaults to physiological, `subject` to nothing, the booleans to false, `actor` to the caller's name, `observedAt` to now. */
export type RaiseInput = Defaulted<
  RaiseCommand,
  'kind' | 'subject' | 'latching' | 'acknowledgementRequired' | 'actor' | 'observedAt' | 'text'
>;
export type ClearInput = Defaulted<ClearCommand, 'actor' | 'observedAt'>;
/** A command of any of these types, told apart by `type`. */
export type CareInput = SaidOf<CareCommand>;
export type RecordInput = SaidOf<RecordCommand>;
export type AcknowledgeInput = Defaulted<AcknowledgeCommand, 'actor' | 'observedAt'>;

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds until the caller is told DEADLINE_EXCEEDED or OUTCOME_UNKNOWN. */
  readonly timeoutMs?: number;
}

export interface WriteOptions extends CallOptions {
  /**
   * Repeating a command under the same key is safe, from another process too. The repetition may
   * differ in `observedAt` alone, and the first one stands. Default: a fresh key per call.
   */
  readonly idempotencyKey?: string;
}

/** Linearizable: sees every write answered before. Local: what the replica at hand has applied, at once. */
export type Consistency = 'linearizable' | 'lease' | 'local' | Bounds;

/** A state that may be somewhat old: any replica answers by itself as long as it keeps to all that is asked. */
export interface Bounds {
  /**
   * It holds everything that was acknowledged so long before the answer, or earlier. UNAVAILABLE where that is less than it
   * takes to ask a quorum.
   */
  readonly maxAgeMs?: number;
  /** It holds this revision: that of a write of one's own, to read it back anywhere. */
  readonly minRevision?: Revision;
}

/**
 * Session: what any replica has applied, if that is no older than anything this client was told before, its own writes
 * included; a replica that is behind is asked again, or another one. Followers are asked first, to spare the leader.
 */
export type ReadConsistency = Consistency | 'session';

export interface ReadOptions extends CallOptions {
  /** @defaultValue linearizable */
  readonly consistency?: ReadConsistency;
}

export interface ListOptions extends ReadOptions {
  /** At most so many, 1 … 1,000. @defaultValue 100 */
  readonly limit?: number;
  /** Continue after this alert; with the `next` of a page, in the list as it was when its first page was given. */
  readonly after?: AlertId | ListCursor;
}

/**
 * An alert, and the revision at which its list was begun: all pages are of that one state. It holds as long as the
 * history reaches back to the revision (CURSOR_EXPIRED then), on every replica that has applied it.
 */
export type ListCursor = `${AlertId}@${number}`;

export interface HistoryOptions extends ReadOptions {
  /** At most so many steps, the newest, 1 … 1,000. @defaultValue 100 */
  readonly limit?: number;
  /** Begin with the step of this revision, and go back from it: the `next` of another answer. */
  readonly from?: Revision;
}

export interface AlertHistory {
  /** In order of their revisions. */
  readonly events: readonly AlertEvent[];
  /** The step before the first of these; undefined = there was none, or it is no longer kept. */
  readonly next: Revision | undefined;
  /** There were older steps, which are no longer kept. */
  readonly isCompacted: boolean;
}

/** A value and what it is worth. */
export interface Answer<T> {
  readonly value: T;
  /** The alert history was applied up to here when this was read. */
  readonly revision: Revision;
  /** Everything that was acknowledged so many milliseconds before is in it. Absent = the replica does not know. */
  readonly ageMs?: number;
}

/** An alert as it is shown: with why it does not annunciate as it would, where something keeps it from that. */
export type ListedAlert = Alert & { readonly badges?: Badges };

/** Badges say what is so now, also in a list of an earlier revision. */
export interface AlertPage {
  readonly alerts: readonly ListedAlert[];
  /** Pass as `after` for the next page; undefined = this was the last. */
  readonly next: ListCursor | undefined;
}

/** Records of one kind, live ones first. */
export interface RecordPage<K extends QueryKind> {
  readonly records: readonly QueryTypes[K][];
  /** Pass as `after` for the next page; undefined = this was the last. */
  readonly next: number | undefined;
}

export interface RecordOptions extends ReadOptions {
  /** At most so many, 1 … 1,000. @defaultValue 100 */
  readonly limit?: number;
  /** Continue after the page that ended so. */
  readonly after?: number;
}

export interface WatchOptions {
  /** Begin with the event of this revision; 1 = from the beginning. Default: what happens from now on. */
  readonly from?: Revision;
  readonly filter?: AlertFilter;
  readonly signal?: AbortSignal;
}

/**
 * What a watcher is told, in order of revision, each event once:
 * `event`, with `leaves` when it is what took the alert out of the filter, and with `more` when the next message is of
 * the same transaction and both should be taken together; `progress`, everything up to `revision` was told; `compacted`, the events up to `revision`, that one
 * included, are told by the state that they led to: `alerts` (those that match the filter) takes their place.
 */
export type WatchMessage =
  | {
      readonly type: 'event';
      readonly event: AlertEvent;
      readonly leaves?: true;
      readonly more?: true;
    }
  | { readonly type: 'progress'; readonly revision: Revision }
  | { readonly type: 'compacted'; readonly revision: Revision; readonly alerts: readonly Alert[] };
