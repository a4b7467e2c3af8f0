import { checkAnnunciations } from './annunciations.ts';
import { checkConditions } from './conditions.ts';
import type { Finding, History } from './history.ts';
import { checkVersionOrder } from './version-order.ts';
import { checkWatches } from './watches.ts';

export interface HistoryVerdict {
  readonly ok: boolean;
  readonly operations: number;
  readonly events: number;
  readonly watchMessages: number;
  /** Conditions searched for an order, and those for which the search gave up. */
  readonly conditions: number;
  readonly unknown: number;
  readonly findings: readonly Finding[];
}

/** Every checker. Good means that none found anything; what could not be decided is counted, never passed over. */
export function checkHistory(history: History): HistoryVerdict {
  const conditions = checkConditions(history);
  const findings = [
    ...checkVersionOrder(history),
    ...conditions.findings,
    ...checkWatches(history),
    ...checkAnnunciations(history),
  ];
  return {
    ok: findings.length === 0,
    operations: history.operations.length,
    events: history.events.length,
    watchMessages: history.watches.reduce((sum, { messages }) => sum + messages.length, 0),
    conditions: conditions.keys,
    unknown: conditions.unknown,
    findings,
  };
}
