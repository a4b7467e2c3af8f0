import { setTimeout as pause } from 'node:timers/promises';
import { type AlertApi, type Priority, TocsinError } from '../src/client/index.ts';

/**
 * A gateway between bedside monitors and the cluster: it turns what a monitor says into reports, each of which is made
 * exactly once, whatever breaks in between. In a project of your own the import is from 'tocsin/client':
 *
 *     await using alerts = await connect({ endpoints, name: 'gateway-icu' });
 *     await forwardReports(alerts, reportsOf(port), stop.signal);
 */

/** What a monitor says. */
export interface Report {
  readonly bed: string;
  /** As the monitor has it: HR:HI. */
  readonly condition: string;
  readonly isPresent: boolean;
  readonly priority: Priority;
  /** Of this monitor, without gaps: what makes a report the same one when it is read again. */
  readonly sequence: number;
}

/** Forwards the reports in their order; resolves when there are none any more, or the signal aborts. */
export async function forwardReports(
  alerts: Pick<AlertApi, 'raise' | 'clear'>,
  reports: AsyncIterable<Report>,
  signal: AbortSignal,
): Promise<void> {
  for await (const report of reports) {
    if (signal.aborted) return;
    await untilCertain(() => forward(alerts, report, signal), signal);
  }
}

async function forward(
  alerts: Pick<AlertApi, 'raise' | 'clear'>,
  { bed, condition, isPresent, priority, sequence }: Report,
  signal: AbortSignal,
): Promise<void> {
  const dedupKey = `monitor:${bed}:${condition}`;
  // The same key for the same report, also after this process was restarted: the cluster does it once.
  const options = { idempotencyKey: `${dedupKey}:${sequence}`, timeoutMs: 5_000, signal };
  if (isPresent) {
    await alerts.raise({ dedupKey, condition, priority, subject: { bed } }, options);
    return;
  }
  try {
    await alerts.clear({ target: { dedupKey } }, options);
  } catch (error) {
    // Nothing was open: somebody resolved it, or it was never raised. Either way it is gone.
    if (!TocsinError.is(error) || error.code !== 'ALERT_NOT_FOUND') throw error;
  }
}

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 5_000;

/**
 * Repeats what may help: an outcome that is unknown, and a cluster that cannot just now. A refusal may come at once, so
 * each repetition waits, twice as long as the one before up to a bound, and gives everything else its turn.
 */
async function untilCertain(attempt: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!TocsinError.is(error) || !error.retryable) throw error;
    }
    await pause(pauseMs, undefined, { signal }).catch(() => {}); // Aborted: the next line says so.
    if (signal.aborted) return;
  }
}
