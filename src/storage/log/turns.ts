import { assert } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { faultOf } from '../level/level.ts';

/**
 * Who may write to a log when: one write at a time, and a batch of the store's own only between two of them. A fault is the
 * last thing that happens: after it, and after the end, everybody is refused.
 */
export class Turns {
  #writing: Promise<void> | undefined;
  /** A batch of our own, which the next write waits for. */
  #moving: Promise<void> | undefined;
  #failure: TocsinError | undefined;
  #ended = false;

  get isWriting(): boolean {
    return this.#writing !== undefined;
  }
  /** Whether the store was closed. */
  get hasEnded(): boolean {
    return this.#ended;
  }
  /** Whether anybody may write yet. */
  get goOn(): boolean {
    return !this.#ended && this.#failure === undefined;
  }

  /** @throws TocsinError CLOSED; DISK_FAILED or DISK_FULL, as the fault that came before */
  mustGoOn(): void {
    if (this.#ended) throw closed();
    if (this.#failure !== undefined)
      throw new TocsinError(
        this.#failure.code,
        `an earlier write failed: ${this.#failure.message}`,
        { cause: this.#failure },
      );
  }

  /** A write, after a batch of our own. */
  async write(action: () => Promise<void>): Promise<void> {
    this.mustGoOn();
    assert(this.#writing === undefined, 'a write is under way');
    this.#writing = this.#behindMoving(action);
    try {
      await this.#writing;
    } catch (error) {
      // Closed while it waited, it wrote nothing.
      if (TocsinError.is(error) && error.code === 'CLOSED') throw error;
      throw this.fail(error, 'writing the log');
    } finally {
      this.#writing = undefined;
    }
  }

  async #behindMoving(action: () => Promise<void>): Promise<void> {
    if (this.#moving !== undefined) {
      await this.#moving.catch(() => undefined); // its caller is told
      this.mustGoOn();
    }
    await action();
  }

  get #busy(): Promise<void> | undefined {
    return this.#writing ?? this.#moving;
  }

  /** A batch of our own: it waits for the write, and for the other batch, under way; and the next one waits for it. */
  async between(doing: string, action: () => Promise<void>): Promise<void> {
    this.mustGoOn();
    for (let busy = this.#busy; busy !== undefined; busy = this.#busy)
      await busy.catch(() => undefined);
    this.mustGoOn();
    this.#moving = action();
    try {
      await this.#moving;
    } catch (error) {
      // Bytes from elsewhere that are not what they should be are no fault of this disk.
      if (TocsinError.is(error) && HARMLESS.has(error.code)) throw error;
      throw this.fail(error, doing);
    } finally {
      this.#moving = undefined;
    }
  }

  /** Nothing goes on from here. Answers the first fault. */
  fail(error: unknown, doing: string): TocsinError {
    const fault = faultOf(error, doing);
    const code = fault.code === 'DISK_FULL' ? 'DISK_FULL' : 'DISK_FAILED';
    this.#failure ??= new TocsinError(code, fault.message, { cause: error });
    return this.#failure;
  }

  /** Nobody begins anything any more; resolves when nothing is under way. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#writing?.catch(() => undefined); // its caller is told
    await this.#moving?.catch(() => undefined);
  }
}

/** What a batch of our own may throw that says nothing about the disk. */
const HARMLESS: ReadonlySet<string> = new Set(['BODY_MALFORMED', 'DATA_LOST']);

export const closed = (): TocsinError => new TocsinError('CLOSED', 'the log store is closed');
