import type { GroupId } from '../../base/ids.ts';
import { INTAKE_HELD_BYTES_MAX } from '../../base/limits.ts';
import type { Channel } from '../../transport/types.ts';
import type { FrameType } from '../../wire/frame.ts';
import type { IsOver, Turns, Work } from '../turns.ts';

/** Whoever a connection's frames are for. */
export interface Taker {
  readonly channel: Channel;
  /** Takes the frame, as far as its share of the turn has time. Answers what is left of it, which a later turn goes on with. */
  take(
    type: FrameType,
    group: GroupId,
    id: number,
    body: Uint8Array,
    isOver: IsOver,
  ): Work | undefined;
}

/** A frame that was not taken yet, or not all of it. */
interface Held {
  readonly taker: Taker;
  readonly type: FrameType;
  readonly group: GroupId;
  readonly id: number;
  readonly body: Uint8Array;
  /** Undefined = nothing was done of it. */
  rest: Work | undefined;
}

const never: IsOver = () => false;

/**
 * Bounds what is taken of clients in one turn of the loop, from all connections together: large requests, however many arrive at once,
 * hold up nobody else. What is over waits, in the order in which it came; one frame of a connection at most, which is not read meanwhile, and
 * no more bytes of all than INTAKE_HELD_BYTES_MAX: a frame beyond is taken at once.
 */
export class Intake {
  readonly #turns: Turns;
  /** In the order in which they came; of the first some may be done. */
  readonly #held: Held[] = [];
  #heldBytes = 0;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Hands the frame over: now, or in later turns. */
  admit(taker: Taker, type: FrameType, group: GroupId, id: number, body: Uint8Array): void {
    if (this.#heldBytes + body.byteLength > INTAKE_HELD_BYTES_MAX) {
      taker.take(type, group, id, body, never);
      return;
    }
    const held: Held = { taker, type, group, id, body, rest: undefined };
    this.#heldBytes += body.byteLength;
    this.#held.push(held);
    if (this.#held.length === 1) this.#turns.now(this.#work);
    if (this.#held.at(-1) === held) taker.channel.pause();
  }

  readonly #work: Work = (isOver) => {
    do {
      const [held] = this.#held;
      if (held === undefined) return false;
      let isMore = false;
      try {
        isMore = goOn(held, isOver);
      } finally {
        if (!isMore) this.#done(held);
      }
      if (isMore) return true;
    } while (!isOver(true));
    return this.#held.length > 0;
  };

  #done({ taker, body }: Held): void {
    this.#held.shift();
    this.#heldBytes -= body.byteLength;
    taker.channel.resume();
  }
}

/** Whether there is more to do of it. */
function goOn(held: Held, isOver: IsOver): boolean {
  const { taker, type, group, id, body, rest } = held;
  if (rest !== undefined) return rest(isOver);
  held.rest = taker.take(type, group, id, body, isOver);
  return held.rest !== undefined;
}
