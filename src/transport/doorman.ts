import { TocsinError } from '../base/errors.ts';
import { CONNECTIONS_PEERS_SHARE, CONNECTIONS_REFUSED_MAX } from '../base/limits.ts';
import type { Hello } from '../wire/handshake.ts';
import { FrameChannel } from './channel.ts';
import { type IntroductionOptions, receive } from './introduction.ts';
import type { Link } from './link.ts';
import type { Accept } from './types.ts';

/** What one listener has room for. */
export interface Room {
  readonly connectionsMax: number;
  /** Of frames that clients have begun to send. */
  readonly unfinishedBytesMax: number;
}

/**
 * Meets the connections of one listener: counts them, introduces them, and sends them away at the end. Clients and strangers
 * cannot keep the members of the cluster out: some places are for peers alone, and where none is left whoever has not
 * introduced itself makes room.
 */
export class Doorman {
  readonly #self: Hello;
  readonly #accept: Accept;
  readonly #room: Room;
  readonly #options: IntroductionOptions;
  readonly #inside = new Set<FrameChannel>();
  /** Of those inside, the ones that have not said who they are, in the order in which they came. */
  readonly #greeting = new Set<FrameChannel>();
  readonly #clients = new Set<FrameChannel>();
  readonly #refused = new Set<FrameChannel>();
  /** Bytes of frames that clients have begun to send. */
  #unfinishedBytes = 0;
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  constructor(self: Hello, accept: Accept, room: Room, options: IntroductionOptions) {
    this.#self = self;
    this.#accept = accept;
    this.#room = room;
    this.#options = options;
  }

  meet(link: Link): void {
    if (this.#closed || this.#refused.size >= CONNECTIONS_REFUSED_MAX) {
      link.destroy();
      return;
    }
    const [slowest] = this.#greeting;
    if (this.#isFull) slowest?.abandon();
    if (this.#isFull) {
      const channel = new FrameChannel(link, this.#options);
      this.#watch(channel, this.#refused);
      channel.close(new TocsinError('OVERLOADED', 'too many connections'));
    } else this.#greet(link);
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

  get #isFull(): boolean {
    return this.#inside.size >= this.#room.connectionsMax;
  }

  #greet(link: Link): void {
    const judge = (remote: Hello): void => this.#judge(remote);
    const open = (): void => this.#admitted(channel);
    const channel = receive(link, this.#self, { judge, open }, this.#options);
    this.#watch(channel, this.#inside);
    this.#greeting.add(channel);
  }

  #judge(remote: Hello): void {
    const { connectionsMax } = this.#room;
    const places = connectionsMax - Math.floor(connectionsMax / CONNECTIONS_PEERS_SHARE);
    if (remote.role === 'client' && this.#clients.size >= places)
      throw new TocsinError('OVERLOADED', `${places} clients are connected, which is the limit`);
    this.#accept.judge(remote);
  }

  #admitted(channel: FrameChannel): void {
    this.#greeting.delete(channel);
    if (channel.remote.role === 'client') {
      this.#clients.add(channel);
      channel.onUnfinished = (change) => this.#noteUnfinished(change);
    }
    this.#accept.open(channel);
  }

  /** Whoever holds the most of what is too much in all goes: a frame that comes in good time holds little. */
  #noteUnfinished(change: number): void {
    this.#unfinishedBytes += change;
    if (change < 0 || this.#unfinishedBytes <= this.#room.unfinishedBytesMax) return;
    const [largest] = [...this.#clients].sort((a, b) => b.unfinishedBytes - a.unfinishedBytes);
    largest?.close(
      new TocsinError(
        'OVERLOADED',
        'too many frames were begun and not finished, this the longest',
      ),
    );
  }

  #watch(channel: FrameChannel, room: Set<FrameChannel>): void {
    room.add(channel);
    channel.onReleased = () => {
      for (const set of [room, this.#greeting, this.#clients]) set.delete(channel);
      if (this.#inside.size + this.#refused.size === 0) this.#whenEmpty?.();
    };
  }
}
