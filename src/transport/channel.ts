import { assert, must } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { ALERTS_GROUP, type GroupId, type Millis } from '../base/ids.ts';
import {
  CONNECTION_SEND_BYTES_MAX,
  FRAME_BYTES_MAX,
  HANDSHAKE_FRAME_BYTES_MAX,
} from '../base/limits.ts';
import { decodeFail, encodeFail } from '../wire/clients/client-messages.ts';
import {
  FRAME_HEADER_BYTES,
  type Frame,
  FrameReader,
  FrameType,
  frameHeader,
} from '../wire/frame.ts';
import type { Hello } from '../wire/handshake.ts';
import type { Link } from './link.ts';
import { SendQueue } from './send-queue.ts';
import type { Channel } from './types.ts';

/**
 * How far a connection has come. Greeting: no frame but introductions. Open. Ended: the other side is gone, frames it
 * sent before wait to be delivered. Closing: this side said goodbye; what still arrives is dropped. Closed: the link is
 * let go.
 */
type Phase = 'greeting' | 'open' | 'ended' | 'closing' | 'closed';

export interface ChannelOptions {
  readonly clock: Clock;
  /** How long a closed channel may take to hand over what is queued. */
  readonly closeMsMax: Millis;
}

/**
 * Frames over a link. It begins in the greeting, where whoever made it (see handshake.ts) exchanges introductions, and
 * becomes everybody's with `admit`. Reading stops while nobody listens to the frames, so none is lost.
 */
export class FrameChannel implements Channel {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #closeMsMax: Millis;
  readonly #reader: FrameReader = new FrameReader(HANDSHAKE_FRAME_BYTES_MAX);
  readonly #queue: SendQueue;
  readonly #flushNow = (): void => this.#flush();
  #phase: Phase = 'greeting';
  #remote: Hello | undefined;
  #frameHandler: Channel['onFrame'] | undefined;
  #closeHandler: Channel['onClose'] | undefined;
  #held = false;
  #linkPaused = false;
  #delivering = false;
  #flushScheduled = false;
  #drainOwed = false;
  /** Bytes received that belong to no whole frame yet, and how many of them were told of. */
  #loose = 0;
  #looseTold = 0;
  #reason: Error | undefined;
  #closeTimer: Timer | undefined;

  onDrain: () => void = () => {};
  /** For whoever counts connections: called when the link is let go, whoever holds the channel by then. */
  onReleased: () => void = () => {};
  /** For whoever counts the memory: `unfinishedBytes` has changed by so much. */
  onUnfinished: (change: number) => void = () => {};

  constructor(link: Link, options: ChannelOptions) {
    this.#link = link;
    this.#clock = options.clock;
    this.#closeMsMax = options.closeMsMax;
    this.#queue = new SendQueue(link);
    link.attach({
      received: (chunk) => this.#received(chunk),
      drained: () => this.#flush(),
      ended: (reason) => this.#ended(reason),
    });
  }

  get remote(): Hello {
    return must(this.#remote, 'nobody was admitted yet');
  }

  get remoteAddress(): string {
    return this.#link.remoteAddress;
  }

  get queuedBytes(): number {
    if (this.#phase === 'ended' || this.#phase === 'closed') return 0;
    return this.#queue.byteLength + this.#link.unsentBytes;
  }

  /** Of frames that have not come whole yet. */
  get unfinishedBytes(): number {
    return this.#loose;
  }

  get onFrame(): Channel['onFrame'] {
    return this.#frameHandler ?? (() => {});
  }

  set onFrame(handler: Channel['onFrame']) {
    this.#frameHandler = handler;
    this.#deliverSoon();
  }

  get onClose(): Channel['onClose'] {
    return this.#closeHandler ?? (() => {});
  }

  set onClose(handler: Channel['onClose']) {
    const late = this.#phase === 'closed' && this.#closeHandler === undefined;
    this.#closeHandler = handler;
    if (late) this.#tellClosed();
  }

  send(type: FrameType, group: GroupId, id: number, body: readonly Uint8Array[]): boolean {
    if (this.#phase !== 'open' && this.#phase !== 'greeting') return false;
    let bytes = FRAME_HEADER_BYTES;
    for (const part of body) bytes += part.byteLength;
    if (this.queuedBytes + bytes > CONNECTION_SEND_BYTES_MAX) {
      this.#drainOwed = true;
      return false;
    }
    this.#enqueue(type, group, id, body);
    return true;
  }

  flush(): void {
    if (this.#flushScheduled) this.#flush();
  }

  pause(): void {
    this.#held = true;
    this.#readLink();
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#deliverSoon();
  }

  close(reason?: Error): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    if (this.#phase !== 'ended' && TocsinError.is(reason))
      this.#enqueue(FrameType.REFUSE, ALERTS_GROUP, 0, [encodeFail(reason)]);
    this.#leave(reason);
  }

  /** Ends the greeting: from here on frames of any length and type pass. The handlers of the greeting are taken off. */
  admit(remote: Hello): void {
    assert(this.#phase === 'greeting', `admitted while ${this.#phase}`);
    this.#remote = remote;
    this.#phase = 'open';
    this.#reader.bodyBytesMax = FRAME_BYTES_MAX;
    this.#frameHandler = undefined;
    this.#closeHandler = undefined;
  }

  /** Closes without a word, at once. */
  abandon(reason?: Error): void {
    if (this.#phase === 'closed') return;
    this.#reason = reason;
    this.#finish();
  }

  #enqueue(type: FrameType, group: GroupId, id: number, body: readonly Uint8Array[]): void {
    this.#queue.add(frameHeader(type, group, id, body));
    for (const part of body) this.#queue.add(part);
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#link.full) return;
    this.#flushScheduled = true;
    queueMicrotask(this.#flushNow);
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.#phase === 'closed' || this.#phase === 'ended') return;
    this.#queue.flush();
    if (this.#link.full) {
      this.#drainOwed = true;
      return;
    }
    if (this.#phase === 'closing') {
      this.#link.end();
    } else if (this.#drainOwed) {
      this.#drainOwed = false;
      this.onDrain();
    }
  }

  #received(chunk: Uint8Array): void {
    if (this.#phase === 'closing') return;
    this.#loose += chunk.byteLength;
    this.#reader.push(chunk);
    this.#deliver();
  }

  #ended(reason: Error | undefined): void {
    if (this.#phase === 'closing') {
      this.#finish();
    } else if (reason !== undefined) {
      this.#reason = new TocsinError(
        'CONNECTION_LOST',
        `connection to ${this.remoteAddress} broke: ${reason.message}`,
        { cause: reason },
      );
      this.#finish();
    } else {
      this.#phase = 'ended';
      this.#link.destroy();
      this.#queue.clear();
      this.#deliver();
    }
  }

  /** In a turn of its own, so that nobody is called back from within a call he makes. */
  #deliverSoon(): void {
    queueMicrotask(() => {
      if (this.#phase === 'closed') return;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      while (this.#listening()) {
        const frame = this.#nextFrame();
        if (frame === undefined) break;
        this.#take(frame);
      }
    } finally {
      this.#delivering = false;
    }
    if (this.#phase === 'ended' && this.#listening()) this.#finishEnded();
    else this.#readLink();
    this.#noteUnfinished();
  }

  #noteUnfinished(): void {
    const change = this.#loose - this.#looseTold;
    this.#looseTold = this.#loose;
    if (change !== 0) this.onUnfinished(change);
  }

  /** What has not come whole by now never will. */
  #dropUnfinished(): void {
    this.#reader.drop();
    this.#loose = 0;
    this.#noteUnfinished();
  }

  #listening(): boolean {
    if (this.#phase === 'closing' || this.#phase === 'closed') return false;
    return !this.#held && this.#frameHandler !== undefined;
  }

  /** Reads the link while somebody listens, and while saying goodbye: the end of the stream has to be seen. */
  #readLink(): void {
    if (this.#phase === 'ended' || this.#phase === 'closed') return;
    const paused = this.#phase !== 'closing' && !this.#listening();
    if (paused === this.#linkPaused) return;
    this.#linkPaused = paused;
    if (paused) this.#link.pause();
    else this.#link.resume();
  }

  #nextFrame(): Frame | undefined {
    try {
      const frame = this.#reader.next();
      if (frame !== undefined) this.#loose -= FRAME_HEADER_BYTES + frame.body.byteLength;
      return frame;
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.close(error);
      return undefined;
    }
  }

  #take({ type, group, id, body }: Frame): void {
    if (type === FrameType.REFUSE) {
      this.#refused(body);
    } else if (this.#phase === 'greeting') {
      this.onFrame(type, group, id, body);
    } else if (type === FrameType.PING) {
      this.send(FrameType.PONG, group, id, [body]);
    } else if (type === FrameType.HELLO || type === FrameType.WELCOME) {
      this.close(new TocsinError('FRAME_MALFORMED', 'a second introduction'));
    } else {
      this.onFrame(type, group, id, body);
    }
  }

  /** The other side said why it closes; there is nothing to tell it. */
  #refused(body: Uint8Array): void {
    let reason: TocsinError;
    try {
      reason = decodeFail(body);
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.close(error);
      return;
    }
    this.#leave(reason);
  }

  /** What is queued still goes out, for as long as that may take. */
  #leave(reason: Error | undefined): void {
    this.#reason = reason;
    if (this.#phase === 'ended') {
      this.#finish();
      return;
    }
    this.#phase = 'closing';
    this.#dropUnfinished();
    this.#scheduleFlush();
    this.#readLink();
    this.#closeTimer = this.#clock.after(this.#closeMsMax, () => this.#finish());
  }

  #finishEnded(): void {
    if (this.#reason === undefined && this.#loose > 0)
      this.#reason = new TocsinError(
        'CONNECTION_LOST',
        `connection to ${this.remoteAddress} ended within a frame`,
      );
    this.#finish();
  }

  #finish(): void {
    this.#phase = 'closed';
    this.#dropUnfinished();
    this.#closeTimer?.cancel();
    this.#link.destroy();
    this.#queue.clear();
    if (this.#closeHandler !== undefined) this.#tellClosed();
    this.onReleased();
  }

  #tellClosed(): void {
    queueMicrotask(() => this.onClose(this.#reason));
  }
}
