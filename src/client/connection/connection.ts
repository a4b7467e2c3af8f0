import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, millis } from '../../base/ids.ts';
import {
  CLIENT_PONG_MS,
  CLIENT_REQUESTS_IN_FLIGHT_MAX,
  CLIENT_SILENCE_MS,
} from '../../base/limits.ts';
import type { Channel } from '../../transport/types.ts';
import { decodeFail } from '../../wire/clients/client-messages.ts';
import { decodeShared } from '../../wire/clients/watch-messages.ts';
import { FrameType } from '../../wire/frame.ts';

/** One request and what comes of it. Exactly one of `failed` and `lost` ends it, or an answer that is not a stream's. */
export interface Exchange {
  /** More than one answer follows: it ends by `forget`, `failed` or `lost`. */
  readonly isStream: boolean;
  /** @throws TocsinError when the answer is malformed: the connection is given up, and `lost` follows */
  answered(type: FrameType, body: Uint8Array): void;
  /** The server's own word. */
  failed(error: TocsinError): void;
  /** The connection is gone, and with it the answer. */
  lost(reason: TocsinError): void;
}

/**
 * Requests and answers over one channel. While an answer is owed and nothing at all arrives, the other side is asked
 * for a sign of life; a process that is paused keeps its sockets open and is found out this way.
 */
export class Connection {
  readonly address: string;
  readonly clusterId: string;
  /** Called once. */
  onLost: (reason: TocsinError) => void = () => {};
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #exchanges = new Map<number, Exchange>();
  #waitingForRoom: (() => void)[] = [];
  #nextId = 1;
  #full = false;
  #reason: TocsinError | undefined;
  /** Something was asked and nothing has arrived since, or an answer is still owed. */
  #expecting = false;
  #heardAt: number;
  #wentSilent = false;
  #watchdog: Timer | undefined;
  #released: (() => void) | undefined;
  /** Resolves when the channel is let go. */
  readonly released: Promise<void>;

  constructor(address: string, channel: Channel, clock: Clock) {
    this.address = address;
    this.clusterId = channel.remote.clusterId;
    this.#channel = channel;
    this.#clock = clock;
    this.#heardAt = clock.monotonic();
    this.released = new Promise((resolve) => {
      this.#released = resolve;
    });
    channel.onFrame = (type, _group, id, body) => this.#take(type, id, body);
    channel.onDrain = () => {
      this.#full = false;
      this.#wake();
    };
    channel.onClose = (reason) => {
      this.#lose(lostBecause(address, reason));
      this.#released?.();
    };
  }

  get isOpen(): boolean {
    return this.#reason === undefined;
  }

  /** It was given up because nothing came over it any more. */
  get wentSilent(): boolean {
    return this.#wentSilent;
  }

  /** Requests that are not answered yet, watches included. */
  get outstanding(): number {
    return this.#exchanges.size;
  }

  /** Sends a request. Undefined = there is no room (see `whenRoom`), or no connection: nothing was sent. */
  send(type: FrameType, body: readonly Uint8Array[], exchange: Exchange): number | undefined {
    if (!this.isOpen || !this.#hasRoom()) return undefined;
    const id = this.#nextId;
    if (!this.#channel.send(type, ALERTS_GROUP, id, body)) {
      this.#full = true;
      return undefined;
    }
    this.#nextId += 1;
    this.#exchanges.set(id, exchange);
    this.#expect();
    return id;
  }

  /** Runs the task once, when a request can be sent or the connection is lost; first come, first served. */
  whenRoom(task: () => void): void {
    if (this.isOpen) this.#waitingForRoom.push(task);
    else queueMicrotask(task);
  }

  /** The asker does not want the answer any more. A stream is called off at the server. */
  forget(id: number): void {
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) return;
    this.#exchanges.delete(id);
    // When the queue is full the server goes on; what it sends is dropped here, as an answer to nobody.
    if (exchange.isStream) this.#channel.send(FrameType.CANCEL, ALERTS_GROUP, id, []);
    this.#wake();
  }

  /** Gives the connection up: every request on it is lost. */
  close(reason: TocsinError): void {
    this.#channel.close(reason.code === 'CLOSED' ? undefined : reason);
    this.#lose(reason);
  }

  #hasRoom(): boolean {
    return !this.#full && this.#exchanges.size < CLIENT_REQUESTS_IN_FLIGHT_MAX;
  }

  #wake(): void {
    while (this.#waitingForRoom.length > 0 && this.isOpen && this.#hasRoom())
      this.#waitingForRoom.shift()?.();
  }

  #take(type: FrameType, id: number, body: Uint8Array): void {
    if (!this.isOpen) return;
    this.#heardAt = this.#clock.monotonic();
    if (this.#exchanges.size === 0) this.#expecting = false;
    if (type === FrameType.PONG) return;
    if (type === FrameType.WATCH_SHARED) this.#takeShared(body);
    else this.#takeFor(type, id, body);
  }

  /** Several watches are told the same: they get the same bytes, and whoever reads them can tell that they are. */
  #takeShared(body: Uint8Array): void {
    try {
      const { ids, messages } = decodeShared(body);
      for (const id of ids) if (this.isOpen) this.#takeFor(FrameType.WATCH_MESSAGES, id, messages);
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.close(error);
    }
  }

  #takeFor(type: FrameType, id: number, body: Uint8Array): void {
    if (id < 1 || id >= this.#nextId) {
      this.close(malformed(`an answer to request ${id}, which was never made`));
      return;
    }
    // Whoever asked may have given up meanwhile.
    const exchange = this.#exchanges.get(id);
    if (exchange !== undefined) this.#answer(exchange, type, id, body);
  }

  #answer(exchange: Exchange, type: FrameType, id: number, body: Uint8Array): void {
    try {
      if (type === FrameType.FAIL) {
        const error = decodeFail(body);
        this.#finish(id);
        exchange.failed(error);
      } else {
        exchange.answered(type, body);
        if (!exchange.isStream) this.#finish(id);
      }
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.close(error);
    }
    this.#wake();
  }

  #finish(id: number): void {
    this.#exchanges.delete(id);
    if (this.#exchanges.size === 0) this.#expecting = false;
  }

  #expect(): void {
    if (!this.#expecting) this.#heardAt = this.#clock.monotonic();
    this.#expecting = true;
    if (this.#watchdog === undefined) this.#watch(CLIENT_SILENCE_MS);
  }

  #watch(delay: number): void {
    this.#watchdog = this.#clock.after(millis(delay), () => {
      this.#watchdog = undefined;
      if (!this.#expecting) return;
      const silentMs = this.#clock.monotonic() - this.#heardAt;
      if (silentMs < CLIENT_SILENCE_MS) this.#watch(CLIENT_SILENCE_MS - silentMs);
      else this.#ping();
    });
  }

  #ping(): void {
    const askedAt = this.#heardAt;
    const queuedBytes = this.#channel.queuedBytes;
    this.#channel.send(FrameType.PING, ALERTS_GROUP, 0, []);
    this.#watchdog = this.#clock.after(millis(CLIENT_PONG_MS), () => {
      // This process may itself have been held up: what has arrived meanwhile is read first.
      this.#watchdog = this.#clock.soon(() => {
        this.#watchdog = undefined;
        // What still waits in a long queue has not been asked yet; a queue that gets shorter is a sign of life too.
        const isTaking = this.#channel.queuedBytes < queuedBytes;
        if (this.#heardAt > askedAt || isTaking) this.#watch(CLIENT_SILENCE_MS);
        else this.#giveUpOnSilence();
      });
    });
  }

  #giveUpOnSilence(): void {
    this.#wentSilent = true;
    this.close(new TocsinError('CONNECTION_LOST', `${this.address} does not answer any more`));
  }

  #lose(reason: TocsinError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#watchdog?.cancel();
    const exchanges = [...this.#exchanges.values()];
    this.#exchanges.clear();
    this.onLost(reason);
    for (const exchange of exchanges) exchange.lost(reason);
    const tasks = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const task of tasks) task();
  }
}

/** An answer must be of the type that belongs to the request. */
export function expectType(type: FrameType, wanted: FrameType): void {
  if (type !== wanted) throw malformed(`a frame of type ${type} where ${wanted} belongs`);
}

const malformed = (what: string): TocsinError => new TocsinError('FRAME_MALFORMED', what);

function lostBecause(address: string, reason: Error | undefined): TocsinError {
  if (reason === undefined)
    return new TocsinError('CONNECTION_LOST', `${address} closed the connection`);
  if (TocsinError.is(reason)) return reason;
  return new TocsinError('CONNECTION_LOST', `${address}: ${reason.message}`, { cause: reason });
}
