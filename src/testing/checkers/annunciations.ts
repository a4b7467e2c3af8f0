import { FINDINGS_MAX, type Finding, type History, type SeenAlert } from './history.ts';
import type { Rule } from './rules.ts';

/**
 * Each activation of each alert is annunciated once: an activation begins with the event that says so, numbers go up by
 * one within an occurrence, and occurrences of a condition by one; no two are open at once.
 */
export function checkAnnunciations(history: History): readonly Finding[] {
  const findings: Finding[] = [];
  const find = (rule: Rule, says: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push({ rule, says });
  };
  const newest = new Map<string, SeenAlert>();
  for (const { revision, effect, alert } of history.events) {
    const before = newest.get(alert.key);
    newest.set(alert.key, alert);
    const place = `event ${revision} (${effect} ${alert.id})`;
    if (before?.id === alert.id) {
      const steps = alert.activation - before.activation;
      const annunciates = effect === 'escalated' || effect === 'reactivated';
      if (annunciates && steps !== 1)
        find('annunciated-once', `${place} went from activation ${before.activation} by ${steps}`);
      if (!annunciates && steps !== 0)
        find('annunciated-once', `${place} began activation ${alert.activation} in silence`);
      if (effect === 'raised') find('annunciated-once', `${place} was raised before`);
      if (before.state === 'RESOLVED') find('resurrected', `${place} was resolved before`);
      continue;
    }
    if (before !== undefined && before.state !== 'RESOLVED')
      find('one-open', `${place} began while ${before.id} was open`);
    if (alert.activation !== 1 || effect !== 'raised')
      find('annunciated-once', `${place} begins with activation ${alert.activation}`);
    if (alert.occurrence !== (before?.occurrence ?? 0) + 1)
      find('occurrences', `${place} is occurrence ${alert.occurrence} after ${before?.occurrence}`);
  }
  return findings;
}
