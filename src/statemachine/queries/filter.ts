import { displayState, openState } from '../alerts/display.ts';
import type { Alert, AlertFilter, DisplayState, Glance } from '../types.ts';

/**
 * Whether an alert is of those the filter is about. Every field that is there narrows; an empty
 * list of states, priorities or kinds therefore matches nothing.
 */
export const matches = (alert: Alert, filter: AlertFilter): boolean =>
  mayMatch(alert, filter) && matchesWhole(alert, filter);

/**
 * Whether an alert can be of those the filter is about, as far as a look at it tells; undefined = a look tells nothing of that.
 */
export const lookFor = (filter: AlertFilter): ((alert: Glance) => boolean) | undefined =>
  SEEN.some((field) => filter[field] !== undefined)
    ? (alert) => mayMatch(alert, filter)
    : undefined;

const SEEN = [
  'states',
  'priorities',
  'kinds',
  'unit',
  'bed',
  'patient',
  'device',
  'stale',
] as const;

function mayMatch(alert: Glance, filter: AlertFilter): boolean {
  return (
    (filter.open === undefined || filter.open === (alert.resolution === undefined)) &&
    (filter.priorities === undefined || filter.priorities.includes(alert.priority)) &&
    (filter.kinds === undefined || filter.kinds.includes(alert.kind)) &&
    (filter.unit === undefined || filter.unit === alert.subject.unit) &&
    (filter.bed === undefined || filter.bed === alert.subject.bed) &&
    (filter.patient === undefined || filter.patient === alert.subject.patient) &&
    (filter.device === undefined || filter.device === alert.subject.device) &&
    (filter.stale === undefined || filter.stale === (alert.staleSince !== undefined)) &&
    (filter.states === undefined ||
      alert.resolution !== undefined ||
      filter.states.includes(openState(alert)))
  );
}

/** What more there is to it. */
function matchesWhole(alert: Alert, filter: AlertFilter): boolean {
  return (
    (filter.dedupKey === undefined || filter.dedupKey === alert.dedupKey) &&
    (filter.raisedFrom === undefined || filter.raisedFrom <= alert.raisedAt) &&
    (filter.raisedUntil === undefined || filter.raisedUntil > alert.raisedAt) &&
    (filter.states === undefined || filter.states.includes(displayState(alert))) &&
    (filter.text === undefined || says(alert, lowered(filter.text)))
  );
}

/** `wanted`: in lower case, by Unicode's own rules, which no locale changes. */
const says = ({ text, condition, dedupKey }: Alert, wanted: string): boolean =>
  lowered(text).includes(wanted) ||
  lowered(condition).includes(wanted) ||
  lowered(dedupKey).includes(wanted);

const lowered = (text: string): string => text.toLowerCase();

/** Which of the two halves of the alerts can hold a match: open ones, resolved ones. */
export interface Halves {
  readonly open: boolean;
  readonly resolved: boolean;
}

const isOver = (state: DisplayState): boolean =>
  state === 'RESOLVED' || state === 'ENTERED_IN_ERROR';

/** Lets a list walk only where a match can be: open alerts are few, resolved ones need not be. */
export function halvesOf(filter: AlertFilter): Halves {
  const { states } = filter;
  return {
    open: filter.open !== false && (states?.some((state) => !isOver(state)) ?? true),
    resolved: filter.open !== true && (states?.some(isOver) ?? true),
  };
}
