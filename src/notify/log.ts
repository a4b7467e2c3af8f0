import { bodyOf } from './body.ts';
import type { Delivery, Page, Sender } from './types.ts';

/** Writes a page as a line of JSON: for trying policies out, and where something else reads the lines. */
export class LogSender implements Sender {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Always `sent`: a line that nobody may read confirms nothing. */
  send(page: Page): Promise<Delivery> {
    this.#write(bodyOf(page));
    return Promise.resolve({ outcome: 'sent', detail: 'logged' });
  }
}
