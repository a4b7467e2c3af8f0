import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import { INHIBITIONS_MAX } from '../../base/limits.ts';
import type { Alert, Asked, Glance } from '../types.ts';
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

  /** The registry has changed. */
  renew(): void {
    this.#rules = [...this.registry.liveOnes()];
    this.#explaining = new Set(this.#rules.flatMap(({ sources }) => sources));
  }

  get rules(): readonly Inhibition[] {
    return this.#rules;
  }

  /** Whether an alert of this condition can explain others. */
  explains(condition: string): boolean {
    return this.#explaining.has(condition);
  }

  /** The conditions that explain this alert where they are. */
  explainersOf(alert: Alert): readonly string[] {
    const rules = this.#rules.filter((rule) => isAbout(rule, alert));
    return [...new Set(rules.flatMap(({ sources }) => sources))];
  }
}

/** Whether an alert is one that the rule explains, where one of its sources is. None explains another of them. */
export const isAbout = ({ sources, targets }: Inhibition, { kind, condition }: Glance): boolean =>
  kind === 'physiological' &&
  targets.some((start) => condition.startsWith(start)) &&
  !sources.includes(condition);
