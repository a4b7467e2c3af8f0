import type { RecordPage } from '../alert-api.ts';
import { type Notifications, numberOf } from '../beside/notifications.ts';
import type { Policies } from '../beside/policies.ts';
import type { QueryKind, RecordKind, Records, RecordTypes } from '../beside/records-beside.ts';

/** How each kind of record is looked through: from after a place, which is a number for notifications. */
export type Queries = {
  readonly [K in QueryKind]: (after: number, countMax: number) => RecordPage<K>;
};

interface Page<T> {
  readonly records: readonly T[];
  readonly next: number | undefined;
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
      const last = found.at(-1);
      const isWhole = found.length < countMax || last === undefined;
      return { records: found, next: isWhole ? undefined : numberOf(last.id) };
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
