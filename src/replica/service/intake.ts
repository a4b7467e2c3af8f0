import type { GroupId } from '../../base/ids.ts';
import { INTAKE_HELD_BYTES_MAX } from '../../base/limits.ts';
import type { Channel } from '../../transport/types.ts';
import type { FrameType } from '../../wire/frame.ts';
import type { Turns, Work } from '../turns.ts';

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
  readonly #turns: Turns;
  readonly #held: Held[] = [];
  #heldBytes = 0;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Hands the frame over: now, or in a later turn. */
  admit(taker: Taker, type: FrameType, group: GroupId, id: number, body: Uint8Array): void {
    const fits = this.#heldBytes + body.byteLength <= INTAKE_HELD_BYTES_MAX;
    if (fits && (this.#held.length > 0 || !this.#turns.takesStep())) {
      taker.channel.pause();
      this.#heldBytes += body.byteLength;
      this.#held.push({ taker, type, group, id, body });
      if (this.#held.length === 1) this.#turns.later(this.#work);
    } else taker.take(type, group, id, body);
  }

  readonly #work: Work = (isOver) => {
    do {
      const held = this.#held.shift();
      if (held === undefined) return false;
      const { taker, type, group, id, body } = held;
      this.#heldBytes -= body.byteLength;
      taker.take(type, group, id, body);
      taker.channel.resume();
    } while (!isOver(true));
    return this.#held.length > 0;
  };
}
