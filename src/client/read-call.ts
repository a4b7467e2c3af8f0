import type { Clock, Timer } from '../base/clock.ts';
import { type Code, TocsinError } from '../base/errors.ts';
import { millis } from '../base/ids.ts';
import type { Prng } from '../base/prng.ts';
import type { ReadConsistency, ReadOptions } from '../statemachine/alert-api.ts';
import { parseConsistency } from '../wire/clients/consistency.ts';
import { encodeTime, isTimed } from '../wire/clients/deadline.ts';
import { FrameType } from '../wire/frame.ts';
import type { AbortListeners } from './abort-listeners.ts';
import { Backoff } from './connection/backoff.ts';
import { type Connection, type Exchange, expectType } from './connection/connection.ts';
import { asTocsinError, cancelled, moreTelling, timeIsUp, verdictOf } from './failures.ts';

/** What one read asks. */
export interface Question<T> {
  readonly type: FrameType;
  readonly body: readonly Uint8Array[];
  /** @throws TocsinError BODY_MALFORMED */
  readonly decode: (body: Uint8Array) => T;
  /** Whether an answer is new enough; undefined = each is. */
  readonly isFresh?: (value: T) => boolean;
}

/** Whom it asks. */
export interface Source {
  /** A connection that is there already. */
  readonly now: () => Connection | undefined;
  /** One to be had, at the `attempt`th try; the first is 1. */
  readonly find: (attempt: number) => Promise<Connection>;
  /** The replica cannot answer this question. */
  readonly denied: (connection: Connection, leader: string | undefined) => void;
  readonly aborts: AbortListeners;
  /** Draws the pauses between attempts; undefined = one attempt is all. */
  readonly prng: Prng | undefined;
}

export interface ReadLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface ReadEvents<T> {
  resolve(value: T): void;
  reject(error: TocsinError): void;
  /** Called once, before either. */
  ended(): void;
}

/** What a replica says when another one would do no better. */
const STAY: ReadonlySet<Code> = new Set<Code>(['OVERLOADED', 'DEADLINE_EXCEEDED']);

/** One call that changes nothing: asked again, elsewhere if need be, until answered or out of time. */
export class ReadCall<T> implements Exchange {
  readonly isStream = false;
  readonly #question: Question<T>;
  readonly #source: Source;
  readonly #limits: ReadLimits;
  readonly #events: ReadEvents<T>;
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #deadline: number;
  readonly #onAbort: (() => void) | undefined;
  #isOver = false;
  #finds = 0;
  #backoff: Backoff | undefined;
  #connection: Connection | undefined;
  #id: number | undefined;
  #pause: Timer | undefined;
  #last: TocsinError | undefined;

  constructor(
    question: Question<T>,
    source: Source,
    limits: ReadLimits,
    clock: Clock,
    events: ReadEvents<T>,
  ) {
    this.#question = question;
    this.#source = source;
    this.#limits = limits;
    this.#clock = clock;
    this.#events = events;
    const { timeoutMs, signal } = limits;
    this.#deadline = clock.monotonic() + timeoutMs;
    this.#timer = clock.after(millis(timeoutMs), () => this.stop(timeIsUp(timeoutMs, this.#last)));
    if (signal === undefined) return;
    this.#onAbort = () => this.stop(cancelled(signal));
    source.aborts.add(signal, this.#onAbort);
  }

  start(): void {
    if (this.#limits.signal?.aborted) this.#onAbort?.();
    else this.#attempt();
  }

  /** Ends it without an answer. */
  stop(reason: TocsinError): void {
    if (this.#end()) this.#events.reject(reason);
  }

  answered(type: FrameType, body: Uint8Array): void {
    expectType(type, FrameType.ANSWER);
    const { decode, isFresh } = this.#question;
    const value = decode(body);
    this.#id = undefined;
    if (isFresh !== undefined && !isFresh(value)) this.#stale();
    else if (this.#end()) this.#events.resolve(value);
  }

  #stale(): void {
    const where = this.#connection?.address ?? 'a replica';
    this.#retry(
      new TocsinError('UNAVAILABLE', `${where} is behind what this client was told before`),
    );
  }

  failed(error: TocsinError): void {
    const connection = this.#connection;
    this.#id = undefined;
    if (verdictOf(error.code) === 'final') {
      this.stop(error);
      return;
    }
    if (connection !== undefined && !STAY.has(error.code))
      this.#source.denied(connection, error.leader);
    this.#retry(error);
  }

  /** Whatever ended the connection, a malformed answer included: it says nothing about the question. */
  lost(reason: TocsinError): void {
    this.#id = undefined;
    this.#retry(new TocsinError('CONNECTION_LOST', reason.message, { cause: reason }));
  }

  #attempt(): void {
    const connection = this.#source.now();
    if (connection !== undefined) {
      this.#ask(connection);
      return;
    }
    this.#finds += 1;
    this.#source.find(this.#finds).then(
      (found) => this.#ask(found),
      (error: unknown) => this.#retry(asTocsinError(error)),
    );
  }

  #ask(connection: Connection): void {
    if (this.#isOver) return;
    this.#connection = connection;
    const { type, body } = this.#question;
    const left = this.#deadline - this.#clock.monotonic();
    this.#id = connection.send(type, isTimed(type) ? [encodeTime(left), ...body] : body, this);
    if (this.#id !== undefined) return;
    if (connection.isOpen) connection.whenRoom(() => this.#ask(connection));
    else this.#retry(new TocsinError('CONNECTION_LOST', `${connection.address}: it broke`));
  }

  #retry(error: TocsinError): void {
    if (this.#isOver) return;
    this.#last = moreTelling(this.#last, error);
    const { prng } = this.#source;
    if (prng === undefined) {
      this.stop(error);
      return;
    }
    this.#backoff ??= new Backoff(prng);
    this.#pause = this.#clock.after(this.#backoff.next(), () => this.#attempt());
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#timer.cancel();
    this.#pause?.cancel();
    const { signal } = this.#limits;
    if (signal !== undefined && this.#onAbort !== undefined)
      this.#source.aborts.remove(signal, this.#onAbort);
    if (this.#id !== undefined) this.#connection?.forget(this.#id);
    this.#events.ended();
    return true;
  }
}

/** Whom to ask first. */
export function whomFor(consistency: ReadConsistency): 'leader' | 'any' | 'follower' {
  if (consistency === 'session') return 'follower';
  return consistency === 'linearizable' || consistency === 'lease' ? 'leader' : 'any';
}

/** @throws TocsinError BAD_REQUEST */
export const consistencyOf = ({ consistency = 'linearizable' }: ReadOptions): ReadConsistency =>
  consistency === 'session' ? consistency : parseConsistency(consistency);
