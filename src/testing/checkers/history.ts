import { displayState } from '../../statemachine/alerts/display.ts';
import type {
  Alert,
  DisplayState,
  Effect,
  Priority,
  RefusalCode,
} from '../../statemachine/types.ts';
import type { Rule } from './rules.ts';

/**
 * What callers asked and were told, and what the cluster says has happened. Times are of one clock, in any unit; an
 * interval is closed, so that two operations that touch are concurrent: the only safe reading of a clock with ties.
 */
export interface History {
  /** In order of their calls. */
  readonly operations: readonly Operation[];
  /** The alert history from the first revision to the last, as the surviving replicas hold it. */
  readonly events: readonly SeenEvent[];
  /** The revision before the first event; what is older is of no concern here. @defaultValue 0 */
  readonly base?: number;
  /** Others write to the cluster too: events of conditions that no operation here names are theirs. @defaultValue false */
  readonly isShared?: boolean;
  /** Revisions of events for which no operation here accounts: another checker does. @defaultValue none */
  readonly elsewhere?: ReadonlySet<number>;
  readonly watches: readonly WatchLog[];
}

interface Timed {
  readonly process: number;
  readonly call: number;
  /** Infinity when no answer came. */
  readonly end: number;
}

/** A command about one condition. Its `id` is its actor, so that the event it causes names it. */
export interface Write extends Timed {
  readonly kind: 'raise' | 'clear' | 'acknowledge';
  readonly id: string;
  /** Dedup key of the condition. */
  readonly key: string;
  readonly expectedRevision?: number | undefined;
  /** Of a raise. */
  readonly priority?: Priority;
  readonly latching?: boolean;
  readonly acknowledgementRequired?: boolean;
  readonly unit?: string;
  readonly outcome: WriteOutcome;
}

export type WriteOutcome =
  | {
      readonly type: 'done';
      readonly effect: Effect;
      readonly alertId: string;
      readonly activation: number;
      readonly revision: number;
      readonly state: DisplayState;
    }
  | { readonly type: 'refused'; readonly code: RefusalCode }
  /** The caller was told that nothing was written. */
  | { readonly type: 'none' }
  | { readonly type: 'unknown' };

/** The open alert of one condition. */
export interface Get extends Timed {
  readonly kind: 'get';
  readonly key: string;
  readonly consistency: 'linearizable' | 'local';
  /** Undefined when the read failed: it proves nothing then. */
  readonly answer: { readonly revision: number; readonly value: SeenAlert | undefined } | undefined;
}

/** All open alerts of one unit, in order of their ids. */
export interface List extends Timed {
  readonly kind: 'list';
  readonly unit: string;
  readonly consistency: 'linearizable' | 'local';
  readonly answer: { readonly revision: number; readonly alerts: readonly SeenAlert[] } | undefined;
}

export type Operation = Write | Get | List;

/** The part of an alert that the checkers hold against their own idea of it. */
export interface SeenAlert {
  readonly id: string;
  readonly key: string;
  readonly unit: string;
  readonly occurrence: number;
  readonly activation: number;
  readonly priority: Priority;
  readonly state: DisplayState;
  /** Of the newest raise: its operation's id. */
  readonly text: string;
  readonly latching: boolean;
  readonly acknowledgementRequired: boolean;
  readonly revision: number;
}

export interface SeenEvent {
  readonly revision: number;
  readonly effect: string;
  readonly actor: string;
  readonly alert: SeenAlert;
}

/** One watch, from its beginning to its end, as its consumer saw it. */
export interface WatchLog {
  readonly name: string;
  /** The first revision asked for; undefined = from now on. */
  readonly from: number | undefined;
  /** Only alerts of this unit; undefined = all. */
  readonly unit: string | undefined;
  /** Only alerts that are open. @defaultValue false */
  readonly isOpenOnly?: boolean;
  readonly messages: readonly SeenMessage[];
}

export type SeenMessage =
  | {
      readonly type: 'event';
      readonly event: SeenEvent;
      /** The watcher was told that the alert is of its concern no longer. */
      readonly leaves?: boolean;
    }
  | { readonly type: 'progress'; readonly revision: number }
  | {
      readonly type: 'compacted';
      readonly revision: number;
      readonly alerts: readonly SeenAlert[];
    };

/** One thing that must not be. */
export interface Finding {
  readonly rule: Rule;
  readonly says: string;
}

/** Findings that are kept; a broken run has them by the thousand. */
export const FINDINGS_MAX = 100;

export const isWrite = (operation: Operation): operation is Write =>
  operation.kind !== 'get' && operation.kind !== 'list';

export const seen = (alert: Alert): SeenAlert => ({
  id: alert.id,
  key: alert.dedupKey,
  unit: alert.subject.unit ?? '',
  occurrence: alert.occurrence,
  activation: alert.activation,
  priority: alert.priority,
  state: displayState(alert),
  text: alert.text,
  latching: alert.latching,
  acknowledgementRequired: alert.acknowledgementRequired,
  revision: alert.revision,
});

/** The first field in which two alerts differ, for people; undefined = none. */
export function differenceOf(
  one: SeenAlert | undefined,
  other: SeenAlert | undefined,
): string | undefined {
  if (one === undefined || other === undefined)
    return one === other ? undefined : `${one?.id ?? 'none'}, not ${other?.id ?? 'none'}`;
  if (isSame(one, other)) return undefined;
  for (const field of FIELDS)
    if (one[field] !== other[field]) return `${field} ${one[field]}, not ${other[field]}`;
  return undefined;
}

/** Written out: two million comparisons by the names of fields take a minute. */
const isSame = (one: SeenAlert, other: SeenAlert): boolean =>
  one === other ||
  (one.revision === other.revision &&
    one.id === other.id &&
    one.key === other.key &&
    one.unit === other.unit &&
    one.occurrence === other.occurrence &&
    one.activation === other.activation &&
    one.priority === other.priority &&
    one.state === other.state &&
    one.text === other.text &&
    one.latching === other.latching &&
    one.acknowledgementRequired === other.acknowledgementRequired);

const FIELDS: readonly (keyof SeenAlert)[] = [
  'id',
  'key',
  'unit',
  'occurrence',
  'activation',
  'priority',
  'state',
  'text',
  'latching',
  'acknowledgementRequired',
  'revision',
];
