import { Command } from 'commander';
import {
  HORIZON_MS,
  reportOf,
  type ScoredAt,
  tune,
  type WarningReport,
  type WarningRule,
} from '../../src/analytics/scores/early-warning.ts';
import { TocsinError } from '../../src/base/errors.ts';
import type { Io } from '../commands/io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from '../commands/options.ts';
import { report } from '../commands/session.ts';
import { parseNumber, parseText } from '../commands/values.ts';
import { scoreStay } from './charted-news2.ts';
import { findStays, readStay } from './stays.ts';

interface Flags extends OutputFlags {
  readonly falseADay: number;
}

const HOUR_MS = 3_600_000;
/** A single score at the urgent threshold of NEWS2: what a ward has without any of this. */
const PLAIN: WarningRule = { windowMs: 1, scoresMin: 1, threshold: 5 };

/** `tocsin score early-warning`: chooses a rule on half of the stays, and measures it on the other half. */
export function earlyWarningCommand(io: Io): Command {
  const command = new Command('early-warning')
    .description(
      'how far ahead, and at the price of how many false alarms, a rising NEWS2 tells that 7 will be reached; ' +
        'the rule is chosen on stays with even numbers and measured on those with odd ones',
    )
    .argument('<folder>', 'holds stays named NUMBER.txt (Time,Parameter,Value)', parseText)
    .option(
      '--false-a-day <number>',
      'false warnings allowed in a day when tuning',
      parseNumber,
      1,
    );
  return withExamples(addOutputOptions(command), [
    ['tocsin score early-warning ./stays', 'chosen and measured'],
    ['tocsin score early-warning ./stays --false-a-day 0.5', 'fewer false warnings'],
  ]).action(async (folder: string, flags: Flags) => {
    const { tuning, test } = await halves(folder);
    const rule = tune(tuning, flags.falseADay);
    if (rule === undefined)
      throw new TocsinError('BAD_RECORDING', 'no rule gives so few false warnings on these stays');
    const rows = [
      figures('chosen rule, tuning half', rule, reportOf(tuning, rule)),
      figures('chosen rule, test half', rule, reportOf(test, rule)),
      figures('any score of 5, test half', PLAIN, reportOf(test, PLAIN)),
    ];
    await report(io, flags, { value: rows, rows, text: () => rows.map(lineOf).join('') });
  });
}

/** Fixed before anything was tuned: the number of a stay decides where it belongs. */
async function halves(folder: string): Promise<{
  readonly tuning: readonly (readonly ScoredAt[])[];
  readonly test: readonly (readonly ScoredAt[])[];
}> {
  const tuning: (readonly ScoredAt[])[] = [];
  const test: (readonly ScoredAt[])[] = [];
  for (const stay of await findStays(folder)) {
    const scores = scoreStay(await readStay(stay), { scale: 1, validForMs: Infinity });
    const scored = scores.map(({ at, score }) => ({ at, aggregate: score.aggregate }));
    (Number(stay.id) % 2 === 0 ? tuning : test).push(scored);
  }
  return { tuning, test };
}

interface Figures {
  readonly what: string;
  readonly windowHours: number;
  readonly threshold: number;
  readonly stays: number;
  readonly crossings: number;
  readonly warned: number;
  readonly falseADay: number;
  readonly leadHoursMedian: number | null;
  readonly horizonHours: number;
}

function figures(what: string, rule: WarningRule, one: WarningReport): Figures {
  const median = one.leadHours[one.leadHours.length >> 1];
  return {
    what,
    windowHours: Math.round(rule.windowMs / HOUR_MS),
    threshold: rule.threshold,
    stays: one.stays,
    crossings: one.crossings,
    warned: one.warned,
    falseADay: rounded(one.falseWarnings / one.daysAtRisk),
    leadHoursMedian: median === undefined ? null : rounded(median),
    horizonHours: HORIZON_MS / HOUR_MS,
  };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

const lineOf = (one: Figures): string =>
  `${one.what}: ${one.warned} of ${one.crossings} crossings warned of within ${one.horizonHours} h, median lead ` +
  `${one.leadHoursMedian ?? '-'} h; ${one.falseADay} false warnings a day at risk; mean of ${one.windowHours} h ≥ ${one.threshold}\n`;
