import type { AlertRequest } from '../../src/analytics/alerts.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { ALERTS_HELD_MAX } from '../../src/base/limits.ts';
import type { Done } from '../../src/statemachine/types.ts';
import type { AlertSender } from '../pipeline/alert-sender.ts';

type Sender = Pick<AlertSender, 'send' | 'counts'>;

/**
 * From rules that cannot wait to a sender that is full while no leader answers. What does not fit waits here, the newest of
 * each condition alone: at most one request for each condition there is. A condition that began and ended meanwhile is not
 * told; one that is on, or is over, is.
 */
export class AlertOutlet {
  readonly #sender: Sender;
  readonly #heldMax: number;
  readonly #waiting: Map<string, AlertRequest> = new Map();
  /** By condition: the newest request, until it is known what became of it. */
  readonly #unsettled: Map<string, AlertRequest> = new Map();
  #isFull = false;

  constructor(sender: Sender, heldMax: number = ALERTS_HELD_MAX) {
    this.#sender = sender;
    this.#heldMax = heldMax;
  }

  /** Conditions whose newest request waits. */
  get waiting(): number {
    return this.#waiting.size;
  }

  send(request: AlertRequest): void {
    const key = keyOf(request);
    this.#unsettled.set(key, request);
    if (this.#isFull) {
      // The newest goes to the end: it is as old as its last change.
      this.#waiting.delete(key);
      this.#waiting.set(key, request);
      return;
    }
    const hasRoom = this.#sender.send(request);
    if (this.#sender.counts.held < this.#heldMax) return;
    this.#isFull = true;
    void hasRoom.then(() => this.#drain());
  }

  /**
   * What became of a request. One that may not have been written goes out again, unless the condition has changed since:
   * a condition that is on must not stay untold because the cluster was away for longer than a client tries.
   */
  settled(request: AlertRequest, told: Done | TocsinError): void {
    const key = keyOf(request);
    if (this.#unsettled.get(key) !== request) return;
    this.#unsettled.delete(key);
    if (TocsinError.is(told) && (told.retryable || told.outcome === 'unknown')) this.send(request);
  }

  #drain(): void {
    this.#isFull = false;
    for (const [key, request] of this.#waiting) {
      if (this.#isFull) return;
      this.#waiting.delete(key);
      this.send(request);
    }
  }
}

const keyOf = ({ input }: AlertRequest): string =>
  'dedupKey' in input ? input.dedupKey : input.target.dedupKey;
