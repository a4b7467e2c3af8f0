import type { Code } from '../../base/errors.ts';
import type { WatchMessage } from '../../statemachine/alert-api.ts';
import type { AlertEvent } from '../../statemachine/types.ts';
import {
  type History,
  type Operation,
  type SeenEvent,
  type SeenMessage,
  seen,
  type WatchLog,
} from '../checkers/history.ts';

/** Writes down what callers and watchers see, for the checkers. */
export class Recorder {
  /** In order of their ends. */
  readonly #operations: Operation[] = [];
  readonly #watches: { readonly log: WatchLog; readonly messages: SeenMessage[] }[] = [];

  /** Of writes: what callers were told, by kind of outcome. */
  readonly counts: Record<
    'done' | 'refused' | 'none' | 'unknown' | 'reads' | 'readsFailed',
    number
  > = { done: 0, refused: 0, none: 0, unknown: 0, reads: 0, readsFailed: 0 };

  /** Of everything that did not end well, refusals included: how often each code was told. */
  readonly codes: Partial<Record<Code, number>> = {};

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  add(operation: Operation): void {
    this.#operations.push(operation);
    if (operation.kind !== 'get' && operation.kind !== 'list')
      this.counts[operation.outcome.type] += 1;
    else this.counts[operation.answer === undefined ? 'readsFailed' : 'reads'] += 1;
  }

  /** Somebody was told this instead of what was asked for. */
  told(code: Code): void {
    this.codes[code] = (this.codes[code] ?? 0) + 1;
  }

  /** Begins a watch; what is told goes to the function that it returns. */
  watch(
    name: string,
    from: number | undefined,
    unit: string | undefined,
    isOpenOnly = false,
  ): (message: WatchMessage) => void {
    const messages: SeenMessage[] = [];
    this.#watches.push({ log: { name, from, unit, isOpenOnly, messages }, messages });
    return (message) => messages.push(seenMessage(message));
  }

  /** With `events` as what happened in the end. */
  history(events: readonly SeenEvent[]): History {
    const operations = this.#operations.toSorted((a, b) => a.call - b.call);
    return { operations, events, watches: this.#watches.map(({ log }) => log) };
  }
}

export const seenEvent = ({ revision, effect, actor, alert }: AlertEvent): SeenEvent => ({
  revision,
  effect,
  actor,
  alert: seen(alert),
});

function seenMessage(message: WatchMessage): SeenMessage {
  if (message.type === 'event')
    return { type: 'event', event: seenEvent(message.event), leaves: message.leaves ?? false };
  if (message.type === 'progress') return { type: 'progress', revision: message.revision };
  const { revision, alerts } = message;
  return { type: 'compacted', revision, alerts: alerts.map(seen) };
}
