import type { Clock } from '../../base/clock.ts';
import { CLIENT_ADDRESSES_LEARNED_MAX, CLIENT_SUSPECT_MS } from '../../base/limits.ts';

/** The replicas a client knows, most promising first. */
export class AddressBook {
  readonly #given: ReadonlySet<string>;
  readonly #clock: Clock;
  #order: string[];
  readonly #suspectUntil = new Map<string, number>();

  constructor(given: readonly string[], clock: Clock) {
    this.#given = new Set(given);
    this.#order = [...this.#given];
    this.#clock = clock;
  }

  /** All of them, those that went silent a moment ago last. */
  candidates(): readonly string[] {
    const now = this.#clock.monotonic();
    const isSuspect = (address: string): boolean => (this.#suspectUntil.get(address) ?? 0) > now;
    return [
      ...this.#order.filter((address) => !isSuspect(address)),
      ...this.#order.filter(isSuspect),
    ];
  }

  /** A member's address. The least promising learned one makes room when there are too many. */
  learn(address: string): void {
    if (this.#order.includes(address)) return;
    const learned = this.#order.filter((known) => !this.#given.has(known));
    if (learned.length >= CLIENT_ADDRESSES_LEARNED_MAX) this.#drop(learned.at(-1));
    this.#order.push(address);
  }

  /** Somebody says that this one leads. */
  promote(address: string): void {
    this.learn(address);
    this.#order = [address, ...this.#order.filter((known) => known !== address)];
  }

  /** This one does not lead, or cannot be reached. */
  demote(address: string): void {
    if (!this.#order.includes(address)) return;
    this.#order = [...this.#order.filter((known) => known !== address), address];
  }

  /** This one keeps its connections open and says nothing. */
  suspect(address: string): void {
    this.demote(address);
    if (this.#order.includes(address))
      this.#suspectUntil.set(address, this.#clock.monotonic() + CLIENT_SUSPECT_MS);
  }

  #drop(address: string | undefined): void {
    if (address === undefined) return;
    this.#order = this.#order.filter((known) => known !== address);
    this.#suspectUntil.delete(address);
  }
}
