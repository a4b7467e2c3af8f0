import { assert } from '../../base/assert.ts';
import { type Revision, revision } from '../../base/ids.ts';
import { HISTORY_EVENTS_MAX } from '../../base/limits.ts';
import type { AppliedEvent } from '../types.ts';

/**
 * The newest events of the alert history, so that a watcher can resume. Contiguous: every revision
 * from `oldest` to `newest` is there. A watcher that asks for one before `oldest` is given the
 * current state instead.
 */
export class History {
  readonly #events: AppliedEvent[] = [];
  readonly #eventsMax: number;
  /** Revision before the first event that was ever pushed: fixes each revision's slot. */
  readonly #base: Revision;
  #newest: Revision;

  /**
   * Begins after revision `after`: 0, or the revision of the snapshot that the machine was restored
   * from.
   */
  constructor(eventsMax: number = HISTORY_EVENTS_MAX, after: Revision = revision(0)) {
    assert(Number.isSafeInteger(eventsMax), 'bound of the history is not an integer: %', eventsMax);
    assert(eventsMax >= 1, 'history of % events', eventsMax);
    this.#eventsMax = eventsMax;
    this.#base = after;
    this.#newest = after;
  }

  /** Takes the next event; drops the oldest when full. */
  push(event: AppliedEvent): void {
    const expected = this.#newest + 1;
    assert(event.revision === expected, 'event % where % is due', event.revision, expected);
    this.#events[this.#slot(event.revision)] = event;
    this.#newest = event.revision;
  }

  /** Revision of the oldest event kept; `newest + 1` when there is none. */
  get oldest(): Revision {
    return revision(this.#newest - this.#events.length + 1);
  }

  /** Revision of the newest event; what the history began after when there is none. */
  get newest(): Revision {
    return this.#newest;
  }

  /** The event of this revision; undefined when it is no longer kept, or has not happened yet. */
  at(wanted: Revision): AppliedEvent | undefined {
    if (!(wanted >= this.oldest && wanted <= this.#newest)) return undefined;
    return this.#events[this.#slot(wanted)];
  }

  #slot(position: Revision): number {
    return (position - this.#base - 1) % this.#eventsMax;
  }
}
