import { assert, must } from '../base/assert.ts';
import { type UnixMillis, unixMillis } from '../base/ids.ts';
import { UNIX_MILLIS_MAX } from '../base/limits.ts';
import { countUpTo, SortedMap } from './collections/sorted-map.ts';

/** What becomes due; the order decides between those that are due at the same instant for the same thing. */
const KINDS = [
  'acknowledgement',
  'escalation',
  'pause',
  'notification',
  'source',
  'silence',
  'window',
  'session',
  'patient',
  'schedule',
  'sweep',
] as const;
export type TimerKind = (typeof KINDS)[number];

export interface Timer {
  readonly kind: TimerKind;
  /** Of the alert, or of the record. */
  readonly number: number;
}

const KINDS_MAX = 16;

/**
 * What will be due, in the order of the instants, then of the numbers; sweeps, which are about very many alerts, after all that
 * is due to single ones. An index and no state: each instant stands in the record that it is about, so a snapshot does without
 * it, and a timer is set and cancelled exactly, never left to be recognised as outdated.
 */
export class Timers {
  readonly #single = new Queue();
  readonly #sweeps = new Queue();

  /** The first instant at which something is due; infinity when nothing will be. */
  get next(): number {
    return Math.min(this.#single.next, this.#sweeps.next);
  }

  set(kind: TimerKind, number: number, dueAt: UnixMillis): void {
    this.#queueOf(kind).set(keyOf(kind, number), dueAt);
  }

  /** Cancels what was set for this instant. */
  cancel(kind: TimerKind, number: number, dueAt: UnixMillis): void {
    this.#queueOf(kind).cancel(keyOf(kind, number), dueAt);
  }

  /** Sets, moves or cancels a timer whose instant changed. */
  change(
    kind: TimerKind,
    number: number,
    before: UnixMillis | undefined,
    after: UnixMillis | undefined,
  ): void {
    if (before === after) return;
    if (before !== undefined) this.cancel(kind, number, before);
    if (after !== undefined) this.set(kind, number, after);
  }

  /** The first timer that is due at `now`, if one is. It stays until its record changes. */
  firstDue(now: UnixMillis): Timer | undefined {
    return this.#single.firstDue(now) ?? this.firstSweep(now);
  }

  /** The first of a sweep. */
  firstSweep(now: UnixMillis): Timer | undefined {
    return this.#sweeps.firstDue(now);
  }

  #queueOf(kind: TimerKind): Queue {
    return isSweep(kind) ? this.#sweeps : this.#single;
  }
}

export const isSweep = (kind: TimerKind): boolean => kind === 'patient' || kind === 'sweep';

class Queue {
  /** Ascending keys of what is due at an instant: number × KINDS_MAX + kind. */
  readonly #due = new SortedMap<number[]>();
  #next = Number.POSITIVE_INFINITY;

  get next(): number {
    return this.#next;
  }

  set(key: number, dueAt: UnixMillis): void {
    const keys = this.#due.get(dueAt);
    if (keys === undefined) this.#due.add(dueAt, [key]);
    else keys.splice(countUpTo(keys, key), 0, key);
    if (dueAt < this.#next) this.#next = dueAt;
  }

  cancel(key: number, dueAt: UnixMillis): void {
    const keys = must(this.#due.get(dueAt), 'nothing is due at %', dueAt);
    const place = countUpTo(keys, key) - 1;
    assert(keys[place] === key, 'timer % is not due at %', key, dueAt);
    keys.splice(place, 1);
    if (keys.length === 0) this.#forget(dueAt);
  }

  firstDue(now: UnixMillis): Timer | undefined {
    if (this.#next > now) return undefined;
    const key = must(this.#due.get(this.#next)?.[0], 'nothing is due at %', this.#next);
    return {
      kind: must(KINDS[key % KINDS_MAX], 'timer % is of no kind', key),
      number: Math.floor(key / KINDS_MAX),
    };
  }

  #forget(dueAt: UnixMillis): void {
    this.#due.delete(dueAt);
    this.#next = this.#due.first?.[0] ?? Number.POSITIVE_INFINITY;
  }
}

/**
 * The instant so much after another, or the last one that a Date can hold: what ends then ends early, so that nothing is kept
 * from annunciating for longer than was asked for.
 */
export const millisAfter = (time: UnixMillis, ms: number): UnixMillis =>
  unixMillis(Math.min(time + ms, UNIX_MILLIS_MAX));

/** The same in seconds. */
export const secondsAfter = (time: UnixMillis, seconds: number): UnixMillis =>
  millisAfter(time, seconds * 1_000);

const keyOf = (kind: TimerKind, number: number): number => number * KINDS_MAX + KINDS.indexOf(kind);
