import { WATCH_BUFFER_BYTES_MAX, WATCH_BUFFER_MESSAGES_MAX } from '../../base/limits.ts';
import type { WatchMessage } from '../../statemachine/alert-api.ts';

interface Piece {
  readonly messages: readonly WatchMessage[];
  readonly bytes: number;
}

/** What has arrived for a watcher who has not asked for it yet. */
export class WatchBuffer {
  #pieces: Piece[] = [];
  #at = 0;
  #messages = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#messages === 0;
  }

  /** More must not be asked for. One frame's worth may stand beyond the limit. */
  get isFull(): boolean {
    return this.#messages >= WATCH_BUFFER_MESSAGES_MAX || this.#bytes >= WATCH_BUFFER_BYTES_MAX;
  }

  push(messages: readonly WatchMessage[], bytes: number): void {
    if (messages.length === 0) return;
    this.#pieces.push({ messages, bytes });
    this.#messages += messages.length;
    this.#bytes += bytes;
  }

  shift(): WatchMessage | undefined {
    const piece = this.#pieces[0];
    if (piece === undefined) return undefined;
    const message = piece.messages[this.#at];
    this.#at += 1;
    this.#messages -= 1;
    if (this.#at === piece.messages.length) {
      this.#pieces.shift();
      this.#at = 0;
      this.#bytes -= piece.bytes;
    }
    return message;
  }

  clear(): void {
    this.#pieces = [];
    this.#at = 0;
    this.#messages = 0;
    this.#bytes = 0;
  }
}
