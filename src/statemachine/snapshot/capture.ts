import { must } from '../../base/assert.ts';
import type { LogIndex, Revision, UnixMillis } from '../../base/ids.ts';
import type { TableView } from '../alerts/alert-table.ts';
import type { AlertsView } from '../alerts/packed-alerts.ts';
import type { Last } from '../alerts/records.ts';
import type { Notification, NotificationCapture } from '../beside/notifications.ts';
import type { CapturedPolicy } from '../beside/policies.ts';
import { type AnyRecord, RECORD_KINDS, type RecordViews } from '../beside/records-beside.ts';
import type { RegistryView } from '../beside/registry.ts';
import type { ReplyView } from '../collections/reply-table.ts';
import type { LedgerStart } from '../ledger-start.ts';
import { halvesOf, lookFor, matches } from '../queries/filter.ts';
import type { Alert, AlertFilter, Reply } from '../types.ts';

/**
 * The meaning of the state in a snapshot: a machine of another version would go on differently from the same items.
 * Raised with every change of what applying an entry does.
 */
export const MACHINE_VERSION = 16;

/** What a capture is of, and how much of it there is. */
export interface CaptureHeader {
  readonly machineVersion: number;
  /** The newest entry that had been applied or skipped. */
  readonly index: LogIndex;
  readonly time: UnixMillis;
  readonly revision: Revision;
  readonly digest: number;
  /** The newest version of a policy, and the newest number of a notification. */
  readonly policiesMade: number;
  readonly notificationsMade: number;
  readonly recordsMade: number;
  /** Items of each kind. */
  readonly policies: number;
  readonly open: number;
  readonly resolved: number;
  readonly remembered: number;
  readonly notifications: number;
  readonly records: number;
  readonly replies: number;
  readonly sessionReplies: number;
}

/**
 * One piece of a machine's state. The header comes first; then the policies; the open alerts by id, the resolved ones and
 * the conditions that are not open in order of resolution; the notifications, first the live ones; the other records, by
 * kind, first the live ones; the replies in order of arrival, after them those that sessions keep, by session and place.
 */
export type SnapshotItem =
  | { readonly kind: 'header'; readonly header: CaptureHeader }
  | ({ readonly kind: 'policy' } & CapturedPolicy)
  | { readonly kind: 'open'; readonly alert: Alert }
  | { readonly kind: 'resolved'; readonly alert: Alert }
  | { readonly kind: 'remembered'; readonly dedupKey: string; readonly last: Last }
  | { readonly kind: 'notification'; readonly notification: Notification }
  | ({ readonly kind: 'record' } & AnyRecord)
  | {
      readonly kind: 'reply';
      readonly key: string;
      readonly fingerprint: number;
      readonly reply: Reply;
    };

const sizeOf = ({ live, over }: RegistryView<unknown>): number => live.size + over.size;

/** What a machine is at one moment. */
export interface MachineViews {
  readonly table: TableView;
  readonly policies: readonly CapturedPolicy[];
  readonly policiesMade: number;
  readonly notifications: NotificationCapture;
  readonly records: RecordViews;
  readonly replies: ReplyView;
  readonly sessionReplies: ReplyView;
}

/**
 * The whole state of a machine at one moment; what is applied later does not show in it. Two machines that have applied
 * the same entries give the same items in the same order.
 */
export class MachineCapture {
  readonly header: CaptureHeader;
  readonly #views: MachineViews;

  constructor(at: LedgerStart, views: MachineViews) {
    const { table, policies, policiesMade, notifications, replies } = views;
    this.header = {
      machineVersion: MACHINE_VERSION,
      ...at,
      policiesMade,
      notificationsMade: notifications.newest,
      policies: policies.length,
      open: table.open.size,
      resolved: table.resolved.size,
      remembered: table.remembered.size,
      notifications: notifications.live.size + notifications.over.size,
      records: RECORD_KINDS.reduce((sum, kind) => sum + sizeOf(views.records[kind]), 0),
      replies: replies.size,
      sessionReplies: views.sessionReplies.size,
    };
    this.#views = views;
  }

  /** To be taken a slice at a time: each step is short, all of them together are not. */
  *items(): Generator<SnapshotItem, undefined> {
    const { table, policies, notifications, records, replies } = this.#views;
    yield { kind: 'header', header: this.header };
    for (const policy of policies) yield { kind: 'policy', ...policy };
    for (const alert of table.open.values()) yield { kind: 'open', alert };
    for (const number of table.resolvedInOrder)
      yield { kind: 'resolved', alert: must(table.resolved.get(number), `A${number} is gone`) };
    for (const { dedupKey, id, occurrence, endedAt, flaps } of table.remembered.values())
      yield { kind: 'remembered', dedupKey, last: { id, occurrence, endedAt, flaps } };
    for (const notification of notifications.live.values())
      yield { kind: 'notification', notification };
    for (const notification of notifications.over.values())
      yield { kind: 'notification', notification };
    for (const type of RECORD_KINDS)
      for (const part of [records[type].live, records[type].over])
        for (const record of part.values()) yield { kind: 'record', type, record } as SnapshotItem;
    for (const part of [replies.entries(), this.#views.sessionReplies.entries()])
      for (const [key, { fingerprint, reply }] of part)
        yield { kind: 'reply', key, fingerprint, reply };
    return undefined;
  }
}

/** The alerts at one revision, for answers that are too long to be given at once. */
export class AlertView {
  readonly revision: Revision;
  readonly #table: TableView;

  constructor(revision: Revision, table: TableView) {
    this.revision = revision;
    this.#table = table;
  }

  /**
   * The alerts that match, the open ones first, each in order of their ids. `undefined` stands for one that does not:
   * so each step is short, and the caller can stop between any two.
   */
  *matching(filter: AlertFilter): Generator<Alert | undefined, undefined> {
    const halves = halvesOf(filter);
    if (halves.open) yield* matchingIn(this.#table.open, filter);
    if (halves.resolved) yield* matchingIn(this.#table.resolved, filter);
    return undefined;
  }
}

function* matchingIn(alerts: AlertsView, filter: AlertFilter): Generator<Alert | undefined> {
  const look = lookFor(filter);
  for (const alert of look === undefined ? alerts.values() : alerts.wanted(look))
    yield alert !== undefined && matches(alert, filter) ? alert : undefined;
}
