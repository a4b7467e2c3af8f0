import { TocsinError } from '../base/errors.ts';
import { CONNECTIONS_REFUSED_MAX } from '../base/limits.ts';
import type { Hello } from '../wire/handshake.ts';
import { FrameChannel } from './channel.ts';
import { type IntroductionOptions, receive } from './introduction.ts';
import type { Link } from './link.ts';
import type { Accept } from './types.ts';

/** Meets the connections of one listener: counts them, introduces them, and sends them away at the end. */
export class Doorman {
  readonly #self: Hello;
  readonly #accept: Accept;
  readonly #connectionsMax: number;
  readonly #options: IntroductionOptions;
  readonly #inside = new Set<FrameChannel>();
  readonly #refused = new Set<FrameChannel>();
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  constructor(self: Hello, accept: Accept, connectionsMax: number, options: IntroductionOptions) {
    this.#self = self;
    this.#accept = accept;
    this.#connectionsMax = connectionsMax;
    this.#options = options;
  }

  meet(link: Link): void {
    if (this.#closed || this.#refused.size >= CONNECTIONS_REFUSED_MAX) {
      link.destroy();
    } else if (this.#inside.size >= this.#connectionsMax) {
      const channel = new FrameChannel(link, this.#options);
      this.#watch(channel, this.#refused);
      channel.close(new TocsinError('OVERLOADED', 'too many connections'));
    } else {
      this.#watch(receive(link, this.#self, this.#accept, this.#options), this.#inside);
    }
  }

  /** Closes all channels; resolves when they have let go. */
  async close(): Promise<void> {
    this.#closed = true;
    const channels = [...this.#inside, ...this.#refused];
    if (channels.length === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    for (const channel of channels) channel.close();
    await empty;
  }

  #watch(channel: FrameChannel, room: Set<FrameChannel>): void {
    room.add(channel);
    channel.onReleased = () => {
      room.delete(channel);
      if (this.#inside.size + this.#refused.size === 0) this.#whenEmpty?.();
    };
  }
}
