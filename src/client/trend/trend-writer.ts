import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { millis } from '../../base/ids.ts';
import { RECONNECT_MS_MAX, RECONNECT_MS_MIN, UNIX_MILLIS_MAX } from '../../base/limits.ts';
import {
  TREND_FRAME_SAMPLES_MAX,
  TREND_FRAME_SERIES_MAX,
  TREND_SERIES_MAX,
  TREND_UNSENT_SAMPLES_MAX,
} from '../../base/trend-limits.ts';
import { FrameType } from '../../wire/frame.ts';
import {
  decodeCredit,
  encodeRegister,
  parseSeriesInfo,
  type SeriesInfo,
} from '../../wire/trend/trend-messages.ts';
import {
  BatchBuilder,
  decodeTaken,
  QUALITY_MAX,
  type Taken,
} from '../../wire/trend/trend-samples.ts';
import type { Connection, Exchange } from '../connection/connection.ts';
import { expectType } from '../connection/connection.ts';
import type { Connections } from '../connection/connections.ts';
import { raceDials } from '../connection/dial-race.ts';
import { unavailable } from '../connection/leader-finder.ts';
import { clientClosed } from '../failures.ts';

interface Frame {
  readonly body: Uint8Array;
  readonly count: number;
  /** Series registered up to here are all that it needs. */
  readonly slots: number;
  /** When it left, by the monotonic clock. */
  sentAt: number;
}

export interface TrendWriterOptions {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly endpoints: readonly string[];
  /** Samples gathered before a frame leaves by itself. @defaultValue 8,192 */
  readonly frameSamples?: number;
  /** Told once of each frame, when its samples were taken and judged, and how long that was after it had left. */
  readonly onTaken?: (taken: Taken, elapsedMs: number) => void;
}

const FRAME_SAMPLES = 8_192;

/**
 * A stream of samples to one replica at a time. What was not acknowledged when a connection broke is sent again to the
 * next replica: a sample that arrives twice counts once. Never has more on the way than the replica gave credit for.
 */
export class TrendWriter {
  /** Samples by what became of them. */
  readonly taken: { -readonly [K in keyof Taken]: number } = {
    inOrder: 0,
    behind: 0,
    tooOld: 0,
    tooNew: 0,
    noRoom: 0,
  };
  readonly #options: TrendWriterOptions;
  readonly #frameSamples: number;
  readonly #builder = new BatchBuilder();
  readonly #series: SeriesInfo[] = [];
  readonly #queue: Frame[] = [];
  /** Sent and not acknowledged, by the connection they went over. */
  #underWay = new Set<Frame>();
  #connection: Connection | undefined;
  /** Something was taken over this connection. */
  #hasServed = false;
  #registered = 0;
  #credit = 0;
  #queuedSamples = 0;
  #underWaySamples = 0;
  #endpoint = 0;
  #pauseMs = RECONNECT_MS_MIN;
  #retry: Timer | undefined;
  #failure: TocsinError | undefined;
  #waiters: { readonly samplesMax: number; readonly settle: () => void }[] = [];

  constructor(options: TrendWriterOptions) {
    this.#options = options;
    this.#frameSamples = Math.min(options.frameSamples ?? FRAME_SAMPLES, TREND_FRAME_SAMPLES_MAX);
  }

  /**
   * Names a series once; samples then go by the number.
   * @throws TocsinError BAD_REQUEST naming the field; OVERLOADED
   */
  series(info: SeriesInfo): number {
    const checked = parseSeriesInfo(info);
    if (this.#series.length >= TREND_SERIES_MAX)
      throw new TocsinError('OVERLOADED', `more than ${TREND_SERIES_MAX} series`);
    this.#series.push(checked);
    return this.#series.length - 1;
  }

  /**
   * `time` in whole milliseconds since 1970; NaN = the device has no value. Leaves with the next frame.
   * @throws TocsinError BAD_REQUEST naming what cannot be; OVERLOADED when TREND_UNSENT_SAMPLES_MAX are not acknowledged (see
   * `ready`); what ended the stream
   */
  add(series: number, time: number, value: number, quality = 0): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#series[series] === undefined) throw bad(`series: ${series} was not named`);
    if (!(Number.isSafeInteger(time) && time >= 0 && time <= UNIX_MILLIS_MAX))
      throw bad(`time: ${time} is not in whole milliseconds since 1970`);
    if (value === Infinity || value === -Infinity) throw bad(`value: ${value}`);
    if (!(Number.isInteger(quality) && quality >= 0 && quality <= QUALITY_MAX))
      throw bad(`quality: ${quality} is none of 0 … ${QUALITY_MAX}`);
    if (this.pending >= TREND_UNSENT_SAMPLES_MAX)
      throw new TocsinError('OVERLOADED', `${TREND_UNSENT_SAMPLES_MAX} samples wait to be taken`);
    if (!this.#builder.add(series, time, value, quality)) {
      this.flush();
      this.#builder.add(series, time, value, quality);
    }
    if (this.#builder.count >= this.#frameSamples) this.flush();
  }

  /** Lets what was gathered go. */
  flush(): void {
    const { count } = this.#builder;
    if (count === 0) return;
    this.#queue.push({ body: this.#builder.take(), count, slots: this.#series.length, sentAt: 0 });
    this.#queuedSamples += count;
    this.#pump();
  }

  /** Whether the stream goes over this connection. */
  uses(connection: Connection): boolean {
    return this.#connection === connection;
  }

  /** Samples not yet acknowledged. */
  get pending(): number {
    return this.#builder.count + this.#queuedSamples + this.#underWaySamples;
  }

  /** Resolves when at most `samplesMax` are not acknowledged. @throws TocsinError what ended the stream */
  async ready(samplesMax: number): Promise<void> {
    if (this.#failure === undefined && this.pending > samplesMax)
      await new Promise<void>((settle) => {
        this.#waiters.push({ samplesMax, settle });
      });
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Sends all and waits until it is acknowledged. */
  async drain(): Promise<void> {
    this.flush();
    await this.ready(0);
  }

  close(): void {
    this.#end(clientClosed());
  }

  #end(failure: TocsinError): void {
    this.#failure ??= failure;
    this.#retry?.cancel();
    this.#wake();
  }

  #wake(): void {
    const isOver = this.#failure !== undefined;
    const due = this.#waiters.filter(({ samplesMax }) => isOver || this.pending <= samplesMax);
    this.#waiters = this.#waiters.filter((waiter) => !due.includes(waiter));
    for (const { settle } of due) settle();
  }

  #pump(): void {
    if (this.#failure !== undefined || this.#retry !== undefined) return;
    if (this.#connection === undefined) {
      void this.#connect();
      return;
    }
    for (let frame = this.#queue[0]; frame !== undefined; frame = this.#queue[0]) {
      if (frame.slots > this.#registered && !this.#register(this.#connection)) return;
      const isFirst = this.#underWay.size === 0;
      if (!isFirst && this.#underWaySamples + frame.count > this.#credit) return;
      if (this.#credit === 0 || !this.#send(this.#connection, frame)) return;
      this.#queue.shift();
    }
  }

  #send(connection: Connection, frame: Frame): boolean {
    const exchange: Exchange = {
      isStream: false,
      answered: (type, body) => {
        expectType(type, FrameType.TREND_TAKEN);
        this.#acknowledged(frame, decodeTaken(body));
      },
      failed: (error) => this.#end(error),
      lost: () => this.#lost(connection),
    };
    if (connection.send(FrameType.TREND_SAMPLES, [frame.body], exchange) === undefined) {
      connection.whenRoom(() => this.#pump());
      return false;
    }
    frame.sentAt = this.#options.clock.monotonic();
    this.#underWay.add(frame);
    this.#queuedSamples -= frame.count;
    this.#underWaySamples += frame.count;
    return true;
  }

  #acknowledged(frame: Frame, taken: Taken): void {
    if (!this.#underWay.delete(frame)) return;
    this.#underWaySamples -= frame.count;
    this.#hasServed = true;
    this.#pauseMs = RECONNECT_MS_MIN;
    for (const fate of Object.keys(this.taken) as (keyof Taken)[]) this.taken[fate] += taken[fate];
    this.#options.onTaken?.(taken, this.#options.clock.monotonic() - frame.sentAt);
    this.#wake();
    this.#pump();
  }

  #register(connection: Connection): boolean {
    const from = this.#registered;
    const some = this.#series.slice(from, from + TREND_FRAME_SERIES_MAX);
    const body = encodeRegister(some.map((info, at) => ({ slot: from + at, info })));
    const exchange: Exchange = {
      isStream: false,
      answered: (type, answer) => {
        expectType(type, FrameType.ANSWER);
        if (this.#connection === connection) this.#credit = decodeCredit(answer);
        this.#pump();
      },
      failed: (error) => this.#end(error),
      lost: () => this.#lost(connection),
    };
    if (connection.send(FrameType.TREND_REGISTER, [body], exchange) === undefined) {
      connection.whenRoom(() => this.#pump());
      return false;
    }
    this.#registered += some.length;
    return this.#registered >= this.#series.length || this.#register(connection);
  }

  /** The next replica, or whichever answers: one that accepts connections and says nothing holds up nobody. */
  async #connect(): Promise<void> {
    const { connections, endpoints, clock } = this.#options;
    const at = this.#endpoint % endpoints.length;
    const order = new Set([...endpoints.slice(at), ...endpoints.slice(0, at)]);
    // Until it is there, nobody else dials.
    this.#retry = { cancel: () => {} };
    const result = await raceDials([...order], (address) => connections.to(address), clock);
    this.#retry = undefined;
    if (this.#failure !== undefined) return;
    if (result.ok) {
      this.#take(result.connection);
      return;
    }
    const failure = unavailable(result.misses);
    if (failure.retryable) this.#pause();
    else this.#end(failure);
  }

  #take(connection: Connection): void {
    this.#connection = connection;
    this.#endpoint = this.#options.endpoints.indexOf(connection.address);
    this.#hasServed = false;
    this.#registered = 0;
    this.#credit = 0;
    void connection.released.then(() => this.#lost(connection));
    this.#pump();
  }

  #pause(): void {
    this.#retry = this.#options.clock.after(millis(this.#pauseMs), () => {
      this.#retry = undefined;
      if (this.#queue.length > 0) this.#pump();
    });
    this.#pauseMs = Math.min(this.#pauseMs * 2, RECONNECT_MS_MAX);
  }

  /**
   * Nobody knows what became of what was under way: it is sent again, first; at once, unless this connection was of no use
   * either.
   */
  #lost(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#endpoint += 1;
    this.#queue.unshift(...this.#underWay);
    this.#queuedSamples += this.#underWaySamples;
    this.#underWay = new Set();
    this.#underWaySamples = 0;
    if (this.#failure !== undefined) return;
    if (!this.#hasServed) this.#pause();
    else if (this.#queue.length > 0) this.#pump();
  }
}

const bad = (what: string): TocsinError => new TocsinError('BAD_REQUEST', what);
