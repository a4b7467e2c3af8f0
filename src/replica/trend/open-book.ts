/** A condition that is present according to the store. */
export interface OpenCondition {
  readonly key: string;
  readonly patient: string;
  /** Undefined = the samples of several devices make it up. */
  readonly device: string | undefined;
  /** Id of the rule that raised it; undefined = no rule did. */
  readonly rule: string | undefined;
}

/** What is open in the store, by dedup key and by whom it is about: what whoever begins to speak for a stream must know. */
export class OpenBook {
  readonly #byKey: Map<string, OpenCondition> = new Map();
  readonly #bySource: Map<string, Set<OpenCondition>> = new Map();

  put(condition: OpenCondition): void {
    this.remove(condition.key);
    this.#byKey.set(condition.key, condition);
    const source = sourceOf(condition.patient, condition.device);
    const all = this.#bySource.get(source);
    if (all === undefined) this.#bySource.set(source, new Set([condition]));
    else all.add(condition);
  }

  remove(key: string): void {
    const known = this.#byKey.get(key);
    if (known === undefined) return;
    this.#byKey.delete(key);
    const source = sourceOf(known.patient, known.device);
    const all = this.#bySource.get(source);
    all?.delete(known);
    if (all?.size === 0) this.#bySource.delete(source);
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  all(): Iterable<OpenCondition> {
    return this.#byKey.values();
  }

  /** Those of a patient at a device; without one, those that are of the patient as a whole. */
  of(patient: string, device: string | undefined): Iterable<OpenCondition> {
    return this.#bySource.get(sourceOf(patient, device)) ?? [];
  }
}

const sourceOf = (patient: string, device: string | undefined): string =>
  JSON.stringify([patient, device ?? null]);
