import { NOTIFICATIONS_OVER_MAX } from '../base/limits.ts';
import type { AlertLimits } from './alert-limits.ts';
import { AlertTable } from './alerts/alert-table.ts';
import { Notifications } from './beside/notifications.ts';
import { Policies } from './beside/policies.ts';
import { Records } from './beside/records-beside.ts';
import { ReplyTable } from './collections/reply-table.ts';
import type { Layout } from './layout.ts';
import { Ledger } from './ledger.ts';

/** What a machine is made of that is not new. */
export interface MachineParts {
  readonly ledger: Ledger;
  readonly replies: ReplyTable;
  readonly notifications: Notifications;
  readonly records: Records;
}

/** Parts in which nothing has happened. */
export function newParts(limits: AlertLimits, layout: Layout): MachineParts {
  const table = new AlertTable(limits, layout);
  const ledger = new Ledger(table, new Policies(), limits);
  return {
    ledger,
    records: new Records(ledger),
    replies: new ReplyTable(limits.repliesMax, layout.seed),
    notifications: new Notifications(NOTIFICATIONS_OVER_MAX),
  };
}
