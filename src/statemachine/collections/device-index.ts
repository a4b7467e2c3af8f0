import type { Alert } from '../types.ts';

/** Dedup keys of open alerts, by the device that they are about: all of them, or those of some conditions. */
export class DeviceIndex {
  readonly #keys = new Map<string, Set<string>>();
  readonly #isWanted: (condition: string) => boolean;

  constructor(isWanted: (condition: string) => boolean = () => true) {
    this.#isWanted = isWanted;
  }

  /** In the order in which they came to the device. */
  of(device: string): Iterable<string> {
    return this.#keys.get(device) ?? [];
  }

  /** A record takes the place of the one before, if there was one. */
  file(before: Alert | undefined, alert: Alert): void {
    if (!this.#isWanted(alert.condition)) return;
    const was = before?.resolution === undefined ? before?.subject.device : undefined;
    const is = alert.resolution === undefined ? alert.subject.device : undefined;
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
