import {
  type Alert,
  type AlertApi,
  type AlertId,
  type Priority,
  revision,
  TocsinError,
  type WatchMessage,
} from '../src/client/index.ts';

/**
 * The board of a nurse station: what is open on one unit, the most urgent first, and the hand that acknowledges.
 *
 *     await using alerts = await connect({ endpoints, name: 'station-icu' });
 *     const board = new Board(alerts, 'ICU');
 *     void board.follow(stop.signal, () => draw(board.rows));
 */

const URGENCY: readonly Priority[] = ['high', 'medium', 'low', 'none'];

export class Board {
  readonly #alerts: Pick<AlertApi, 'watch' | 'acknowledge'>;
  readonly #unit: string;
  readonly #open = new Map<AlertId, Alert>();

  constructor(alerts: Pick<AlertApi, 'watch' | 'acknowledge'>, unit: string) {
    this.#alerts = alerts;
    this.#unit = unit;
  }

  /** Unacknowledged before acknowledged, urgent before less urgent, old before new. */
  get rows(): readonly Alert[] {
    return [...this.#open.values()].toSorted(
      (a, b) =>
        Number(a.acknowledged) - Number(b.acknowledged) ||
        URGENCY.indexOf(a.priority) - URGENCY.indexOf(b.priority) ||
        a.raisedAt - b.raisedAt,
    );
  }

  /** Keeps the board right until the signal aborts; the watch itself goes on through failovers. */
  async follow(signal: AbortSignal, onChange: () => void): Promise<void> {
    const filter = { unit: this.#unit };
    // From the beginning: what happened before is told as the state that it led to, where it is no longer kept.
    for await (const message of this.#alerts.watch({ filter, from: FIRST, signal })) {
      this.#take(message);
      onChange();
    }
  }

  /**
   * Takes charge of what the nurse has seen, and of nothing else: if the alert was annunciated again meanwhile, it stays
   * on the board, and the answer is false.
   */
  async acknowledge({ id, activation }: Alert, nurse: string): Promise<boolean> {
    try {
      await this.#alerts.acknowledge({ target: { id }, activation, actor: nurse });
      return true;
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      const isOutdated = error.code === 'ACTIVATION_MISMATCH' || error.code === 'ALREADY_RESOLVED';
      if (isOutdated) return false;
      throw error;
    }
  }

  #take(message: WatchMessage): void {
    if (message.type === 'progress') return;
    const changed = message.type === 'event' ? [message.event.alert] : message.alerts;
    if (message.type === 'compacted') this.#open.clear();
    const isGone = message.type === 'event' && message.leaves;
    for (const alert of changed) {
      if (alert.resolution === undefined && !isGone) this.#open.set(alert.id, alert);
      else this.#open.delete(alert.id);
    }
  }
}

const FIRST = revision(1);
