import { assert, must } from '../../base/assert.ts';
import type { AlertLimits } from '../alert-limits.ts';
import { BoundedMap } from '../collections/bounded-map.ts';
import { KeyTable } from '../collections/key-table.ts';
import { Ring } from '../collections/ring.ts';
import {
  type Cursor,
  numbersAfter,
  SortedMap,
  type SortedView,
} from '../collections/sorted-map.ts';
import { isReweighed, weightOf } from '../quota.ts';
import { identityOf } from '../snapshot/digest.ts';
import type { Alert, AlertId, AlertRef } from '../types.ts';
import type { Last } from './records.ts';

/** The number in an alert's id, or undefined when the text is not an id in its only spelling. */
export function idNumber(id: string): number | undefined {
  if (id.length < 2 || id[0] !== 'A' || id[1] === '0') return undefined;
  let value = 0;
  for (let i = 1; i < id.length; i += 1) {
    const digit = id.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The table as it was at one moment. */
export interface TableView {
  /** In order of their ids. */
  readonly open: SortedView<Alert>;
  /** The same of the resolved ones. */
  readonly resolved: SortedView<Alert>;
  /** The numbers in their ids, in order of resolution. */
  readonly resolvedInOrder: Iterable<number>;
  /** Conditions that are not open, in order of resolution. */
  readonly remembered: SortedView<Remembered>;
}

/** The newest occurrence of a condition that is not open. */
interface Remembered extends Last {
  readonly dedupKey: string;
}

/**
 * Every alert that is kept: all open ones, the newest resolved ones, and of each condition that is
 * not open its newest occurrence's id and number.
 */
export class AlertTable {
  /** Beside each its identity: the hash of what does not change while it lives. */
  readonly #openByKey: KeyTable<string, Alert>;
  readonly #open = new SortedMap<Alert>();
  readonly #resolvedInOrder: Ring;
  readonly #resolved = new SortedMap<Alert>();
  readonly #last: BoundedMap<string, Remembered>;
  /** As for KeyTable; for other tables of the same machine. */
  readonly seed: number;
  #openBytes = 0;
  /** Told which resolved alert is no longer kept. */
  onDropped: (alert: Alert) => void = () => undefined;

  /** `seed` as for KeyTable. */
  constructor(
    limits: Pick<AlertLimits, 'resolvedAlertsMax' | 'dedupKeysRememberedMax'>,
    seed: number,
  ) {
    this.seed = seed;
    this.#openByKey = new KeyTable(({ dedupKey }) => dedupKey, seed);
    this.#resolvedInOrder = new Ring(limits.resolvedAlertsMax);
    this.#last = new BoundedMap(limits.dedupKeysRememberedMax, ({ dedupKey }) => dedupKey, seed);
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** What the open alerts weigh together. */
  get openBytes(): number {
    return this.#openBytes;
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
    return this.#openByKey.get(dedupKey);
  }

  /** The open alert with this number in its id. */
  opened(number: number): Alert {
    return must(this.#open.get(number), 'A% is not open', number);
  }

  /** The same, if it still is. */
  openAt(number: number): Alert | undefined {
    return this.#open.get(number);
  }

  /** The alert of this id, open or resolved, or the open one under this dedup key. */
  find(ref: AlertRef): Alert | undefined {
    if ('dedupKey' in ref) return this.openUnder(ref.dedupKey);
    const id = idNumber(ref.id);
    return id === undefined ? undefined : (this.#open.get(id) ?? this.#resolved.get(id));
  }

  /** The newest occurrence of a condition that is not open, as far as it is remembered. */
  lastOf(dedupKey: string): Last | undefined {
    return this.#last.get(dedupKey);
  }

  /** Open alerts with numbers above `id`, ascending. Not to be carried on after a change. */
  openAfter(id: number): Cursor<Alert> {
    return this.#open.after(id);
  }

  /** The next numbers of open alerts above `after`, ascending, at most `max`. */
  openNumbers(after: number, max: number): number[] {
    return numbersAfter(this.#open, after, max);
  }

  /** The same of resolved alerts. */
  resolvedAfter(id: number): Cursor<Alert> {
    return this.#resolved.after(id);
  }

  /** Everything as it is now; what is done later does not show. Costs a copy of the lists of blocks. */
  freeze(): TableView {
    return {
      open: this.#open.freeze(),
      resolved: this.#resolved.freeze(),
      resolvedInOrder: this.#resolvedInOrder.freeze(),
      remembered: this.#last.freeze(),
    };
  }

  /** Takes in a new occurrence, with the hash of what will not change of it. */
  open(alert: Alert, identity: number): void {
    const id = numberOf(alert.id);
    this.#openBytes += weightOf(alert);
    this.#openByKey.add(alert, identity);
    this.#open.add(id, alert);
    this.#last.delete(alert.dedupKey);
  }

  /**
   * Replaces the record of an open alert, which is `before`; a resolved one leaves the open ones for good. Returns the
   * hash given to `open`.
   */
  replace(before: Alert, alert: Alert): number {
    const { dedupKey } = alert;
    assert(before.id === alert.id, '% replaces %', alert.id, before.id);
    const identity = this.#openByKey.noteOf(dedupKey);
    const id = numberOf(alert.id);
    if (isReweighed(before, alert)) this.#openBytes += weightOf(alert) - weightOf(before);
    if (alert.resolution === undefined) {
      const newest = this.#openByKey.replace(alert);
      assert(newest === before, '% has changed since', before.id);
      this.#open.replace(id, alert);
    } else {
      this.#openByKey.delete(dedupKey);
      this.#openBytes -= weightOf(alert);
      const newest = this.#open.delete(id);
      assert(newest === before, '% has changed since', before.id);
      this.keep(alert);
      const { occurrence, flaps, resolution } = alert;
      this.#last.add({ dedupKey, id: alert.id, occurrence, endedAt: resolution.at, flaps });
    }
    return identity;
  }

  /** Replaces the record of a resolved alert, which is `before`. Returns the hash of what did not change. */
  correct(before: Alert, alert: Alert): number {
    const id = numberOf(alert.id);
    assert(this.#resolved.get(id) === before, '% has changed since', before.id);
    this.#resolved.replace(id, alert);
    return identityOf(alert);
  }

  /** Takes in a resolved alert; the one resolved longest ago goes when there are too many. */
  keep(alert: Alert): void {
    const id = numberOf(alert.id);
    this.#resolved.add(id, alert);
    const dropped = this.#resolvedInOrder.add(id);
    if (dropped !== undefined) this.onDropped(this.#resolved.delete(dropped));
  }

  /** Notes the newest occurrence of a condition that is not open. */
  remember(dedupKey: string, { id, occurrence, endedAt, flaps }: Last): void {
    this.#last.add({ dedupKey, id, occurrence, endedAt, flaps });
  }
}

const numberOf = (id: AlertId): number => must(idNumber(id), 'not an alert id: %', id);
