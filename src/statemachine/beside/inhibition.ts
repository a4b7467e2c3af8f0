import type { Alert, AlertId } from '../types.ts';

/** An alert of the one kind explains those of the other that come from the same device. */
export interface InhibitRule {
  readonly name: string;
  /** Conditions that explain. */
  readonly sources: readonly string[];
  /** Beginnings of the conditions that are explained: only measurements of the sensor at fault. */
  readonly targets: readonly string[];
}

/**
 * What a sensor that is off cannot tell, and what one grave condition says already. Only within one device, and only about what
 * that very sensor measures: a loose electrode says nothing about the oxygen saturation, and never hides another sensor's
 * alarm.
 */
export const INHIBIT_RULES: readonly InhibitRule[] = [
  {
    name: 'ecg-off',
    sources: ['ECG:LEADS_OFF', 'ECG:INOP', 'ECG:TEC', 'HR:TEC'],
    targets: ['HR:', 'ECG:'],
  },
  {
    name: 'spo2-off',
    sources: ['SPO2:PROBE_OFF', 'SPO2:INOP', 'SPO2:TEC', 'SpO2:TEC', 'PROBE:OFF'],
    targets: ['SPO2:', 'SpO2:', 'PR:', 'PULSE:'],
  },
  {
    name: 'resp-off',
    sources: ['RESP:LEADS_OFF', 'RESP:INOP', 'RR:TEC', 'RESP:TEC'],
    targets: ['RR:', 'RESP:'],
  },
  {
    name: 'pressure-off',
    sources: ['ART:DISCONNECTED', 'ART:INOP', 'ABP:TEC', 'ART:TEC'],
    targets: ['ART:', 'ABP:'],
  },
  { name: 'asystole', sources: ['ECG:ASYSTOLE', 'HR:ASYSTOLE'], targets: ['HR:LO'] },
];

const EXPLAINING: ReadonlySet<string> = new Set(INHIBIT_RULES.flatMap(({ sources }) => sources));

/** Whether an alert of this condition can explain others. */
export const explains = (condition: string): boolean => EXPLAINING.has(condition);

const isExplaining = ({ condition, presence, staleSince, resolution }: Alert): boolean =>
  presence === 'present' &&
  staleSince === undefined &&
  resolution === undefined &&
  explains(condition);

/** Whether an alert explained others, and with this change no longer does. */
export const endsExplaining = (before: Alert, after: Alert): boolean =>
  isExplaining(before) && !(isExplaining(after) && before.subject.device === after.subject.device);

/** The open, present alerts among `neighbours` that explain this one. */
export function inhibitorsOf(alert: Alert, neighbours: Iterable<Alert>): readonly AlertId[] {
  const { condition, id, kind } = alert;
  if (kind !== 'physiological') return [];
  const rules = INHIBIT_RULES.filter(
    ({ sources, targets }) =>
      !sources.includes(condition) && targets.some((start) => condition.startsWith(start)),
  );
  if (rules.length === 0) return [];
  const found: AlertId[] = [];
  for (const other of neighbours)
    if (other.id !== id && isExplaining(other))
      if (rules.some(({ sources }) => sources.includes(other.condition))) found.push(other.id);
  return found;
}
