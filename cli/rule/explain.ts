import { PLAUSIBLE } from '../../src/analytics/plausible.ts';
import { INPUTS_OF } from '../../src/analytics/scores/live-inputs.ts';
import { NEWS2_PARAMETERS } from '../../src/analytics/scores/news2.ts';
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
  const { version } = row;
  const lines = [
    `${id}@${version}: ${row.says}.`,
    `Its alert has priority ${row.priority} and condition ${row.condition}; its cause names the value, the limit and ${id}@${version}.`,
    'The same condition is one alert, however often and from whichever replica it is raised.',
    ...linesOf(set, id),
  ];
  for (const { name, limits, scale, patients } of set.profiles ?? []) {
    const limit = limits[id];
    if (limit !== undefined)
      lines.push(`Profile ${name} has the limit ${limit} for ${patients.join(', ')}.`);
    if (scale !== undefined && (set.scores ?? []).some((rule) => rule.id === id))
      lines.push(`Profile ${name} has SpO2 scale ${scale} for ${patients.join(', ')}.`);
  }
  return { id, revision: set.revision, lines };
}

/** What is particular to rules of its kind. */
function linesOf(set: RuleSet, id: string): readonly string[] {
  const trend = (set.trends ?? []).find((rule) => rule.id === id);
  if (trend !== undefined) {
    const { unit } = METRICS[trend.metric];
    const { min, max, slewPerSecond } = PLAUSIBLE[trend.metric];
    return [
      `Values outside ${min} … ${max} ${unit}, and jumps faster than ${slewPerSecond} ${unit} a second, count as artefacts and say nothing.`,
      'It is advisory: it comes beside the limits, never in their place.',
    ];
  }
  const score = (set.scores ?? []).find((rule) => rule.id === id);
  if (score === undefined) return ['It is of a patient at a device.'];
  const made = INPUTS_OF[score.kind].map((at) => NEWS2_PARAMETERS[at]).join(', ');
  return [
    `It is of a patient, made of the newest ${made}, from whichever devices; what is not known counts nothing, and the alert says so.`,
    `An input older than ${score.validMinutes} min is used, and the alert says that it is old.`,
    ...(score.kind === 'early-warning'
      ? ['It is advisory: tocsin score early-warning measures what such warnings are worth.']
      : []),
  ];
}
