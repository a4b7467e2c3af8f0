import type { Revision } from '../../base/ids.ts';

/** A condition, and whom it is about. */
export interface PatientCondition {
  readonly key: string;
  readonly patient: string;
  /** Undefined = the samples of several devices make it up. */
  readonly device: string | undefined;
}

/** One that is present according to the store. */
export interface OpenCondition extends PatientCondition {
  /** Id of the rule that raised it; undefined = no rule did. */
  readonly rule: string | undefined;
  /** What is the matter, without whom it is about: the last part of the key. */
  readonly condition: string;
  /** Of its newest change. */
  readonly revision: Revision;
}

/** What one rule raised of one condition. */
export interface RaisedByRule {
  readonly rule: string;
  readonly condition: string;
  readonly raised: ReadonlySet<OpenCondition>;
}

/**
 * What is open in the store, by dedup key, by whom it is about and by what raised it: what whoever begins to speak for a
 * stream must know.
 */
export class OpenBook {
  readonly #byKey: Map<string, OpenCondition> = new Map();
  readonly #bySource: Map<string, Set<OpenCondition>> = new Map();
  readonly #byRule: Map<string, RaisedByRule & { readonly raised: Set<OpenCondition> }> = new Map();

  put(open: OpenCondition): void {
    this.remove(open.key);
    this.#byKey.set(open.key, open);
    const source = sourceOf(open.patient, open.device);
    const all = this.#bySource.get(source);
    if (all === undefined) this.#bySource.set(source, new Set([open]));
    else all.add(open);
    if (open.rule === undefined) return;
    const { rule, condition } = open;
    const raised = this.#byRule.get(nameOf(rule, condition))?.raised;
    if (raised !== undefined) raised.add(open);
    else this.#byRule.set(nameOf(rule, condition), { rule, condition, raised: new Set([open]) });
  }

  remove(key: string): void {
    const known = this.#byKey.get(key);
    if (known === undefined) return;
    this.#byKey.delete(key);
    const source = sourceOf(known.patient, known.device);
    const all = this.#bySource.get(source);
    all?.delete(known);
    if (all?.size === 0) this.#bySource.delete(source);
    if (known.rule === undefined) return;
    const name = nameOf(known.rule, known.condition);
    const raised = this.#byRule.get(name)?.raised;
    raised?.delete(known);
    if (raised?.size === 0) this.#byRule.delete(name);
  }

  get(key: string): OpenCondition | undefined {
    return this.#byKey.get(key);
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** As many as there are rules, however many alerts they raised. */
  byRule(): Iterable<RaisedByRule> {
    return this.#byRule.values();
  }

  /** Those of a patient at a device; without one, those that are of the patient as a whole. */
  of(patient: string, device: string | undefined): Iterable<OpenCondition> {
    return this.#bySource.get(sourceOf(patient, device)) ?? [];
  }
}

const sourceOf = (patient: string, device: string | undefined): string =>
  JSON.stringify([patient, device ?? null]);

const nameOf = (rule: string, condition: string): string => JSON.stringify([rule, condition]);
