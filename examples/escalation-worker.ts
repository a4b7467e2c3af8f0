import {
  type Alert,
  type AlertApi,
  type AlertEvent,
  type AlertId,
  revision,
} from '../src/client/index.ts';

/**
 * A worker that calls somebody when nobody takes charge in time. Several may run at once, and be restarted at any moment:
 * the page carries a key of the alert and its activation, by which whoever sends pages does each once.
 *
 *     await using alerts = await connect({ endpoints, name: 'escalation' });
 *     await escalate(alerts, { afterMs: 60_000, page: (alert, key) => pager.send(key, alert.text) }, stop.signal);
 */
export interface EscalationOptions {
  /** How long somebody has to acknowledge, in milliseconds. */
  readonly afterMs: number;
  readonly page: (alert: Alert, key: string) => void;
}

/** Follows the history from its beginning, so that nothing that happened while no worker ran is forgotten. */
export async function escalate(
  alerts: Pick<AlertApi, 'watch'>,
  options: EscalationOptions,
  signal: AbortSignal,
): Promise<void> {
  const waiting: Waiting = new Map();
  try {
    for await (const message of alerts.watch({ from: revision(1), signal })) {
      if (message.type === 'event') take(message.event.alert, message.event, waiting, options);
      if (message.type === 'compacted') {
        const there = new Set(message.alerts.map(({ id }) => id));
        for (const id of waiting.keys()) if (!there.has(id)) drop(id, waiting);
        for (const alert of message.alerts) take(alert, undefined, waiting, options);
      }
    }
  } finally {
    for (const id of waiting.keys()) drop(id, waiting);
  }
}

/** By alert: the activation that waits, or was paged, and its timer. */
type Waiting = Map<AlertId, { readonly activation: number; readonly timer: NodeJS.Timeout }>;

function drop(id: AlertId, waiting: Waiting): void {
  clearTimeout(waiting.get(id)?.timer);
  waiting.delete(id);
}

/**
 * What is acknowledged or over waits no more, nor does an activation that a newer one replaced. What is new waits from
 * when its activation began, not from when it was read. Where the events are gone nobody knows when a later activation
 * began: it counts from the raise, since a page that comes early is better than one that comes late.
 */
function take(
  alert: Alert,
  event: AlertEvent | undefined,
  waiting: Waiting,
  { afterMs, page }: EscalationOptions,
): void {
  const { id, activation } = alert;
  const isMine = alert.priority === 'high' && !alert.acknowledged && alert.resolution === undefined;
  if (isMine && waiting.get(id)?.activation === activation) return;
  drop(id, waiting);
  if (!isMine) return;
  const since = event?.time ?? alert.raisedAt;
  const leftMs = Math.max(0, since + afterMs - Date.now());
  const timer = setTimeout(() => page(alert, `${id}/${activation}`), leftMs);
  waiting.set(id, { activation, timer });
}
