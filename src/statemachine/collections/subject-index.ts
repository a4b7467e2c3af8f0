import type { Alert, Subject } from '../types.ts';

/** Dedup keys of open alerts, by the device, bed or patient that they are about: all of them, or those of some conditions. */
export class SubjectIndex {
  readonly #keys = new Map<string, Set<string>>();
  readonly #field: keyof Subject;
  readonly #isWanted: (condition: string) => boolean;

  constructor(field: keyof Subject, isWanted: (condition: string) => boolean = () => true) {
    this.#field = field;
    this.#isWanted = isWanted;
  }

  /** In the order in which they came to the device, or whatever it is. */
  of(value: string): Iterable<string> {
    return this.#keys.get(value) ?? [];
  }

  /** A record takes the place of the one before, if there was one. */
  file(before: Alert | undefined, alert: Alert): void {
    if (!this.#isWanted(alert.condition)) return;
    const was = before?.resolution === undefined ? before?.subject[this.#field] : undefined;
    const is = alert.resolution === undefined ? alert.subject[this.#field] : undefined;
    if (was === is) return;
    const { dedupKey } = alert;
    const left = was === undefined ? undefined : this.#keys.get(was);
    left?.delete(dedupKey);
    if (was !== undefined && left?.size === 0) this.#keys.delete(was);
    if (is === undefined) return;
    const there = this.#keys.get(is);
    if (there === undefined) this.#keys.set(is, new Set([dedupKey]));
    else there.add(dedupKey);
  }
}
