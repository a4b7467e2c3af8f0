import { type Revision, type UnixMillis, unixMillis } from '../../base/ids.ts';
import {
  SECONDS_MAX,
  SILENCE_HIGH_SECONDS_MAX,
  SILENCE_LOW_SECONDS_MAX,
  SILENCE_MEDIUM_SECONDS_MAX,
} from '../../base/limits.ts';
import { secondsAfter } from '../timers.ts';
import type { AlertId, Asked, Glance, Priority } from '../types.ts';

/** What a matcher looks at. */
export type MatcherField =
  | 'alert'
  | 'patient'
  | 'bed'
  | 'device'
  | 'unit'
  | 'condition'
  | 'kind'
  | 'priority';

/** The field is one of these values. All matchers of a silence have to match. */
export interface Matcher {
  readonly field: MatcherField;
  readonly values: readonly string[];
}

/** `S` and a number. */
export type SilenceId = `S${number}`;
/** `M` and a number. */
export type WindowId = `M${number}`;

/**
 * Some alerts do not annunciate for a time. They stay in every list, their escalation goes on, and whatever begins after the
 * silence was made breaks through: another occurrence, another activation.
 */
export interface Silence {
  readonly id: SilenceId;
  readonly version: number;
  readonly matchers: readonly Matcher[];
  readonly createdAt: UnixMillis;
  /** Only activations that began by then are silenced. */
  readonly revision: Revision;
  /** For none it lasts longer, for the more urgent ones less: see SILENCE_SECONDS_MAX. */
  readonly until: UnixMillis;
  /** When it next ends for some alerts, those of the most urgent priority first; undefined = it is over. */
  readonly dueAt: UnixMillis | undefined;
  /** It also ends for each alert when its condition is gone. */
  readonly untilCleared: boolean;
  readonly reason: string;
  readonly by: string;
  readonly endedAt: UnixMillis | undefined;
  readonly endedBy: string | undefined;
}

/** Some place or device is being worked on: its alerts are marked, and stay in every list. */
export interface MaintenanceWindow {
  readonly id: WindowId;
  readonly version: number;
  readonly unit: string | undefined;
  readonly bed: string | undefined;
  readonly device: string | undefined;
  readonly startAt: UnixMillis;
  readonly endAt: UnixMillis;
  readonly reason: string;
  readonly by: string;
  readonly endedAt: UnixMillis | undefined;
  readonly endedBy: string | undefined;
}

export interface SilenceCommand extends Asked {
  readonly type: 'silence';
  /** At least one is about an alert, a patient, a bed or a device. */
  readonly matchers: readonly Matcher[];
  readonly seconds: number;
  readonly untilCleared?: boolean;
  readonly reason: string;
}

export interface UnsilenceCommand extends Asked {
  readonly type: 'unsilence';
  readonly id: SilenceId;
}

export interface OpenWindowCommand extends Asked {
  readonly type: 'open-window';
  readonly unit?: string;
  readonly bed?: string;
  readonly device?: string;
  readonly startAt: UnixMillis;
  readonly endAt: UnixMillis;
  readonly reason: string;
}

/** Windows are ended, never removed. */
export interface EndWindowCommand extends Asked {
  readonly type: 'end-window';
  readonly id: WindowId;
}

export type SuppressionCommand =
  | SilenceCommand
  | UnsilenceCommand
  | OpenWindowCommand
  | EndWindowCommand;

/** For how many seconds an alert of each priority can be silenced at most: an urgent one is always heard again. */
export const SILENCE_SECONDS_MAX: Readonly<Record<Priority, number>> = {
  high: SILENCE_HIGH_SECONDS_MAX,
  medium: SILENCE_MEDIUM_SECONDS_MAX,
  low: SILENCE_LOW_SECONDS_MAX,
  none: SECONDS_MAX,
};

/** When a silence ends for alerts of a priority. */
const endOf = ({ createdAt, until }: Pick<Silence, 'createdAt' | 'until'>, of: Priority): number =>
  Math.min(until, secondsAfter(createdAt, SILENCE_SECONDS_MAX[of]));

/** When a silence ends for the first alerts after `time`, for which it has not yet. */
export function nextEnd(
  silence: Pick<Silence, 'createdAt' | 'until'>,
  time: UnixMillis,
): UnixMillis {
  const ends = Object.values(SILENCE_SECONDS_MAX)
    .map((seconds) => secondsAfter(silence.createdAt, seconds))
    .filter((end) => end > time);
  return unixMillis(Math.min(silence.until, ...ends));
}

type NarrowField = 'alert' | 'patient' | 'bed' | 'device';
type NarrowMatcher = Matcher & { readonly field: NarrowField };

/** What makes a silence specific enough. */
export const isNarrow = (matcher: Matcher): matcher is NarrowMatcher =>
  ['alert', 'patient', 'bed', 'device'].includes(matcher.field);

/** Why an alert does not annunciate as it would; each list empty when nothing does. */
export interface Badges {
  readonly silencedBy: readonly SilenceId[];
  readonly inhibitedBy: readonly AlertId[];
  readonly maintenanceBy: readonly WindowId[];
}

const fieldOf = (alert: Glance, field: MatcherField): string | undefined => {
  switch (field) {
    case 'alert':
      return alert.id;
    case 'condition':
    case 'kind':
    case 'priority':
      return alert[field];
    case 'patient':
    case 'bed':
    case 'device':
    case 'unit':
      return alert.subject[field];
  }
};

/** Whether this silence keeps this alert from annunciating now. */
export function silences(silence: Silence, alert: Glance, time: UnixMillis): boolean {
  const { revision, untilCleared, matchers, endedAt } = silence;
  return (
    endedAt === undefined &&
    time < endOf(silence, alert.priority) &&
    alert.activatedAt <= revision &&
    (!untilCleared || alert.presence === 'present') &&
    matchers.every(({ field, values }) => values.includes(fieldOf(alert, field) ?? ''))
  );
}

/** Whether the alert is of the place or device that is being worked on now. */
export function maintains(window: MaintenanceWindow, alert: Glance, time: UnixMillis): boolean {
  const { unit, bed, device, startAt, endAt, endedAt } = window;
  return (
    endedAt === undefined &&
    time >= startAt &&
    time < endAt &&
    (unit === undefined || unit === alert.subject.unit) &&
    (bed === undefined || bed === alert.subject.bed) &&
    (device === undefined || device === alert.subject.device)
  );
}
