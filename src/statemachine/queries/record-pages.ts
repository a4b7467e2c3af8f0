import type { RecordPage } from '../alert-api.ts';
import { type Notifications, numberOf } from '../beside/notifications.ts';
import type { Policies } from '../beside/policies.ts';
import type {
  QueryKind,
  QueryTypes,
  RecordKind,
  Records,
  RecordTypes,
} from '../beside/records-beside.ts';

/** How each kind of record is looked through: from after a place, which is a number for notifications. */
export type Queries = {
  readonly [K in QueryKind]: (after: number, countMax: number) => RecordPage<K>;
};

interface Page<T> {
  readonly records: readonly T[];
  readonly next: number | undefined;
}

/** Where a page goes on that began after `after` and ends with the last of `records`. */
export function placeAfter<K extends QueryKind>(
  kind: K,
  after: number,
  records: readonly QueryTypes[K][],
): number {
  const last = records.at(-1);
  if (kind !== 'notification' || last === undefined) return after + records.length;
  return numberOf((last as QueryTypes['notification']).id);
}

/** A page of records that are told apart by their places. */
const placed = <T>(records: readonly T[], after: number, countMax: number): Page<T> => ({
  records,
  next: records.length < countMax ? undefined : after + records.length,
});

export function queriesOf(
  policies: Policies,
  notifications: Notifications,
  records: Records,
): Queries {
  const registry =
    <K extends RecordKind>(kind: K) =>
    (after: number, countMax: number): Page<RecordTypes[K]> =>
      placed(records.page(kind, after, countMax), after, countMax);
  return {
    policy: (after, countMax) =>
      placed(policies.list().slice(after, after + countMax), after, countMax),
    notification: (after, countMax) => {
      const found = notifications.after(after, countMax);
      const isWhole = found.length < countMax;
      return {
        records: found,
        next: isWhole ? undefined : placeAfter('notification', after, found),
      };
    },
    silence: registry('silence'),
    window: registry('window'),
    source: registry('source'),
    incident: registry('incident'),
    rule: registry('rule'),
    schedule: registry('schedule'),
    session: registry('session'),
    inhibition: registry('inhibition'),
    tally: registry('tally'),
    bed: registry('bed'),
    patient: registry('patient'),
    device: registry('device'),
  };
}
