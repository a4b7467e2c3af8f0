import type { AlertLimits } from './alert-limits.ts';
import type { AlertTable } from './alerts/alert-table.ts';
import { refuse } from './refusals.ts';
import type { Alert, Asked, Priority, RaiseCommand, Refusal } from './types.ts';

/** The dedup key of the machine's own alert that says that there are too many. */
export const QUOTA_KEY = 'tocsin:quota:open';

/** Shares of the quota: from the first on the alarm is on, below the second it is off again. */
const ALARM_FROM = 0.8;
const ALARM_UNTIL = 0.7;
/** From here on alerts that can wait are refused, so that those that cannot find room. */
const SPARE_FROM = 0.9;

/** What an alert weighs: its texts, and about what a record takes in memory besides. */
export function weightOf(
  alert: Pick<Alert, 'dedupKey' | 'condition' | 'text' | 'labels' | 'acknowledgements'>,
): number {
  let weight = 1_024 + alert.dedupKey.length + alert.condition.length + alert.text.length;
  for (const name in alert.labels) weight += name.length + (alert.labels[name]?.length ?? 0);
  // Mostly there are none, and an iterator over a frozen list is an object that is made all the same.
  if (alert.acknowledgements.length > 0)
    for (const { by, note } of alert.acknowledgements) weight += by.length + (note?.length ?? 0);
  return weight;
}

/** Whether an alert may weigh something else than before: of what weighs only these change. */
export const isReweighed = (before: Alert, after: Alert): boolean =>
  before.text !== after.text || before.acknowledgements !== after.acknowledgements;

type Quota = Pick<AlertLimits, 'openAlertsMax' | 'openBytesMax'>;

/** How much of the quota is in use, 0 … 1, if so many more are opened. */
export const shareOf = (table: AlertTable, quota: Quota, more = 0): number =>
  Math.max((table.openCount + more) / quota.openAlertsMax, table.openBytes / quota.openBytesMax);

const canWait = (priority: Priority): boolean => priority === 'low' || priority === 'none';

/** Why a raise may not open another alert. Everything that changes or ends an open one is always taken. */
export function findQuotaRefusal(
  { priority }: RaiseCommand,
  table: AlertTable,
  quota: Quota,
  more = 0,
): Refusal | undefined {
  const share = shareOf(table, quota, more);
  if (share < (canWait(priority) ? SPARE_FROM : 1)) return undefined;
  return refuse(
    'QUOTA_EXCEEDED',
    `${table.openCount} alerts are open; ${share >= 1 ? 'no more' : 'only more urgent ones'} are taken`,
  );
}

/** What the alarm about the quota should do now. */
export function quotaAlarm(
  table: AlertTable,
  quota: Quota,
  isOn: boolean,
): 'raise' | 'clear' | 'stay' {
  const share = shareOf(table, quota);
  if (!isOn && share >= ALARM_FROM) return 'raise';
  return isOn && share < ALARM_UNTIL ? 'clear' : 'stay';
}

/** The alarm itself. */
export const quotaRaise = (openCount: number, asked: Asked): RaiseCommand => ({
  type: 'raise',
  ...asked,
  dedupKey: QUOTA_KEY,
  kind: 'technical',
  priority: 'medium',
  condition: 'STORE:QUOTA',
  text: `${openCount} alerts are open: soon those that can wait are refused`,
  subject: {},
  latching: false,
  acknowledgementRequired: false,
});

/** The dedup key of the machine's own alert that says that there is no room for more notifications. */
export const NOTIFICATIONS_KEY = 'tocsin:quota:notifications';

export const noRoomRaise = (max: number, asked: Asked): RaiseCommand => ({
  type: 'raise',
  ...asked,
  dedupKey: NOTIFICATIONS_KEY,
  kind: 'technical',
  priority: 'high',
  condition: 'STORE:NOTIFICATIONS',
  text: `${max} notifications are under way: nobody is told of what is new`,
  subject: {},
  latching: false,
  acknowledgementRequired: false,
});
