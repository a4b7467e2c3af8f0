import type { Clock } from '../../base/clock.ts';
import { type GroupId, type Millis, millis } from '../../base/ids.ts';
import { INTAKE_HELD_BYTES_MAX, SLICE_MS_MAX } from '../../base/limits.ts';
import type { Channel } from '../../transport/types.ts';
import type { FrameType } from '../../wire/frame.ts';

/** Whoever a connection's frames are for. */
export interface Taker {
  readonly channel: Channel;
  take(type: FrameType, group: GroupId, id: number, body: Uint8Array): void;
}

/** A frame that came when the turn had done enough. */
interface Held {
  readonly taker: Taker;
  readonly type: FrameType;
  readonly group: GroupId;
  readonly id: number;
  readonly body: Uint8Array;
}

/**
 * Bounds what is taken of clients in one turn of the loop, from all connections together: many large requests that arrive at once
 * hold up nobody else. What is over waits, in the order in which it came; one frame of a connection at most, which is not read meanwhile, and
 * no more bytes of all than INTAKE_HELD_BYTES_MAX: a frame beyond is taken at once.
 */
export class Intake {
  readonly #clock: Clock;
  readonly #framesMax: number;
  readonly #held: Held[] = [];
  /** When this turn has done enough; undefined = it has taken nothing yet. */
  #end: Millis | undefined;
  #frames = 0;
  #heldBytes = 0;

  /** `framesMax`: a turn has done enough after so many, whatever the clock says. */
  constructor(clock: Clock, framesMax: number = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#framesMax = framesMax;
  }

  /** Hands the frame over: now, or in a later turn. */
  admit(taker: Taker, type: FrameType, group: GroupId, id: number, body: Uint8Array): void {
    const fits = this.#heldBytes + body.byteLength <= INTAKE_HELD_BYTES_MAX;
    if (fits && (this.#held.length > 0 || this.#isOver())) {
      taker.channel.pause();
      this.#heldBytes += body.byteLength;
      this.#held.push({ taker, type, group, id, body });
    } else {
      this.#frames += 1;
      taker.take(type, group, id, body);
    }
  }

  #isOver(): boolean {
    const now = this.#clock.monotonic();
    if (this.#end === undefined) {
      this.#end = millis(now + SLICE_MS_MAX);
      this.#clock.soon(() => this.#turn());
    }
    return now > this.#end || this.#frames >= this.#framesMax;
  }

  /** A new turn: whoever was held comes first. */
  #turn(): void {
    this.#end = undefined;
    this.#frames = 0;
    while (this.#held.length > 0 && !this.#isOver()) {
      const held = this.#held.shift();
      if (held === undefined) return;
      const { taker, type, group, id, body } = held;
      this.#frames += 1;
      this.#heldBytes -= body.byteLength;
      taker.take(type, group, id, body);
      taker.channel.resume();
    }
  }
}
