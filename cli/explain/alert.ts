import type { ListedAlert } from '../../src/statemachine/alert-api.ts';
import { displayState } from '../../src/statemachine/alerts/display.ts';
import type { Alert, DisplayState } from '../../src/statemachine/types.ts';
import { escalationOf } from '../output/alerts.ts';
import { formatDuration } from '../output/time.ts';
import type { Explanation } from './cluster.ts';

/** Why an alert is in its state, and what leads out of it. */
export function explainAlert(alert: ListedAlert, now: number): Explanation {
  const { id, activation, acknowledgements, resolution, previous } = alert;
  const state = displayState(alert);
  const ago = (time: number): string => `${formatDuration(now - time)} ago`;
  const last = acknowledgements.at(-1);
  const because = [
    alert.presence === 'present'
      ? `its condition is present: raised ${ago(alert.raisedAt)}, last reported ${ago(alert.lastSeenAt)}, ${alert.count === 1 ? 'once' : `${alert.count} times`} in all`
      : `its condition is gone${alert.clearedAt === undefined ? '' : `, since ${ago(alert.clearedAt)}`}`,
    last === undefined
      ? `nobody has acknowledged it`
      : `${last.by} acknowledged activation ${last.activation} ${ago(last.at)}${
          last.activation === activation
            ? alert.acknowledged || resolution !== undefined
              ? ''
              : ', but that holds no longer'
            : `, but it was annunciated again since: this is activation ${activation}`
        }`,
    ...(alert.latching
      ? ['it latches: it stays until somebody acknowledges it, present or not']
      : []),
    ...(alert.acknowledgementRequired
      ? ['it must be acknowledged even when its condition goes away before']
      : []),
    ...(alert.priority === alert.basePriority
      ? []
      : [`its priority is ${alert.priority}; it began as ${alert.basePriority}`]),
    ...(resolution === undefined ? quietOf(alert, now) : []),
    ...(resolution === undefined
      ? []
      : [`${resolution.by} ended it ${ago(resolution.at)} (${resolution.how})`]),
    ...(previous === undefined ? [] : [`the same condition had an alert before: ${previous}`]),
  ];
  return { verdict: `${id} is ${state}: ${MEANS[state]}.`, because, next: nextOf(alert, state) };
}

/** Why it may not be heard, is not known to be so, and who is told next. */
function quietOf(
  { badges, pausedUntil, staleSince, escalation }: ListedAlert,
  now: number,
): string[] {
  const list = (says: string, ids: readonly string[] = []): string[] =>
    ids.length === 0 ? [] : [`${says}: ${ids.join(', ')}`];
  const explained = (badges?.inhibitedBy ?? []).map(
    (id) => `${id} explains it, so it is not annunciated`,
  );
  return [
    ...list('it is silenced', badges?.silencedBy),
    ...explained,
    ...list('its place or device is worked on', badges?.maintenanceBy),
    ...(pausedUntil === undefined
      ? []
      : [`its sound is off for ${formatDuration(pausedUntil - now)}`]),
    ...(staleSince === undefined
      ? []
      : [
          `nobody has known for ${formatDuration(now - staleSince)} whether it is still so: its source is lost, or was left behind`,
        ]),
    ...(escalation === undefined ? [] : [`policy ${escalationOf(escalation, now)}`]),
  ];
}

const MEANS: Readonly<Record<DisplayState, string>> = {
  ACTIVE_UNACK: 'something is wrong, and nobody has taken charge',
  ACTIVE_ACK: 'something is wrong, and somebody has taken charge',
  LATCHED: 'what was wrong is gone, and it stays until somebody acknowledges it',
  RTN_UNACK: 'what was wrong is gone, and still wants an acknowledgement',
  RESOLVED: 'it is over; a new report of the same condition opens a new alert',
  ENTERED_IN_ERROR: 'it should never have been; it is kept as evidence',
};

function nextOf({ id, activation, dedupKey }: Alert, state: DisplayState): string[] {
  const acknowledge = `tocsin alert ack ${id} --activation ${activation}`;
  switch (state) {
    case 'ACTIVE_UNACK':
      return [`to take charge: ${acknowledge}`];
    case 'ACTIVE_ACK':
      return [`it ends when its source reports that ${dedupKey} is gone`];
    case 'LATCHED':
    case 'RTN_UNACK':
      return [`to end it: ${acknowledge}`];
    case 'RESOLVED':
    case 'ENTERED_IN_ERROR':
      return [];
  }
}
