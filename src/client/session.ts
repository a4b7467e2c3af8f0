import type { Revision } from '../base/ids.ts';
import type { Question } from './read-call.ts';

/** How new the newest thing is that a client was told: what a session read must not fall behind. */
export class Session {
  #newest = 0;

  /** The client is told of something as new as this. */
  note(revision: Revision): void {
    if (revision > this.#newest) this.#newest = revision;
  }

  /** The same question, whose answer is remembered; with `isBound`, older ones than those before do not count. */
  watching<T extends { readonly revision: Revision }>(
    question: Question<T>,
    isBound: boolean,
  ): Question<T> {
    // By when it is asked: calls that run beside each other are not in any order.
    const oldest = this.#newest;
    const { type, body, decode } = question;
    return {
      type,
      body,
      decode,
      isFresh: (answer) => {
        if (isBound && answer.revision < oldest) return false;
        this.note(answer.revision);
        return true;
      },
    };
  }
}
