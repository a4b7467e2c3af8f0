import { TREND_DISK_FREE_BYTES_MIN, TREND_DISK_MARGIN_BYTES } from '../../base/trend-limits.ts';
import type { TrendKeeper } from './keeper.ts';

/**
 * Leaves the last of the disk to alerts: in good time trends write nothing more, and go on by themselves when there is room
 * again. Meanwhile samples are judged, answered from memory and passed on as ever.
 */
export class TrendRoom {
  readonly #keeper: TrendKeeper;
  readonly #log: (line: string) => void;
  #isLooking = false;
  /** What was said last; a resumption that fails is no news. */
  #saidFull = false;

  constructor(keeper: TrendKeeper, log: (line: string) => void) {
    this.#keeper = keeper;
    this.#log = log;
  }

  /** Called once a tick. @throws TocsinError DISK_FULL, DISK_FAILED */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const free = await this.#keeper.disk.freeBytes();
      if (!this.#keeper.isPaused) {
        if (free < TREND_DISK_FREE_BYTES_MIN) this.ranOut();
      } else if (free >= TREND_DISK_FREE_BYTES_MIN + TREND_DISK_MARGIN_BYTES) {
        await this.#keeper.resume();
        this.#saidFull = false;
        this.#log('the disk has room again: what memory holds is written');
      }
    } finally {
      this.#isLooking = false;
    }
  }

  /** A write found no room at all, or may find none. */
  ranOut(): void {
    this.#keeper.pause();
    if (this.#saidFull) return;
    this.#saidFull = true;
    this.#log(
      'the disk is full: samples are judged and held in memory, and lost if this replica ends before there is room',
    );
  }
}
