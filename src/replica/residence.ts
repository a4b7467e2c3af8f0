import { must } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { millis } from '../base/ids.ts';
import { CLOSE_DISK_MS_MAX } from '../base/limits.ts';
import type { LogStore } from '../storage/types.ts';
import { type BringUpParts, type BroughtUp, bringUp } from './bring-up.ts';
import type { Replica } from './replica.ts';
import { cancelled, hasRoomAgain, isFull, openInRoom } from './room-again.ts';

export interface ResidenceParts extends Omit<BringUpParts, 'store' | 'onFault'> {
  readonly address: string;
  /** Opens what is on its disk. */
  readonly open: () => Promise<LogStore>;
  /** Room that its disk has, whether it is open or not. */
  readonly freeBytes: () => Promise<number>;
  /** A replica is up and starts now; it takes the place of the one before. */
  readonly onUp: (replica: Replica) => void;
  /** It cannot go on. Called once at most; `leave` is still to be called. */
  readonly onFault: (error: unknown) => void;
}

/**
 * One member on its disk, for as long as the process lives. A write that finds no room makes nothing wrong, but nobody can
 * say how much of it is there: so the replica takes part no more and only answers from what it knows, until there is room;
 * then it comes up again as after a crash, from what the disk really holds.
 */
export class Residence {
  readonly #parts: ResidenceParts;
  readonly #leaving = new AbortController();
  #address: string;
  #store: LogStore | undefined;
  #up: BroughtUp | undefined;
  #returning: Promise<void> = Promise.resolve();

  constructor(parts: ResidenceParts) {
    this.#parts = parts;
    this.#address = parts.address;
  }

  /** The one that was up last. */
  get replica(): Replica {
    return must(this.#up, 'nobody was ever up').replica;
  }
  /** With the port that was really taken. */
  get address(): string {
    return this.#address;
  }

  /**
   * Takes over `store`, and brings the replica up from it; where that finds no room, as soon as there is. `signal` gives up.
   * @throws TocsinError as `bringUp`, but never DISK_FULL; `leave` is still to be called
   */
  async enter(store: LogStore, signal: AbortSignal = this.#leaving.signal): Promise<void> {
    for (let next = store; ; ) {
      try {
        await this.#enter(next, signal);
        return;
      } catch (error) {
        if (!isFull(error)) throw error;
        this.#parts.log(`${error.message}; this replica begins when there is room`);
      }
      await this.#vacate();
      if (!(await hasRoomAgain(this.#parts, signal))) throw cancelled();
      next = await openInRoom(this.#parts.open, this.#parts, signal);
    }
  }

  async #enter(store: LogStore, signal: AbortSignal): Promise<void> {
    this.#store = store;
    const onFault = (error: unknown): void => this.#failed(error);
    this.#up = await bringUp({ ...this.#parts, store, onFault }, this.#address, signal);
    if (this.#leaving.signal.aborted) {
      await this.#vacate();
      throw cancelled();
    }
    const { replica, turns, listener } = this.#up;
    this.#address = listener.address;
    await turns.make(() => {
      if (signal.aborted || this.#leaving.signal.aborted) throw cancelled();
      this.#parts.onUp(replica);
      replica.start();
    });
  }

  /** Stops for good. Never rejects: what goes wrong is logged. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    this.#up?.replica.stop();
    await this.#returning;
    await this.#vacate();
  }

  #failed(error: unknown): void {
    const { onFault, log } = this.#parts;
    if (!isFull(error)) {
      onFault(error);
      return;
    }
    log(`${error.message}; this replica waits until there is room`);
    this.#returning = this.#return();
  }

  async #return(): Promise<void> {
    const { signal } = this.#leaving;
    try {
      if (!(await hasRoomAgain(this.#parts, signal))) return;
      await this.#vacate();
      await this.enter(await openInRoom(this.#parts.open, this.#parts, signal), signal);
      this.#parts.log('the disk has room again, and the replica is back');
    } catch (error) {
      if (!signal.aborted) this.#parts.onFault(error);
    }
  }

  async #vacate(): Promise<void> {
    const [up, store] = [this.#up, this.#store];
    this.#store = undefined;
    const complain = (error: unknown): void => this.#parts.log(`while stopping: ${String(error)}`);
    up?.replica.stop();
    await up?.listener.close().catch(complain);
    if (store !== undefined) await inTime(this.#parts.clock, store.close().catch(complain));
  }
}

/** A disk that hangs must not keep anyone from hearing that the replica has stopped. */
async function inTime(clock: Clock, closing: Promise<void>): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<void>((resolve) => {
    timer = clock.after(millis(CLOSE_DISK_MS_MAX), resolve);
  });
  await Promise.race([closing, late]);
  timer?.cancel();
}
