import type { MetricName } from '../../src/base/rules/metrics.ts';
import type { ConditionKind } from '../../src/base/rules/rules.ts';
import type { AlertEvent } from '../../src/statemachine/types.ts';
import { comparePatients, RECORDING_METRICS } from './recordings.ts';

/** What became of the conditions, in the form in which the recordings' expected alarms are written. */
export interface PatientTransition {
  readonly patient: string;
  /** Since the recording's origin, in milliseconds. */
  readonly timeMs: number;
  readonly metric: string;
  readonly kind: ConditionKind;
  readonly phase: 'start' | 'end';
}

const HEADER = 'patient,t,metric,kind,phase';
const KINDS: readonly ConditionKind[] = ['HI', 'LO', 'TEC'];
const CONDITION = /^([A-Za-z0-9]+):(HI|LO|TEC)(?:\/.*)?$/;

/**
 * CSV text with a header, each line ended by LF: by patient, then time, then column of the recording, then kind (HI, LO,
 * TEC), then end before start. `t` is in seconds.
 */
export function formatTransitions(transitions: readonly PatientTransition[]): string {
  const lines = transitions
    .toSorted(compare)
    .map((one) => `${one.patient},${one.timeMs / 1000},${one.metric},${one.kind},${one.phase}\n`);
  return `${HEADER}\n${lines.join('')}`;
}

/**
 * The transition that an event of the alert history tells of, or undefined: nothing began or ended, or the alert is not
 * about a metric of a patient. `origin` is the `observedAt` that stood for the recording's time 0.
 */
export function transitionOfEvent(
  event: AlertEvent,
  origin: number,
): PatientTransition | undefined {
  const phase = PHASES[event.effect];
  const [, metric, kindText] = CONDITION.exec(event.alert.condition) ?? [];
  const kind = KINDS.find((known) => known === kindText);
  const { patient } = event.alert.subject;
  if (phase === undefined || metric === undefined || kind === undefined || patient === undefined)
    return undefined;
  return { patient, timeMs: event.observedAt - origin, metric, kind, phase };
}

const PHASES: Readonly<Partial<Record<AlertEvent['effect'], 'start' | 'end'>>> = {
  raised: 'start',
  reactivated: 'start',
  cleared: 'end',
};

function compare(a: PatientTransition, b: PatientTransition): number {
  return (
    comparePatients(a.patient, b.patient) ||
    a.timeMs - b.timeMs ||
    columnOf(a.metric) - columnOf(b.metric) ||
    compareTexts(a.metric, b.metric) ||
    KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
    compareTexts(a.phase, b.phase)
  );
}

/** Metrics that no recording has come last. */
function columnOf(metric: string): number {
  const column = RECORDING_METRICS.indexOf(metric as MetricName);
  return column < 0 ? RECORDING_METRICS.length : column;
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
