import type { UnixMillis } from '../../base/ids.ts';
import type { Asked } from '../types.ts';
import type { RecordBase } from './registry.ts';

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

/** Shifts that were worked out, in order, and for which time: where none of them is, nobody is on call. */
export interface Coverage {
  readonly from: UnixMillis;
  /** Not included. */
  readonly until: UnixMillis;
  readonly shifts: readonly Shift[];
}

/**
 * A schedule as it is kept. Its shifts are worked out by whoever proposes them, for some time ahead: replicas whose time
 * zone data differ must not come to different people.
 */
export interface KeptSchedule extends RecordBase, Schedule, Coverage {
  readonly by: string;
  readonly changedAt: UnixMillis;
  /** When it is next looked at whether nobody will be on call. */
  readonly lookAt: UnixMillis | undefined;
}

/** Makes a schedule, or the next version of one. */
export interface SetScheduleCommand extends Asked, Schedule, Coverage {
  readonly type: 'set-schedule';
  readonly id: string;
  /** Refuse unless it is at this version; 0 = unless there is none yet. */
  readonly expectedVersion?: number;
}

/** Goes on with the shifts of the same schedule; by the leader, before they end. */
export interface ExtendScheduleCommand extends Asked, Coverage {
  readonly type: 'extend-schedule';
  readonly id: string;
  /** Of what they were worked out from. */
  readonly expectedVersion: number;
}

export interface RemoveScheduleCommand extends Asked {
  readonly type: 'remove-schedule';
  readonly id: string;
}

export type ScheduleCommand = SetScheduleCommand | ExtendScheduleCommand | RemoveScheduleCommand;
