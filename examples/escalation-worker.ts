import { type Alert, type AlertApi, type AlertEvent, revision } from '../src/client/index.ts';

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
  const waiting = new Map<string, NodeJS.Timeout>();
  try {
    for await (const message of alerts.watch({ from: revision(1), signal })) {
      if (message.type === 'event') take(message.event.alert, message.event, waiting, options);
      if (message.type === 'compacted')
        for (const alert of message.alerts) take(alert, undefined, waiting, options);
    }
  } finally {
    for (const timer of waiting.values()) clearTimeout(timer);
  }
}

/** What is acknowledged or over waits no more; what is new waits from when it was raised, not from when it was read. */
function take(
  alert: Alert,
  event: AlertEvent | undefined,
  waiting: Map<string, NodeJS.Timeout>,
  { afterMs, page }: EscalationOptions,
): void {
  const key = `${alert.id}/${alert.activation}`;
  const isMine = alert.priority === 'high' && !alert.acknowledged && alert.resolution === undefined;
  if (!isMine) {
    clearTimeout(waiting.get(key));
    waiting.delete(key);
    return;
  }
  if (waiting.has(key)) return;
  const since = event?.time ?? alert.lastSeenAt;
  const leftMs = Math.max(0, since + afterMs - Date.now());
  waiting.set(
    key,
    setTimeout(() => page(alert, key), leftMs),
  );
}
