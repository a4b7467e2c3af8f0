import type { Clock } from '../base/clock.ts';
import { type Code, TocsinError } from '../base/errors.ts';
import { CLIENT_READS_MAX } from '../base/limits.ts';
import type { Prng } from '../base/prng.ts';
import { FrameType } from '../wire/frame.ts';
import { Backoff } from './backoff.ts';
import { CallLimit } from './call-limit.ts';
import { type Connection, expectType } from './connection.ts';
import { asTocsinError, clientClosed, verdictOf } from './failures.ts';
import { type LeaderFinder, unavailable } from './leader-finder.ts';

export interface Question<T> {
  readonly type: FrameType;
  readonly body: readonly Uint8Array[];
  /** @throws TocsinError BODY_MALFORMED */
  readonly decode: (body: Uint8Array) => T;
  /** Whether only the leader can answer. */
  readonly toLeader: boolean;
}

export interface ReadLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Questions that change nothing: asked again, elsewhere if need be, until answered or out of time. */
export class Reader {
  readonly #finder: LeaderFinder;
  readonly #clock: Clock;
  readonly #prng: Prng;
  readonly #calls = new Set<CallLimit>();
  #closed = false;

  constructor(finder: LeaderFinder, clock: Clock, prng: Prng) {
    this.#finder = finder;
    this.#clock = clock;
    this.#prng = prng;
  }

  /** @throws TocsinError UNAVAILABLE, DEADLINE_EXCEEDED, OVERLOADED, CANCELLED, CLOSED; BAD_REQUEST from the server */
  ask<T>(question: Question<T>, limits: ReadLimits): Promise<T> {
    return this.#limited(limits, async (limit) => {
      const backoff = new Backoff(this.#prng);
      for (;;) {
        try {
          return await this.#attempt(question, limit);
        } catch (error) {
          limit.last = asTocsinError(error);
          if (limit.stopped !== undefined) throw limit.stopped;
          if (verdictOf(limit.last.code) === 'final') throw limit.last;
        }
        await limit.pause(backoff.next());
      }
    });
  }

  /** Asks one replica once. @throws TocsinError as `ask`, and what `dial` throws */
  askOne<T>(
    connect: () => Promise<Connection>,
    question: Question<T>,
    limits: ReadLimits,
  ): Promise<T> {
    return this.#limited(limits, async (limit) => {
      const connection = await limit.within(connect());
      return await exchange(connection, question, limit);
    });
  }

  /**
   * Waits until a replica has answered. Does not ask again what could not be reached, only waits for what is slow.
   * @throws TocsinError UNAVAILABLE naming each address and why, CANCELLED
   */
  reach(limits: ReadLimits): Promise<void> {
    return this.#limited(limits, async (limit) => {
      for (;;) {
        const misses = await limit.within(this.#finder.round());
        if (misses.length === 0) return;
        limit.last = unavailable(misses);
        if (misses.every(({ reason }) => reason !== undefined)) throw limit.last;
      }
    });
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.stop(clientClosed());
  }

  async #limited<T>(limits: ReadLimits, run: (limit: CallLimit) => Promise<T>): Promise<T> {
    if (this.#closed) throw clientClosed();
    if (this.#calls.size >= CLIENT_READS_MAX)
      throw new TocsinError('OVERLOADED', `${CLIENT_READS_MAX} reads are under way`);
    const limit = new CallLimit({ clock: this.#clock, ...limits });
    this.#calls.add(limit);
    try {
      return await run(limit);
    } finally {
      this.#calls.delete(limit);
      limit.end();
    }
  }

  async #attempt<T>(question: Question<T>, limit: CallLimit): Promise<T> {
    const finder = this.#finder;
    const connection =
      finder.current ?? (await limit.within(question.toLeader ? finder.find() : finder.any()));
    try {
      return await exchange(connection, question, limit);
    } catch (error) {
      if (TocsinError.is(error) && !STAY.has(error.code) && limit.stopped === undefined)
        finder.denied(connection, error.leader);
      throw error;
    }
  }
}

/** What a replica says when another one would do no better. */
const STAY: ReadonlySet<Code> = new Set<Code>(['OVERLOADED', 'DEADLINE_EXCEEDED', 'BAD_REQUEST']);

/** One question and its answer on this connection. */
function exchange<T>(connection: Connection, question: Question<T>, limit: CallLimit): Promise<T> {
  let id: number | undefined;
  const answer = new Promise<T>((resolve, reject) => {
    const send = (): void => {
      if (limit.stopped !== undefined) return;
      id = connection.send(question.type, question.body, {
        isStream: false,
        answered: (type, body) => {
          expectType(type, FrameType.ANSWER);
          resolve(question.decode(body));
        },
        failed: reject,
        lost: (reason) => reject(interrupted(connection, reason)),
      });
      if (id !== undefined) return;
      if (connection.isOpen) connection.whenRoom(send);
      else reject(interrupted(connection, undefined));
    };
    send();
  });
  return limit.within(answer).finally(() => {
    if (id !== undefined) connection.forget(id);
  });
}

/** Whatever ended the connection, a malformed answer included: it says nothing about the question. */
const interrupted = (connection: Connection, cause: TocsinError | undefined): TocsinError =>
  new TocsinError('CONNECTION_LOST', cause?.message ?? `${connection.address}: it broke`, {
    cause,
  });
