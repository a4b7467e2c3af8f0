import type { LogIndex, Revision, UnixMillis } from '../base/ids.ts';
import type { TableView } from './alert-table.ts';
import { halvesOf, matches } from './filter.ts';
import type { Last } from './records.ts';
import type { ReplyView } from './reply-table.ts';
import type { Alert, AlertFilter, Reply } from './types.ts';

/**
 * The meaning of the state in a snapshot: a machine of another version would go on differently from the same items.
 * Raised with every change of what applying an entry does.
 */
export const MACHINE_VERSION = 1;

/** What a capture is of, and how much of it there is. */
export interface CaptureHeader {
  readonly machineVersion: number;
  /** The newest entry that had been applied or skipped. */
  readonly index: LogIndex;
  readonly time: UnixMillis;
  readonly revision: Revision;
  readonly digest: number;
  /** Items of each kind. */
  readonly open: number;
  readonly resolved: number;
  readonly remembered: number;
  readonly replies: number;
}

/**
 * One piece of a machine's state. The header comes first; then the open alerts by id, the resolved ones and the
 * conditions that are not open in order of resolution, the replies in order of arrival.
 */
export type SnapshotItem =
  | { readonly kind: 'header'; readonly header: CaptureHeader }
  | { readonly kind: 'open'; readonly alert: Alert }
  | { readonly kind: 'resolved'; readonly alert: Alert }
  | { readonly kind: 'remembered'; readonly dedupKey: string; readonly last: Last }
  | {
      readonly kind: 'reply';
      readonly key: string;
      readonly fingerprint: number;
      readonly reply: Reply;
    };

/**
 * The whole state of a machine at one moment; what is applied later does not show in it. Two machines that have applied
 * the same entries give the same items in the same order.
 */
export class MachineCapture {
  readonly header: CaptureHeader;
  readonly #table: TableView;
  readonly #replies: ReplyView;

  constructor(
    at: Pick<CaptureHeader, 'index' | 'time' | 'revision' | 'digest'>,
    table: TableView,
    replies: ReplyView,
  ) {
    this.header = {
      machineVersion: MACHINE_VERSION,
      ...at,
      open: table.open.size,
      resolved: table.resolved.size,
      remembered: table.remembered.size,
      replies: replies.size,
    };
    this.#table = table;
    this.#replies = replies;
  }

  /** To be taken a slice at a time: each step is short, all of them together are not. */
  *items(): Generator<SnapshotItem, undefined> {
    yield { kind: 'header', header: this.header };
    for (const alert of this.#table.open.values()) yield { kind: 'open', alert };
    for (const { value } of this.#table.resolvedInOrder.values())
      yield { kind: 'resolved', alert: value };
    for (const { key, value } of this.#table.remembered.values())
      yield { kind: 'remembered', dedupKey: key, last: value };
    for (const [key, { fingerprint, reply }] of this.#replies.entries())
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
    if (halves.open)
      for (const alert of this.#table.open.values())
        yield matches(alert, filter) ? alert : undefined;
    if (halves.resolved)
      for (const alert of this.#table.resolved.values())
        yield matches(alert, filter) ? alert : undefined;
    return undefined;
  }
}
