import { LimitEngine } from '../../src/analytics/limits.ts';
import { ScoreEngine } from '../../src/analytics/score-engine.ts';
import { TrendEngine } from '../../src/analytics/trend-engine.ts';
import { conditionOf, type RuleSet } from '../../src/base/rules/rules.ts';
import { scoreConditionOf } from '../../src/base/rules/score-rules.ts';
import { trendConditionOf } from '../../src/base/rules/trend-rules.ts';
import { RECORDING_METRICS, type Recording, readRows } from '../input/recordings.ts';

/** Rules run over recordings: what would have alarmed. */

export interface TrialRow {
  readonly patient: string;
  /** Since the recording's origin. */
  readonly seconds: number;
  readonly rule: string;
  readonly condition: string;
  readonly phase: 'start' | 'end';
  readonly value: number | null;
}

export interface RuleCount {
  readonly rule: string;
  readonly starts: number;
  readonly patients: number;
  readonly startsPerPatientHour: number;
}

export interface Trial {
  readonly rows: readonly TrialRow[];
  readonly counts: readonly RuleCount[];
  readonly patientHours: number;
}

export async function tryRules(set: RuleSet, recordings: readonly Recording[]): Promise<Trial> {
  const limits = new LimitEngine(set, RECORDING_METRICS);
  const trends = new TrendEngine(set.trends ?? [], RECORDING_METRICS);
  const scores = new ScoreEngine(set.scores ?? [], set.profiles ?? [], RECORDING_METRICS);
  for (const [subject, { patient }] of recordings.entries()) {
    limits.usePatient(subject, patient);
    scores.introduce(subject, patient);
  }
  const rows: TrialRow[] = [];
  let samples = 0;
  const patientOf = (subject: number): string => recordings[subject]?.patient ?? '';
  for await (const { recording, timeMs, values } of readRows(recordings, 'patient')) {
    samples += 1;
    for (const [metric, value] of values.entries()) {
      limits.sample(recording, metric, timeMs, value, ({ subject, rule, phase, time, value: at }) =>
        rows.push(rowOf(patientOf(subject), time, rule.id, conditionOf(rule), phase, at)),
      );
      trends.sample(recording, metric, timeMs, value, ({ subject, rule, phase, time, value: at }) =>
        rows.push(rowOf(patientOf(subject), time, rule.id, trendConditionOf(rule), phase, at)),
      );
      scores.sample(recording, metric, timeMs, value, ({ patient, rule, phase, time, score }) =>
        rows.push(rowOf(patientOf(patient), time, rule.id, scoreConditionOf(rule), phase, score)),
      );
    }
  }
  const patientHours = samples / 3_600;
  const all = [...set.rules, ...set.missing, ...(set.trends ?? []), ...(set.scores ?? [])];
  return { rows, counts: all.map(({ id }) => countOf(id, rows, patientHours)), patientHours };
}

const rowOf = (
  patient: string,
  time: number,
  rule: string,
  condition: string,
  phase: 'start' | 'end',
  value: number | null,
): TrialRow => ({
  patient,
  seconds: time / 1_000,
  rule,
  condition,
  phase,
  value: value === null || Number.isNaN(value) ? null : value,
});

function countOf(rule: string, rows: readonly TrialRow[], patientHours: number): RuleCount {
  const starts = rows.filter((row) => row.rule === rule && row.phase === 'start');
  return {
    rule,
    starts: starts.length,
    patients: new Set(starts.map(({ patient }) => patient)).size,
    startsPerPatientHour: patientHours === 0 ? 0 : starts.length / patientHours,
  };
}
