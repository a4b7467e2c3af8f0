import type { Turns, Work } from '../turns.ts';

/** Answers that can be long are made one after another: of however many are asked for, one at most is half made. */
export class AnswerLine {
  readonly #turns: Turns;
  readonly #waiting: Work[] = [];

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Begins at once if nobody waits and the turn has time. */
  now(work: Work): void {
    this.#waiting.push(work);
    if (this.#waiting.length === 1) this.#turns.now(this.#work);
  }

  /** Begins when those who wait have their turn. */
  later(work: Work): void {
    this.#waiting.push(work);
    if (this.#waiting.length === 1) this.#turns.later(this.#work);
  }

  readonly #work: Work = (isOver) => {
    do {
      const [first] = this.#waiting;
      if (first === undefined) return false;
      let isMore = false;
      try {
        isMore = first(isOver);
      } finally {
        if (!isMore) this.#waiting.shift();
      }
    } while (!isOver(true));
    return this.#waiting.length > 0;
  };
}
