import { TocsinError } from '../../src/base/errors.ts';
import { type Revision, revision } from '../../src/base/ids.ts';
import { REPLAY_EVENTS_MAX } from '../../src/base/limits.ts';
import type { AlertApi } from '../../src/statemachine/alert-api.ts';
import type { AlertEvent } from '../../src/statemachine/types.ts';
import { transitionOfEvent } from '../input/transitions.ts';
import type { HeldEvent } from './audit.ts';

export interface WitnessOptions {
  readonly api: Pick<AlertApi, 'watch'>;
  /** Nothing of this run is older. */
  readonly from: Revision;
  /** Only what is about this device belongs to the run. */
  readonly device: string;
  /** The `observedAt` of the recordings' time 0. */
  readonly origin: number;
}

/** What raises and clears do. */
const OF_THIS_RUN: ReadonlySet<AlertEvent['effect']> = new Set<AlertEvent['effect']>([
  'raised',
  'continued',
  'escalated',
  'deescalated',
  'reactivated',
  'cleared',
]);

/** Watches what the cluster commits of one run, apart from those who ask for it. */
export class Witness {
  readonly events: HeldEvent[] = [];
  readonly #options: WitnessOptions;
  readonly #stop: AbortController = new AbortController();
  readonly #watching: Promise<void>;
  #seen: Revision;
  #failure: unknown;
  #waiter: { readonly revision: number; readonly wake: () => void } | undefined;

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.#seen = revision(options.from - 1);
    this.#watching = this.#watch().catch((error: unknown) => {
      this.#failure = error;
      this.#waiter?.wake();
    });
  }

  /**
   * Resolves when everything up to this revision has been seen.
   * @throws TocsinError what ended the watch; DEADLINE_EXCEEDED; CANCELLED
   */
  async until(target: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const either = AbortSignal.any([deadline, signal]);
    while (this.#seen < target && this.#failure === undefined && !either.aborted)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          either.removeEventListener('abort', wake);
          this.#waiter = undefined;
          resolve();
        };
        either.addEventListener('abort', wake);
        this.#waiter = { revision: target, wake };
      });
    if (this.#failure !== undefined) throw this.#failure;
    if (signal.aborted) throw new TocsinError('CANCELLED', 'interrupted');
    if (this.#seen < target)
      throw new TocsinError(
        'DEADLINE_EXCEEDED',
        `the watch has come to revision ${this.#seen} of ${target} in ${timeoutMs} ms`,
      );
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { api, from, device } = this.#options;
    const { signal } = this.#stop;
    for await (const message of api.watch({ from, filter: { device }, signal })) {
      if (message.type === 'compacted')
        throw new TocsinError(
          'OVERLOADED',
          `the events before revision ${message.revision} are no longer kept, so nobody can tell what was committed`,
        );
      if (message.type === 'event') this.#note(message.event);
      this.#seen = message.type === 'event' ? message.event.revision : message.revision;
      if (this.#waiter !== undefined && this.#seen >= this.#waiter.revision) this.#waiter.wake();
    }
  }

  #note(event: AlertEvent): void {
    // Somebody else may take charge of an alert of ours, or it becomes audible again: no command of this run.
    if (!OF_THIS_RUN.has(event.effect)) return;
    if (this.events.length >= REPLAY_EVENTS_MAX)
      throw new TocsinError('OVERLOADED', `more than ${REPLAY_EVENTS_MAX} alarm transitions`);
    this.events.push({
      revision: event.revision,
      alertId: event.alert.id,
      dedupKey: event.alert.dedupKey,
      effect: event.effect,
      observedAt: event.observedAt,
      transition: transitionOfEvent(event, this.#options.origin),
    });
  }
}
