import { must } from '../../base/assert.ts';
import type { UnixMillis } from '../../base/ids.ts';
import { idNumber } from '../alerts/alert-id.ts';
import { BoundedMap } from '../collections/bounded-map.ts';
import { SortedMap, type SortedView } from '../collections/sorted-map.ts';
import type { AlertId, Asked } from '../types.ts';

/** `N` and a number that rises with each notification. */
export type NotificationId = `N${number}`;

/**
 * Queued: to be sent by whoever leads. Sent: handed over. Confirmed: it arrived at a device. Accepted, rejected: a person
 * answered. Failed, expired: it did not arrive, or nobody knows, within its time. Cancelled: no longer needed.
 */
export type NotificationState =
  | 'queued'
  | 'sent'
  | 'confirmed'
  | 'accepted'
  | 'rejected'
  | 'failed'
  | 'expired'
  | 'cancelled';

/** That somebody is to be told of an alert, by one step of its policy. Written before anything is sent. */
export interface Notification {
  readonly id: NotificationId;
  readonly version: number;
  readonly alert: AlertId;
  readonly activation: number;
  readonly loop: number;
  readonly step: number;
  readonly target: string;
  readonly state: NotificationState;
  readonly createdAt: UnixMillis;
  readonly changedAt: UnixMillis;
  /** When it expires unless it was confirmed; undefined = it no longer can. */
  readonly dueAt: UnixMillis | undefined;
  /** Who was really told, where the target is a schedule or a role. */
  readonly to: string | undefined;
  readonly detail: string | undefined;
}

/** What became of a notification, told by the sender. */
export interface ReportCommand extends Asked {
  readonly type: 'report';
  readonly notification: NotificationId;
  readonly outcome: 'sent' | 'confirmed' | 'failed';
  readonly to?: string;
  readonly detail?: string;
}

export type NotificationCommand = ReportCommand;

const SCHEDULE = 'schedule:';

/** The schedule that a target names, if it names one. */
export const scheduleOf = (target: string): string | undefined =>
  target.startsWith(SCHEDULE) ? target.slice(SCHEDULE.length) : undefined;

/** Where it is sent: to the person who was on call, where the target is a schedule. */
export const addressOf = ({ target, to }: Pick<Notification, 'target' | 'to'>): string =>
  scheduleOf(target) === undefined || to === undefined ? target : `user:${to}`;

/** A notification that something may yet come of. */
export const isLive = ({ state }: Notification): boolean =>
  state === 'queued' || state === 'sent' || state === 'confirmed';

/** Where each state may lead; a report of what is already so, or was overtaken, changes nothing. */
export const NEXT_STATES: Readonly<Record<NotificationState, readonly NotificationState[]>> = {
  queued: ['sent', 'confirmed', 'accepted', 'rejected', 'failed', 'expired', 'cancelled'],
  sent: ['confirmed', 'accepted', 'rejected', 'failed', 'expired', 'cancelled'],
  confirmed: ['accepted', 'rejected', 'cancelled'],
  accepted: [],
  rejected: [],
  failed: [],
  expired: [],
  cancelled: [],
};

/** The live notifications, all of them, and the newest of the others. */
export class Notifications {
  readonly #live = new SortedMap<Notification>();
  readonly #over: BoundedMap<number, Notification>;
  /** The same by their numbers, for whoever looks through all. */
  readonly #overInOrder = new SortedMap<Notification>();
  /** Numbers of the queued ones, ascending: what has to be sent. */
  readonly #queued = new SortedMap<Notification>();
  /** Numbers of the live ones of each alert, by its number. */
  readonly #ofAlert = new SortedMap<readonly number[]>();
  #newest = 0;

  constructor(overMax: number) {
    this.#over = new BoundedMap(overMax, ({ id }) => numberOf(id));
  }

  /** The newest number given so far. */
  get newest(): number {
    return this.#newest;
  }

  get liveCount(): number {
    return this.#live.size;
  }

  get(number: number): Notification | undefined {
    return this.#live.get(number) ?? this.#over.get(number);
  }

  /** The live ones of an alert, oldest first. */
  liveOf(alert: AlertId): readonly Notification[] {
    const numbers = this.#ofAlert.get(alertNumber(alert)) ?? [];
    return numbers.map((number) => must(this.#live.get(number), `N${number} is not live`));
  }

  /** The oldest that have to be sent. */
  queued(countMax: number): Notification[] {
    const found: Notification[] = [];
    const cursor = this.#queued.after(0);
    while (found.length < countMax && cursor.next()) found.push(cursor.value);
    return found;
  }

  /** Those above a number, live or not, ascending. */
  after(number: number, countMax: number): Notification[] {
    const found: Notification[] = [];
    const live = this.#live.after(number);
    const over = this.#overInOrder.after(number);
    let [isLive, isOver] = [live.next(), over.next()];
    while (found.length < countMax && (isLive || isOver))
      if (isLive && (!isOver || live.id < over.id)) {
        found.push(live.value);
        isLive = live.next();
      } else {
        found.push(over.value);
        isOver = over.next();
      }
    return found;
  }

  nextId(): NotificationId {
    this.#newest += 1;
    return `N${this.#newest}`;
  }

  /** Takes in a new one, or the next version of a live one. */
  put(notification: Notification): void {
    const number = numberOf(notification.id);
    const before = this.#live.get(number);
    if (!isLive(notification)) {
      if (before !== undefined) this.#forget(number, before);
      const dropped = this.#over.add(notification);
      this.#overInOrder.add(number, notification);
      if (dropped !== undefined) this.#overInOrder.delete(numberOf(dropped.id));
      return;
    }
    if (before === undefined) {
      this.#live.add(number, notification);
      const alert = alertNumber(notification.alert);
      const others = this.#ofAlert.get(alert);
      if (others === undefined) this.#ofAlert.add(alert, [number]);
      else this.#ofAlert.replace(alert, [...others, number]);
    } else {
      this.#live.replace(number, notification);
      if (before.state === 'queued') this.#queued.delete(number);
    }
    if (notification.state === 'queued') this.#queued.add(number, notification);
  }

  capture(): NotificationCapture {
    return { newest: this.#newest, live: this.#live.freeze(), over: this.#over.freeze() };
  }

  /** Numbers go on after this one. */
  begin(newest: number): void {
    this.#newest = newest;
  }

  #forget(number: number, before: Notification): void {
    this.#live.delete(number);
    if (before.state === 'queued') this.#queued.delete(number);
    const alert = alertNumber(before.alert);
    const others = (this.#ofAlert.get(alert) ?? []).filter((one) => one !== number);
    if (others.length === 0) this.#ofAlert.delete(alert);
    else this.#ofAlert.replace(alert, others);
  }
}

export interface NotificationCapture {
  readonly newest: number;
  readonly live: SortedView<Notification>;
  /** In the order in which they were over. */
  readonly over: SortedView<Notification>;
}

const alertNumber = (id: AlertId): number => must(idNumber(id), 'not an alert id: %', id);

export const numberOf = (id: NotificationId): number => Number(id.slice(1));
