import { TocsinError } from '../../base/errors.ts';
import { LIST_LIMIT_DEFAULT, LIST_PAGE_MAX } from '../../base/limits.ts';
import { idNumber } from '../alerts/alert-id.ts';
import type { AlertCursor, AlertTable, Met } from '../alerts/alert-table.ts';
import type { Alert, AlertFilter, AlertId } from '../types.ts';
import { halvesOf, lookFor, matches } from './filter.ts';

/** Which page of a list. */
export interface PageOptions {
  /** At most so many, 1 … LIST_PAGE_MAX. @defaultValue 100 */
  readonly limit?: number;
  /** Continue after this alert, which need not exist any more. */
  readonly after?: AlertId;
  /** Asked now and then, once it has made some progress: whether the page has to do with what was found. @defaultValue never */
  readonly isOver?: () => boolean;
}

/** A page of alerts, and the last one looked at if there are more. */
export interface AlertSlice {
  readonly alerts: readonly Alert[];
  readonly next: AlertId | undefined;
}

/**
 * One page of the alerts that match, in numeric order of their ids. At most `scanMax` records are
 * looked at: a page may hold fewer than `limit` alerts, even none, and still have a `next`.
 * @throws TocsinError BAD_REQUEST when `limit` or `after` is not what it has to be
 */
export function listAlerts(
  table: AlertTable,
  filter: AlertFilter,
  options: PageOptions,
  scanMax: number,
): AlertSlice {
  const after = checkedAfter(options.after);
  return pageOf(candidates(table, filter, after), filter, options, scanMax);
}

/** The first page of those that match among `all`, which ascend by their ids. Of one that a look rules out no more is decoded. */
export function pageOf(
  all: Iterable<Met>,
  filter: AlertFilter,
  { limit: asked, isOver = () => false }: PageOptions,
  scanMax: number,
): AlertSlice {
  const limit = checkedLimit(asked);
  const look = lookFor(filter);
  const alerts: Alert[] = [];
  let scanned = 0;
  let newest = 0;
  for (const one of all) {
    if (alerts.length === limit || scanned === scanMax || (scanned > 0 && isOver()))
      return { alerts, next: `A${newest}` };
    scanned += 1;
    newest = one.id;
    if (look?.(one.glance) === false) continue;
    const alert = one.value;
    if (matches(alert, filter)) alerts.push(alert);
  }
  return { alerts, next: undefined };
}

function checkedLimit(limit: number = LIST_LIMIT_DEFAULT): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= LIST_PAGE_MAX) return limit;
  throw new TocsinError(
    'BAD_REQUEST',
    `limit is not a whole number 1 … ${LIST_PAGE_MAX}: ${limit}`,
  );
}

export function checkedAfter(after: AlertId | undefined): number {
  if (after === undefined) return 0;
  const id = idNumber(after);
  if (id !== undefined) return id;
  throw new TocsinError('BAD_REQUEST', `after is not an alert id such as A1042: ${after}`);
}

/** Alerts above `after` that may match: never the resolved ones when only open ones can. Each is gone with the next. */
export function* candidates(table: AlertTable, filter: AlertFilter, after: number): Generator<Met> {
  const halves = halvesOf(filter);
  const none = Number.POSITIVE_INFINITY;
  const open = openCandidates(table, filter.dedupKey, halves.open ? after : none);
  const resolved = table.resolvedAfter(halves.resolved ? after : none);
  let isOpen = open.next();
  let isResolved = resolved.next();
  while (isOpen || isResolved)
    if (isOpen && (!isResolved || open.id < resolved.id)) {
      yield open;
      isOpen = open.next();
    } else {
      yield resolved;
      isResolved = resolved.next();
    }
}

const openCandidates = (
  table: AlertTable,
  dedupKey: string | undefined,
  after: number,
): AlertCursor =>
  dedupKey === undefined ? table.openAfter(after) : table.openUnderAfter(dedupKey, after);
