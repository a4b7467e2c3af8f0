import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { CLIENT_READS_MAX } from '../base/limits.ts';
import type { Prng } from '../base/prng.ts';
import { AbortListeners } from './abort-listeners.ts';
import type { Connection } from './connection/connection.ts';
import type { LeaderFinder } from './connection/leader-finder.ts';
import { clientClosed } from './failures.ts';
import {
  type Question,
  ReadCall,
  type ReadEvents,
  type ReadLimits,
  type Source,
} from './read-call.ts';

/** Whom a question is for; where there is no follower, or those there are do not answer well, the leader is asked. */
export type Whom = 'leader' | 'any' | 'follower';

/** A follower that is behind has caught up by then, or hangs. */
const FOLLOWER_ATTEMPTS = 3;

/** Questions that change nothing. */
export class Reader {
  readonly #clock: Clock;
  readonly #sources: Readonly<Record<Whom, Source>>;
  readonly #calls = new Set<{ stop(reason: TocsinError): void }>();
  readonly #aborts = new AbortListeners();
  #closed = false;

  constructor(finder: LeaderFinder, clock: Clock, prng: Prng) {
    this.#clock = clock;
    const sourceOf = (
      now: Source['now'],
      find: (attempt: number) => Promise<Connection>,
    ): Source => ({
      now,
      find,
      denied: (connection, leader) => finder.denied(connection, leader),
      aborts: this.#aborts,
      prng,
    });
    const current = (): Connection | undefined => finder.current;
    this.#sources = {
      leader: sourceOf(current, () => finder.find()),
      any: sourceOf(current, (attempt) =>
        attempt > FOLLOWER_ATTEMPTS ? finder.find() : finder.any(),
      ),
      follower: sourceOf(
        () => undefined,
        (attempt) =>
          attempt > FOLLOWER_ATTEMPTS ? finder.find() : finder.any(finder.current?.address),
      ),
    };
  }

  /**
   * Asks the leader, or any replica, until there is an answer.
   * @throws TocsinError UNAVAILABLE, DEADLINE_EXCEEDED, OVERLOADED, CANCELLED, CLOSED; BAD_REQUEST from the server
   */
  ask<T>(question: Question<T>, whom: Whom, limits: ReadLimits): Promise<T> {
    return this.#call(question, limits, this.#sources[whom]);
  }

  /** Asks one replica once. @throws TocsinError as `ask`, and what `connect` throws */
  askOne<T>(
    question: Question<T>,
    connect: () => Promise<Connection>,
    limits: ReadLimits,
  ): Promise<T> {
    return this.#call(question, limits, {
      now: () => undefined,
      find: connect,
      denied: () => {},
      aborts: this.#aborts,
      prng: undefined,
    });
  }

  close(): void {
    this.#closed = true;
    for (const call of [...this.#calls]) call.stop(clientClosed());
  }

  #call<T>(question: Question<T>, limits: ReadLimits, source: Source): Promise<T> {
    if (this.#closed) return Promise.reject(clientClosed());
    if (this.#calls.size >= CLIENT_READS_MAX)
      return Promise.reject(
        new TocsinError('OVERLOADED', `${CLIENT_READS_MAX} reads are under way`),
      );
    return new Promise<T>((resolve, reject) => {
      const ended = (): void => {
        this.#calls.delete(call);
      };
      const events: ReadEvents<T> = { resolve, reject, ended };
      const call: ReadCall<T> = new ReadCall(question, source, limits, this.#clock, events);
      this.#calls.add(call);
      call.start();
    });
  }
}
