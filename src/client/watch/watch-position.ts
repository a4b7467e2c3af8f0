import { TocsinError } from '../../base/errors.ts';
import { type Revision, revision } from '../../base/ids.ts';
import type { WatchMessage } from '../../statemachine/alert-api.ts';

/**
 * How far a watcher has been told, and so from where to go on after an interruption. It lets each message pass once:
 * what was told before is dropped, what leaves something out is an error.
 */
export class WatchPosition {
  readonly #isFiltered: boolean;
  /** The next revision to tell; undefined = wherever the history is now. */
  #next: Revision | undefined;

  constructor(from: Revision | undefined, isFiltered: boolean) {
    this.#next = from;
    this.#isFiltered = isFiltered;
  }

  get next(): Revision | undefined {
    return this.#next;
  }

  /** Whether the watcher is to be told. @throws TocsinError BODY_MALFORMED when something was left out before it */
  take(message: WatchMessage): boolean {
    if (message.type === 'event') return this.#takeEvent(message.event.revision);
    if (message.type === 'progress') return this.#takeProgress(message.revision);
    return this.#takeCompacted(message.revision);
  }

  #takeEvent(at: Revision): boolean {
    if (this.#next === undefined)
      throw new TocsinError('BODY_MALFORMED', `event ${at} before the watch said where it begins`);
    if (at < this.#next) return false;
    if (at > this.#next) this.#expectFilter(at);
    this.#next = revision(at + 1);
    return true;
  }

  #takeProgress(upTo: Revision): boolean {
    // A replica that lags behind the one before tells less than is known.
    if (this.#next !== undefined && upTo < this.#next - 1) return false;
    if (this.#next !== undefined && upTo >= this.#next) this.#expectFilter(revision(upTo + 1));
    this.#next = revision(upTo + 1);
    return true;
  }

  #takeCompacted(upTo: Revision): boolean {
    if (this.#next !== undefined && upTo < this.#next) return false;
    this.#next = revision(upTo + 1);
    return true;
  }

  #expectFilter(at: Revision): void {
    if (this.#isFiltered) return;
    throw new TocsinError('BODY_MALFORMED', `revisions ${this.#next} to ${at - 1} were left out`);
  }
}
