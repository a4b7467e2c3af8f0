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
import type { Layout } from '../layout.ts';
import { isReweighed, weightOf } from '../quota.ts';
import { identityOf } from '../snapshot/digest.ts';
import type { Alert, AlertId, AlertRef, Glance } from '../types.ts';
import { idNumber } from './alert-id.ts';
import { type AlertsView, type Cell, PackedAlerts, UNPACKED } from './packed-alerts.ts';
import type { Last } from './records.ts';

/** The table as it was at one moment. */
export interface TableView {
  /** In order of their ids. */
  readonly open: AlertsView;
  /** The same of the resolved ones. */
  readonly resolved: AlertsView;
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
  readonly #openByKey: KeyTable<string, Cell>;
  readonly #open = new SortedMap<Cell>();
  readonly #resolvedInOrder: Ring;
  readonly #resolved = new SortedMap<Cell>();
  readonly #packed: PackedAlerts;
  /** Numbers of those that are objects, in order of when they became so; undefined = all stay so. */
  readonly #unpacked: Ring | undefined;
  readonly #last: BoundedMap<string, Remembered>;
  /** For other tables of the same machine. */
  readonly seed: number;
  #openBytes = 0;
  /** Told which resolved alert is no longer kept. */
  onDropped: (alert: Alert) => void = () => undefined;

  constructor(
    limits: Pick<AlertLimits, 'resolvedAlertsMax' | 'dedupKeysRememberedMax'>,
    { seed, packing }: Layout,
  ) {
    this.seed = seed;
    const { codec, unpackedMax, slabBytes } = packing ?? UNPACKED;
    this.#packed = new PackedAlerts(codec, slabBytes, (alert, to) => this.#put(alert, to));
    this.#unpacked = packing && new Ring(unpackedMax);
    this.#openByKey = new KeyTable((cell) => this.#packed.dedupKeyOf(cell), seed);
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
    return this.#alertOf(this.#openByKey.get(dedupKey));
  }

  /** The open alert with this number in its id. */
  opened(number: number): Alert {
    return must(this.openAt(number), 'A% is not open', number);
  }

  /** The same, if it still is. */
  openAt(number: number): Alert | undefined {
    return this.#alertOf(this.#open.get(number));
  }

  /** What a look at the open alert with this number wants, if there is one: little of it is decoded. */
  glanceAt(number: number): Glance | undefined {
    const cell = this.#open.get(number);
    return cell === undefined ? undefined : this.#packed.glanceAt(cell);
  }

  /** Whether this is what there is of the alert, open or resolved. */
  isNewest({ id, revision }: Glance): boolean {
    const number = numberOf(id);
    const cell = this.#open.get(number) ?? this.#resolved.get(number);
    return cell !== undefined && this.#packed.glanceAt(cell).revision === revision;
  }

  /** The alert of this id, open or resolved, or the open one under this dedup key. */
  find(ref: AlertRef): Alert | undefined {
    if ('dedupKey' in ref) return this.openUnder(ref.dedupKey);
    const id = idNumber(ref.id);
    return id === undefined
      ? undefined
      : this.#alertOf(this.#open.get(id) ?? this.#resolved.get(id));
  }

  /** The newest occurrence of a condition that is not open, as far as it is remembered. */
  lastOf(dedupKey: string): Last | undefined {
    return this.#last.get(dedupKey);
  }

  /** Open alerts with numbers above `id`, ascending. Not to be carried on after a change. */
  openAfter(id: number): AlertCursor {
    return new AlertCursor(this.#open.after(id), this.#packed);
  }

  /** The one under a dedup key, if it is open and above `id`. */
  openUnderAfter(dedupKey: string, id: number): AlertCursor {
    const only = new SortedMap<Cell>();
    const alert = this.openUnder(dedupKey);
    if (alert !== undefined) only.add(numberOf(alert.id), alert);
    return new AlertCursor(only.after(id), this.#packed);
  }

  /** The next numbers of open alerts above `after`, ascending, at most `max`. */
  openNumbers(after: number, max: number): number[] {
    return numbersAfter(this.#open, after, max);
  }

  /** The same of resolved alerts. */
  resolvedAfter(id: number): AlertCursor {
    return new AlertCursor(this.#resolved.after(id), this.#packed);
  }

  /** Everything as it is now; what is done later does not show. Costs a copy of the lists of blocks. */
  freeze(): TableView {
    return {
      open: this.#packed.view(this.#open.freeze()),
      resolved: this.#packed.view(this.#resolved.freeze()),
      resolvedInOrder: this.#resolvedInOrder.freeze(),
      remembered: this.#last.freeze(),
    };
  }

  /** Takes in a new occurrence, with the hash of what will not change of it. */
  open(alert: Alert, identity: number): void {
    this.#add(alert, alert, identity);
    this.#hasChanged(numberOf(alert.id));
  }

  /** The same of one that was opened long ago. */
  restore(alert: Alert, identity: number): void {
    this.#add(alert, this.#atRest(alert), identity);
  }

  /**
   * Replaces the record of an open alert, which is `before`; a resolved one leaves the open ones for good. Returns the
   * hash given to `open`.
   */
  replace(before: Alert, alert: Alert): number {
    const { dedupKey, resolution } = alert;
    assert(before.id === alert.id, '% replaces %', alert.id, before.id);
    const identity = this.#openByKey.noteOf(dedupKey);
    const id = numberOf(alert.id);
    if (isReweighed(before, alert)) this.#openBytes += weightOf(alert) - weightOf(before);
    let newest: Cell;
    if (resolution === undefined) {
      newest = this.#openByKey.replace(alert);
      this.#open.replace(id, alert);
    } else {
      this.#openByKey.delete(dedupKey);
      newest = this.#open.delete(id);
      this.#openBytes -= weightOf(alert);
    }
    this.#expect(newest, before);
    // At once: whatever moves meanwhile, no table knows of it any more.
    this.#packed.drop(newest);
    if (resolution !== undefined) {
      this.#keep(id, alert);
      const { occurrence, flaps } = alert;
      this.#last.add({ dedupKey, id: alert.id, occurrence, endedAt: resolution.at, flaps });
    }
    if (typeof newest === 'number') this.#hasChanged(id);
    return identity;
  }

  /** Replaces the record of a resolved alert, which is `before`. Returns the hash of what did not change. */
  correct(before: Alert, alert: Alert): number {
    const id = numberOf(alert.id);
    const newest = must(this.#resolved.get(id), '% is not kept', alert.id);
    this.#expect(newest, before);
    this.#resolved.replace(id, alert);
    this.#packed.drop(newest);
    if (typeof newest === 'number') this.#hasChanged(id);
    return identityOf(alert);
  }

  /** Takes in an alert that was resolved long ago. */
  keep(alert: Alert): void {
    this.#keep(numberOf(alert.id), this.#atRest(alert));
  }

  /** Notes the newest occurrence of a condition that is not open. */
  remember(dedupKey: string, { id, occurrence, endedAt, flaps }: Last): void {
    this.#last.add({ dedupKey, id, occurrence, endedAt, flaps });
  }

  #add(alert: Alert, cell: Cell, identity: number): void {
    this.#openBytes += weightOf(alert);
    this.#openByKey.add(cell, identity, alert.dedupKey);
    this.#open.add(numberOf(alert.id), cell);
    this.#last.delete(alert.dedupKey);
  }

  /** Among the resolved ones; the one resolved longest ago goes when there are too many. */
  #keep(id: number, cell: Cell): void {
    this.#resolved.add(id, cell);
    const dropped = this.#resolvedInOrder.add(id);
    if (dropped === undefined) return;
    const gone = this.#resolved.delete(dropped);
    this.onDropped(this.#packed.alertOf(gone));
    this.#packed.drop(gone);
  }

  /** `before`, from which a change was worked out, is the record that there is. */
  #expect(newest: Cell, before: Alert): void {
    const isNewest =
      newest === before ||
      (typeof newest === 'number' && this.#packed.glanceAt(newest).revision === before.revision);
    assert(isNewest, '% has changed since', before.id);
  }

  #alertOf(cell: Cell | undefined): Alert | undefined {
    return cell === undefined ? undefined : this.#packed.alertOf(cell);
  }

  #atRest(alert: Alert): Cell {
    return this.#unpacked === undefined ? alert : this.#packed.pack(alert);
  }

  /** An alert is an object now: the one that has been so for longest is packed when there are too many. */
  #hasChanged(id: number): void {
    const oldest = this.#unpacked?.add(id);
    if (oldest === undefined) return;
    const cell = this.#open.get(oldest) ?? this.#resolved.get(oldest);
    if (cell !== undefined && typeof cell !== 'number') this.#put(cell, this.#packed.pack(cell));
  }

  /** An alert is packed, and lies there. */
  #put(alert: Alert, place: number): void {
    const id = numberOf(alert.id);
    if (alert.resolution !== undefined) this.#resolved.replace(id, place);
    else {
      this.#open.replace(id, place);
      this.#openByKey.replace(place, alert.dedupKey);
    }
  }
}

/** An alert that has been come to. */
export interface Met {
  /** The number in its id. */
  readonly id: number;
  /** Little of it is decoded. */
  readonly glance: Glance;
  readonly value: Alert;
}

/** Walks over alerts in order of the numbers in their ids: call `next` first. Not to be carried on after a change. */
export class AlertCursor implements Met {
  readonly #cells: Cursor<Cell>;
  readonly #packed: PackedAlerts;

  constructor(cells: Cursor<Cell>, packed: PackedAlerts) {
    this.#cells = cells;
    this.#packed = packed;
  }

  /** Moves to the next one; false at the end. */
  next(): boolean {
    return this.#cells.next();
  }

  get id(): number {
    return this.#cells.id;
  }

  get glance(): Glance {
    return this.#packed.glanceAt(this.#cells.value);
  }

  get value(): Alert {
    return this.#packed.alertOf(this.#cells.value);
  }
}

const numberOf = (id: AlertId): number => must(idNumber(id), 'not an alert id: %', id);
