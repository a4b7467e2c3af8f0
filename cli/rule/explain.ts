import { PLAUSIBLE } from '../../src/analytics/plausible.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { METRICS } from '../../src/base/rules/metrics.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import { didYouMean } from '../input/suggest.ts';
import { ruleRows } from './rows.ts';

export interface Explained {
  readonly id: string;
  readonly revision: number;
  readonly lines: readonly string[];
}

/** @throws TocsinError BAD_RULES when no rule has this id */
export function explainRule(set: RuleSet, id: string): Explained {
  const rows = ruleRows(set);
  const row = rows.find((one) => one.id === id);
  if (row === undefined) {
    const known = rows.map((one) => one.id);
    throw new TocsinError('BAD_RULES', `${set.name}: no rule ${id}${didYouMean(id, known)}`);
  }
  const all = [...set.rules, ...set.missing, ...(set.trends ?? [])];
  const metric = all.find((one) => one.id === id)?.metric ?? 'HR';
  const { unit } = METRICS[metric];
  const isTrend = (set.trends ?? []).some((one) => one.id === id);
  const { min, max, slewPerSecond } = PLAUSIBLE[metric];
  const lines = [
    `${id}@${set.revision}: ${row.says}.`,
    `Its alert has priority ${row.priority} and condition ${row.condition}; its cause names the value, the limit and ${id}@${set.revision}.`,
    'The same condition of the same patient and device is one alert, however often and from whichever replica it is raised.',
  ];
  if (isTrend)
    lines.push(
      `Values outside ${min} … ${max} ${unit}, and jumps faster than ${slewPerSecond} ${unit} a second, count as artefacts and say nothing.`,
      'It is advisory: it comes beside the limits, never in their place.',
    );
  for (const { name, limits, patients } of set.profiles ?? []) {
    const limit = limits[id];
    if (limit !== undefined)
      lines.push(`Profile ${name} has the limit ${limit} ${unit} for ${patients.join(', ')}.`);
  }
  return { id, revision: set.revision, lines };
}
