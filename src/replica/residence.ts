import { must } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { millis } from '../base/ids.ts';
import { CLOSE_DISK_MS_MAX, DISK_LOOK_MS } from '../base/limits.ts';
import { roomOf } from '../storage/space.ts';
import type { LogStore } from '../storage/types.ts';
import { type BringUpParts, type BroughtUp, bringUp } from './bring-up.ts';
import type { Replica } from './replica.ts';

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
   * Takes over `store`, and brings the replica up from it. `signal` gives up.
   * @throws TocsinError as `bringUp`; `leave` is still to be called
   */
  async enter(store: LogStore, signal: AbortSignal = this.#leaving.signal): Promise<void> {
    this.#store = store;
    const onFault = (error: unknown): void => this.#failed(error);
    this.#up = await bringUp({ ...this.#parts, store, onFault }, this.#address, signal);
    const { replica, listener } = this.#up;
    this.#address = listener.address;
    this.#parts.onUp(replica);
    replica.start();
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
    this.#returning = this.#return().catch(onFault);
  }

  async #return(): Promise<void> {
    while (await this.#hasRoomAgain()) {
      await this.#vacate();
      try {
        await this.enter(await this.#parts.open());
        this.#parts.log('the disk has room again, and the replica is back');
        return;
      } catch (error) {
        if (!isFull(error)) throw error;
      }
    }
  }

  /** Waits for it. False = nobody waits any more. */
  async #hasRoomAgain(): Promise<boolean> {
    const { clock, freeBytes } = this.#parts;
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      await new Promise<void>((resolve) => {
        const goOn = (): void => {
          timer.cancel();
          signal.removeEventListener('abort', goOn);
          resolve();
        };
        const timer = clock.after(millis(DISK_LOOK_MS), goOn);
        signal.addEventListener('abort', goOn);
      });
      if (roomOf(await freeBytes(), 'out') !== 'out') return !signal.aborted;
    }
    return false;
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

const isFull = (error: unknown): error is TocsinError =>
  TocsinError.is(error) && error.code === 'DISK_FULL';
