import { assert } from '../base/assert.ts';
import {
  ACKNOWLEDGEMENTS_MAX,
  DEDUP_KEYS_REMEMBERED_MAX,
  EFFORT_PER_ENTRY_MAX,
  LIST_SCAN_MAX,
  NOTIFICATIONS_LIVE_MAX,
  OPEN_ALERTS_MAX,
  OPEN_BYTES_MAX,
  POLICIES_MAX,
  POLICY_VERSIONS_MAX,
  REPLIES_MAX,
  RESOLVED_ALERTS_MAX,
} from '../base/limits.ts';

/**
 * Bounds of what a machine keeps. Part of the state machine's meaning: replicas with different
 * limits diverge, so production passes none and tests pass small ones.
 */
export interface AlertLimits {
  readonly repliesMax: number;
  readonly resolvedAlertsMax: number;
  readonly dedupKeysRememberedMax: number;
  /** At least 3: the first, whoever took charge now, and a newer one. */
  readonly acknowledgementsMax: number;
  readonly listScanMax: number;
  readonly policiesMax: number;
  /** Versions that open alerts go by. */
  readonly policyVersionsMax: number;
  /** Notifications that something may yet come of. */
  readonly notificationsLiveMax: number;
  /** Open alerts, and what they weigh: see quota.ts. */
  readonly openAlertsMax: number;
  readonly openBytesMax: number;
  /** Changes that follow by themselves, with one entry. */
  readonly effortPerEntryMax: number;
}

const LIMITS: AlertLimits = {
  repliesMax: REPLIES_MAX,
  resolvedAlertsMax: RESOLVED_ALERTS_MAX,
  dedupKeysRememberedMax: DEDUP_KEYS_REMEMBERED_MAX,
  acknowledgementsMax: ACKNOWLEDGEMENTS_MAX,
  listScanMax: LIST_SCAN_MAX,
  policiesMax: POLICIES_MAX,
  policyVersionsMax: POLICY_VERSIONS_MAX,
  notificationsLiveMax: NOTIFICATIONS_LIVE_MAX,
  openAlertsMax: OPEN_ALERTS_MAX,
  openBytesMax: OPEN_BYTES_MAX,
  effortPerEntryMax: EFFORT_PER_ENTRY_MAX,
};

/** The limits with what is not given filled in, and their relations checked. */
export function completeLimits(limits: Partial<AlertLimits>): AlertLimits {
  const all: AlertLimits = { ...LIMITS, ...limits };
  assert(all.acknowledgementsMax >= 3, `acknowledgementsMax ${all.acknowledgementsMax} < 3`);
  assert(
    all.acknowledgementsMax <= ACKNOWLEDGEMENTS_MAX,
    `acknowledgementsMax ${all.acknowledgementsMax} > ${ACKNOWLEDGEMENTS_MAX}: no snapshot could be read back`,
  );
  assert(
    all.dedupKeysRememberedMax >= all.resolvedAlertsMax,
    `remembers ${all.dedupKeysRememberedMax} keys of ${all.resolvedAlertsMax} resolved alerts`,
  );
  assert(all.effortPerEntryMax >= 1, `effortPerEntryMax ${all.effortPerEntryMax} < 1`);
  assert(all.listScanMax >= 1, `listScanMax ${all.listScanMax} < 1`);
  return Object.freeze(all);
}
