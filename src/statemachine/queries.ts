import { TocsinError } from '../base/errors.ts';
import { LIST_PAGE_MAX } from '../base/limits.ts';
import type { AlertPage } from './alert-api.ts';
import { type AlertTable, idNumber } from './alert-table.ts';
import { halvesOf, matches } from './filter.ts';
import type { Alert, AlertFilter, AlertId } from './types.ts';

/** Which page of a list. */
export interface PageOptions {
  /** At most so many, 1 … LIST_PAGE_MAX. @defaultValue 100 */
  readonly limit?: number;
  /** Continue after this alert, which need not exist any more. */
  readonly after?: AlertId;
}

const LIMIT_DEFAULT = 100;

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
): AlertPage {
  const limit = checkedLimit(options.limit);
  const alerts: Alert[] = [];
  let scanned = 0;
  let newest = checkedAfter(options.after);
  for (const id of candidates(table, filter, newest)) {
    if (alerts.length === limit || scanned === scanMax) return { alerts, next: `A${newest}` };
    const alert = table.at(id);
    if (alert !== undefined && matches(alert, filter)) alerts.push(alert);
    scanned += 1;
    newest = id;
  }
  return { alerts, next: undefined };
}

function checkedLimit(limit: number = LIMIT_DEFAULT): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= LIST_PAGE_MAX) return limit;
  throw new TocsinError(
    'BAD_REQUEST',
    `limit is not a whole number 1 … ${LIST_PAGE_MAX}: ${limit}`,
  );
}

function checkedAfter(after: AlertId | undefined): number {
  if (after === undefined) return 0;
  const id = idNumber(after);
  if (id !== undefined) return id;
  throw new TocsinError('BAD_REQUEST', `after is not an alert id such as A1042: ${after}`);
}

const NO_IDS: Iterable<number> = [];

/**
 * Numbers above `after` of alerts that may match: never the resolved ones when only open ones can.
 */
function candidates(table: AlertTable, filter: AlertFilter, after: number): Iterable<number> {
  const halves = halvesOf(filter);
  const open = halves.open ? openCandidates(table, filter.dedupKey, after) : NO_IDS;
  const resolved = halves.resolved ? table.resolvedAfter(after) : NO_IDS;
  return merged(open, resolved);
}

function openCandidates(
  table: AlertTable,
  dedupKey: string | undefined,
  after: number,
): Iterable<number> {
  if (dedupKey === undefined) return table.openAfter(after);
  const alert = table.openUnder(dedupKey);
  const id = alert === undefined ? undefined : idNumber(alert.id);
  return id === undefined || id <= after ? NO_IDS : [id];
}

/** Two ascending runs without a number in common, as one. */
function* merged(left: Iterable<number>, right: Iterable<number>): Generator<number> {
  const lefts = left[Symbol.iterator]();
  const rights = right[Symbol.iterator]();
  let l = lefts.next();
  let r = rights.next();
  while (!l.done || !r.done) {
    if (r.done || (!l.done && l.value < r.value)) {
      yield l.value;
      l = lefts.next();
    } else {
      yield r.value;
      r = rights.next();
    }
  }
}
