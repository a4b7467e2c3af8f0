import type { UnixMillis } from '../base/ids.ts';

/**
 * Who is on call when. Times of a schedule are wall-clock times of its own time zone, because people hand over at seven
 * in the morning, whatever the season.
 */
export interface Schedule {
  /** IANA name: `Europe/Berlin`. */
  readonly timeZone: string;
  /** Later layers cover earlier ones wherever they apply. */
  readonly layers: readonly Layer[];
  /** Cover every layer; among themselves, later ones cover earlier ones. */
  readonly overrides: readonly Override[];
}

/** People who take turns. */
export interface Layer {
  readonly name: string;
  /** In the order of their turns. */
  readonly users: readonly string[];
  readonly rotation: Rotation;
  /** Only then; empty = always. */
  readonly restrictions: readonly Restriction[];
}

/** From `start`, each user for `every` × `unit`, over and over. Nobody is on call before `start`. */
export interface Rotation {
  /** Local: `2026-11-02T07:00`. */
  readonly start: string;
  readonly every: number;
  /** Days and weeks hand over at the same local time, an hour is sixty minutes. */
  readonly unit: 'hour' | 'day' | 'week';
}

/** A part of the day, on some days of the week. */
export interface Restriction {
  /** ISO 8601: 1 = Monday … 7 = Sunday; of the day on which it begins. Empty = every day. */
  readonly days: readonly number[];
  /** Local `HH:MM`. */
  readonly from: string;
  /** Local `HH:MM`; not after `from` = on the next day. */
  readonly to: string;
}

/** One person instead of whoever it would be, between two instants. */
export interface Override {
  readonly user: string;
  readonly from: UnixMillis;
  /** Not included. */
  readonly until: UnixMillis;
}

/** One person on call without a break. */
export interface Shift {
  readonly user: string;
  readonly from: UnixMillis;
  /** Not included. */
  readonly until: UnixMillis;
}
