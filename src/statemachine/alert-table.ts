import { assert, must } from '../base/assert.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Last } from './records.ts';
import { SortedIds } from './sorted-ids.ts';
import type { Alert, AlertId, AlertRef } from './types.ts';

/** The number in an alert's id, or undefined when the text is not an id in its only spelling. */
export function idNumber(id: string): number | undefined {
  const value = Number(id.slice(1));
  return Number.isSafeInteger(value) && value >= 1 && `A${value}` === id ? value : undefined;
}

/** Where the newest record of an open alert is found from both its names. */
interface Slot {
  alert: Alert;
  /** Hash of what does not change while the alert lives. */
  readonly identity: number;
}

/**
 * Every alert that is kept: all open ones, the newest resolved ones, and of each condition that is
 * not open its newest occurrence's id and number.
 */
export class AlertTable {
  readonly #openByKey = new Map<string, Slot>();
  readonly #openById = new Map<number, Slot>();
  readonly #openIds = new SortedIds();
  readonly #resolved: BoundedMap<number, Alert>;
  readonly #resolvedIds = new SortedIds();
  readonly #last: BoundedMap<string, Last>;

  constructor(resolvedAlertsMax: number, dedupKeysRememberedMax: number) {
    this.#resolved = new BoundedMap(resolvedAlertsMax);
    this.#last = new BoundedMap(dedupKeysRememberedMax);
  }

  get openCount(): number {
    return this.#openById.size;
  }

  get resolvedCount(): number {
    return this.#resolved.size;
  }

  /** Conditions that are not open and whose newest occurrence is known. */
  get rememberedCount(): number {
    return this.#last.size;
  }

  /** The open alert under a dedup key. */
  openUnder(dedupKey: string): Alert | undefined {
    return this.#openByKey.get(dedupKey)?.alert;
  }

  /** The alert of this id, open or resolved, or the open one under this dedup key. */
  find(ref: AlertRef): Alert | undefined {
    if ('dedupKey' in ref) return this.openUnder(ref.dedupKey);
    const id = idNumber(ref.id);
    return id === undefined ? undefined : this.at(id);
  }

  /** The alert of this number. */
  at(id: number): Alert | undefined {
    return this.#openById.get(id)?.alert ?? this.#resolved.get(id);
  }

  /** The newest occurrence of a condition that is not open, as far as it is remembered. */
  lastOf(dedupKey: string): Last | undefined {
    return this.#last.get(dedupKey);
  }

  /** Numbers of open alerts above `id`, ascending. Not to be carried on after a change. */
  openAfter(id: number): Generator<number, undefined> {
    return this.#openIds.after(id);
  }

  /** The same of resolved alerts. */
  resolvedAfter(id: number): Generator<number, undefined> {
    return this.#resolvedIds.after(id);
  }

  /** Takes in a new occurrence, with the hash of what will not change of it. */
  open(alert: Alert, identity: number): void {
    const id = numberOf(alert.id);
    assert(!this.#openByKey.has(alert.dedupKey), `${alert.id} is a second open ${alert.dedupKey}`);
    assert(!this.#openById.has(id), `${alert.id} is open already`);
    const slot: Slot = { alert, identity };
    this.#openByKey.set(alert.dedupKey, slot);
    this.#openById.set(id, slot);
    this.#openIds.add(id);
    this.#last.delete(alert.dedupKey);
  }

  /**
   * Replaces the record of an open alert; a resolved one leaves the open ones for good. Returns the
   * hash given to `open`.
   */
  replace(alert: Alert): number {
    const slot = must(this.#openByKey.get(alert.dedupKey), `${alert.dedupKey} is not open`);
    assert(slot.alert.id === alert.id, `${alert.id} replaces ${slot.alert.id}`);
    slot.alert = alert;
    if (alert.resolution !== undefined) this.#retire(alert);
    return slot.identity;
  }

  #retire(alert: Alert): void {
    const id = numberOf(alert.id);
    this.#openByKey.delete(alert.dedupKey);
    this.#openById.delete(id);
    this.#openIds.delete(id);
    const dropped = this.#resolved.add(id, alert);
    this.#resolvedIds.add(id);
    if (dropped !== undefined) this.#resolvedIds.delete(numberOf(dropped.id));
    this.#last.add(alert.dedupKey, { id: alert.id, occurrence: alert.occurrence });
  }
}

const numberOf = (id: AlertId): number => must(idNumber(id), `not an alert id: ${id}`);
