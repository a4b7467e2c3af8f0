import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import { INHIBITIONS_MAX } from '../../base/limits.ts';
import type { Alert, AlertId, Asked } from '../types.ts';
import { type RecordBase, Registry } from './registry.ts';

/**
 * What alerts of some conditions explain of those that come from the same device. Never more: a loose electrode says nothing
 * about the oxygen saturation, and hides no other sensor's alarm.
 */
export interface Inhibition {
  /** Conditions that explain: `ECG:LEADS_OFF`. */
  readonly sources: readonly string[];
  /** Beginnings of the conditions that are explained, which name a measurement: `HR:`. */
  readonly targets: readonly string[];
}

/** The same as it is kept. */
export interface KeptInhibition extends RecordBase, Inhibition {
  readonly by: string;
  readonly changedAt: UnixMillis;
}

/** Makes a rule, or the next version of one. */
export interface SetInhibitionCommand extends Asked, Inhibition {
  readonly type: 'set-inhibition';
  readonly id: string;
  /** Refuse unless it is at this version; 0 = unless there is none. */
  readonly expectedVersion?: number;
}

export interface RemoveInhibitionCommand extends Asked {
  readonly type: 'remove-inhibition';
  readonly id: string;
}

/** The rules are again those that a new cluster begins with, and no others. */
export interface RestoreInhibitionsCommand extends Asked {
  readonly type: 'restore-inhibitions';
}

export type InhibitionCommand =
  | SetInhibitionCommand
  | RemoveInhibitionCommand
  | RestoreInhibitionsCommand;

/** What a sensor that is off cannot tell, and what one grave condition says already. */
export const DEFAULT_INHIBITIONS: readonly (Inhibition & { readonly id: string })[] = [
  {
    id: 'ecg-off',
    sources: ['ECG:LEADS_OFF', 'ECG:INOP', 'ECG:TEC', 'HR:TEC'],
    targets: ['HR:', 'ECG:'],
  },
  {
    id: 'spo2-off',
    sources: ['SPO2:PROBE_OFF', 'SPO2:INOP', 'SPO2:TEC', 'SpO2:TEC', 'PROBE:OFF'],
    targets: ['SPO2:', 'SpO2:', 'PR:', 'PULSE:'],
  },
  {
    id: 'resp-off',
    sources: ['RESP:LEADS_OFF', 'RESP:INOP', 'RR:TEC', 'RESP:TEC'],
    targets: ['RR:', 'RESP:'],
  },
  {
    id: 'pressure-off',
    sources: ['ART:DISCONNECTED', 'ART:INOP', 'ABP:TEC', 'ART:TEC'],
    targets: ['ART:', 'ABP:'],
  },
  { id: 'asystole', sources: ['ECG:ASYSTOLE', 'HR:ASYSTOLE'], targets: ['HR:LO'] },
];

/** Whether a beginning says which measurement it is of. */
export const namesMeasurement = (target: string): boolean => /^[^:]+:/.test(target);

/** The rules in force. A new cluster begins with the clinical defaults. */
export class Inhibitions {
  readonly registry: Registry<KeptInhibition>;
  /** Those of the registry. */
  #rules: readonly KeptInhibition[] = [];
  #explaining: ReadonlySet<string> = new Set();

  constructor() {
    this.registry = new Registry<KeptInhibition>(INHIBITIONS_MAX, 1, () => true);
    const changedAt = unixMillis(0);
    // The fields in the order in which a snapshot has them: it counts for the digest.
    for (const { id, sources, targets } of DEFAULT_INHIBITIONS)
      this.registry.put({ id, version: 1, sources, targets, by: 'tocsin', changedAt });
    this.renew();
  }

  /** Nothing explains anything: for rules of a snapshot. */
  clear(): void {
    for (const { id } of [...this.registry.liveOnes()]) this.registry.remove(id);
    this.renew();
  }

  /** The registry has changed. Whether others than before can explain. */
  renew(): boolean {
    const before = this.#explaining;
    this.#rules = [...this.registry.liveOnes()];
    this.#explaining = new Set(this.#rules.flatMap(({ sources }) => sources));
    return before.size !== this.#explaining.size || [...before].some((one) => !this.explains(one));
  }

  /** Whether an alert of this condition can explain others. */
  explains(condition: string): boolean {
    return this.#explaining.has(condition);
  }

  /** Whether an alert explained others, and with this change no longer does. */
  endsExplaining(before: Alert, after: Alert): boolean {
    if (!this.#isExplaining(before)) return false;
    return !(this.#isExplaining(after) && before.subject.device === after.subject.device);
  }

  /** Whether an alert of the condition `source`, at the same device, explains this one. */
  explainedBy(source: string, { kind, condition }: Alert): boolean {
    return (
      kind === 'physiological' &&
      this.#rulesAbout(condition).some(({ sources }) => sources.includes(source))
    );
  }

  /** The open, present alerts among `neighbours` that explain this one. */
  inhibitorsOf(alert: Alert, neighbours: Iterable<Alert>): readonly AlertId[] {
    const { condition, id, kind } = alert;
    if (kind !== 'physiological') return [];
    const found: AlertId[] = [];
    let rules: readonly KeptInhibition[] | undefined;
    for (const other of neighbours) {
      if (other.id === id || !this.#isExplaining(other)) continue;
      rules ??= this.#rulesAbout(condition);
      if (rules.some(({ sources }) => sources.includes(other.condition))) found.push(other.id);
    }
    return found;
  }

  #rulesAbout(condition: string): readonly KeptInhibition[] {
    return this.#rules.filter(
      ({ sources, targets }) =>
        !sources.includes(condition) && targets.some((start) => condition.startsWith(start)),
    );
  }

  #isExplaining({ condition, presence, staleSince, resolution }: Alert): boolean {
    return (
      presence === 'present' &&
      staleSince === undefined &&
      resolution === undefined &&
      this.explains(condition)
    );
  }
}
