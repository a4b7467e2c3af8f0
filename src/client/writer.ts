import { must } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { millis } from '../base/ids.ts';
import {
  BACKOFF_SEEKING_MS_MAX,
  CLIENT_COMMAND_BYTES_MAX,
  CLIENT_COMMANDS_MAX,
  CLIENT_MARGIN_MS_MAX,
  COMMANDS_PER_FRAME_MAX,
  SUBMIT_BYTES_MAX,
} from '../base/limits.ts';
import type { Prng } from '../base/prng.ts';
import type { BatchReply, Fulfilled } from '../statemachine/types.ts';
import { encodeSubmit } from '../wire/clients/client-messages.ts';
import { decodeReplies } from '../wire/clients/replies.ts';
import { FrameType } from '../wire/frame.ts';
import { AbortListeners } from './abort-listeners.ts';
import { Batch, type Call } from './batch.ts';
import { BatchQueue } from './batch-queue.ts';
import { Backoff } from './connection/backoff.ts';
import { type Connection, type Exchange, expectType } from './connection/connection.ts';
import type { LeaderFinder } from './connection/leader-finder.ts';
import { asTocsinError, cancelled, clientClosed, moreTelling, verdictOf } from './failures.ts';

export interface WriteLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Of the time left, what is kept back so that a replica's "too late" arrives in time. */
const MARGIN = 0.05;

/**
 * Sends commands to the leader, in the order in which they were given, and sends them again until they are answered or
 * their time is up. The calls of one tick are one frame; several frames are under way at a time.
 */
export class Writer {
  readonly #finder: LeaderFinder;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #queue = new BatchQueue();
  readonly #aborts = new AbortListeners();
  /** All batches with a call that waits, and their deadlines. */
  readonly #live = new Map<Batch, Timer>();
  /** Sent over `#connection` and not yet answered. */
  readonly #sent = new Map<Batch, Attempt>();
  #connection: Connection | undefined;
  /** Takes the calls of this tick. */
  #filling: Batch | undefined;
  #nextSequence = 0;
  #commands = 0;
  #bytes = 0;
  #pause: Timer | undefined;
  #isSeeking = false;
  /** Where the pump waits until more can be sent. */
  #roomAt: Connection | undefined;
  #hasRedirected = false;
  #closed = false;

  constructor(finder: LeaderFinder, clock: Clock, prng: Prng) {
    this.#finder = finder;
    this.#clock = clock;
    this.#backoff = new Backoff(prng);
  }

  /** `record`: of `encodeCommand`. Rejects with a TocsinError whose `outcome` is true. */
  submit(record: Uint8Array, limits: WriteLimits): Promise<Fulfilled> {
    return new Promise((resolve, reject) => {
      const replied = (replies: readonly BatchReply[], from: number): void => {
        const reply = must(replies[from], 'no reply');
        if (reply.ok) resolve(reply);
        else reject(new TocsinError(reply.code, reply.message));
      };
      this.#take([record], limits, replied, reject);
    });
  }

  /** Records that travel, and are carried out, together. Rejects if they have no replies. */
  submitAll(records: readonly Uint8Array[], limits: WriteLimits): Promise<readonly BatchReply[]> {
    return new Promise((resolve, reject) => {
      const replied = (replies: readonly BatchReply[], from: number): void =>
        resolve(replies.slice(from, from + records.length));
      this.#take(records, limits, replied, reject);
    });
  }

  close(): void {
    this.#closed = true;
    this.#pause?.cancel();
    for (const batch of [...this.#live.keys()]) batch.fail(clientClosed());
  }

  #take(
    records: readonly Uint8Array[],
    { timeoutMs, signal }: WriteLimits,
    replied: Call['replied'],
    reject: Call['reject'],
  ): void {
    let byteLength = 0;
    for (const record of records) byteLength += record.byteLength;
    const refusal = this.#findRefusal(records.length, byteLength, signal);
    if (refusal !== undefined) {
      reject(refusal);
      return;
    }
    const batch = this.#batchFor(timeoutMs, records.length, byteLength);
    const onAbort = signal === undefined ? undefined : (): void => batch.abort(call);
    const call: Call = { records, byteLength, replied, reject, signal, onAbort, settled: false };
    if (signal !== undefined && onAbort !== undefined) this.#aborts.add(signal, onAbort);
    this.#commands += records.length;
    this.#bytes += byteLength;
    batch.add(call);
  }

  #findRefusal(
    count: number,
    byteLength: number,
    signal: AbortSignal | undefined,
  ): TocsinError | undefined {
    if (this.#closed) return clientClosed();
    if (signal?.aborted) return cancelled(signal);
    if (this.#commands + count > CLIENT_COMMANDS_MAX)
      return new TocsinError(
        'OVERLOADED',
        `${CLIENT_COMMANDS_MAX} commands wait for their replies`,
      );
    if (this.#bytes + byteLength > CLIENT_COMMAND_BYTES_MAX)
      return new TocsinError('OVERLOADED', `commands of ${this.#bytes} bytes wait for replies`);
    return undefined;
  }

  #batchFor(timeoutMs: number, count: number, byteLength: number): Batch {
    const filling = this.#filling;
    if (
      filling !== undefined &&
      filling.timeoutMs === timeoutMs &&
      filling.count + count <= COMMANDS_PER_FRAME_MAX &&
      filling.byteLength + byteLength <= SUBMIT_BYTES_MAX
    )
      return filling;
    if (filling === undefined) queueMicrotask(() => this.#flush());
    const now = this.#clock.monotonic();
    const batch: Batch = new Batch(this.#nextSequence, timeoutMs, now, (call) =>
      this.#settled(batch, call),
    );
    this.#nextSequence += 1;
    this.#live.set(
      batch,
      this.#clock.after(millis(timeoutMs), () => batch.expire()),
    );
    this.#queue.push(batch);
    this.#filling = batch;
    return batch;
  }

  #flush(): void {
    this.#filling = undefined;
    this.#pump();
  }

  #settled(batch: Batch, call: Call): void {
    this.#commands -= call.records.length;
    this.#bytes -= call.byteLength;
    if (call.signal !== undefined && call.onAbort !== undefined)
      this.#aborts.remove(call.signal, call.onAbort);
    if (!batch.isSettled) return;
    if (batch === this.#filling) this.#filling = undefined;
    this.#live.get(batch)?.cancel();
    this.#live.delete(batch);
    this.#sent.delete(batch);
  }

  /** Sends what waits, as far as it can be sent now. */
  #pump(): void {
    for (;;) {
      const batch = this.#nextToSend();
      if (batch === undefined) return;
      const connection = this.#finder.current;
      if (connection === undefined) {
        this.#seek();
        return;
      }
      if (connection !== this.#connection) this.#moveTo(connection);
      else if (!this.#send(batch, connection)) return;
    }
  }

  #nextToSend(): Batch | undefined {
    if (this.#closed || this.#pause !== undefined) return undefined;
    for (;;) {
      const batch = this.#queue.first();
      if (batch === undefined) return undefined;
      if (batch.deadline <= this.#clock.monotonic()) batch.expire();
      if (!batch.isSettled) return batch;
      this.#queue.shift();
    }
  }

  /** What was sent over another connection is sent again, older first; the answers still count if they come. */
  #moveTo(connection: Connection): void {
    this.#connection = connection;
    this.#putBackAll();
  }

  #putBackAll(): void {
    if (this.#sent.size === 0) return;
    this.#queue.putBack([...this.#sent.keys()]);
    this.#sent.clear();
  }

  #send(batch: Batch, connection: Connection): boolean {
    if (batch === this.#filling) this.#filling = undefined;
    const leftMs = batch.deadline - this.#clock.monotonic();
    const allowedMs = leftMs - Math.min(CLIENT_MARGIN_MS_MAX, leftMs * MARGIN);
    const { calls } = batch;
    const records = calls.flatMap((call) => call.records);
    const body = encodeSubmit(Math.max(1, allowedMs), records);
    const attempt: Attempt = new Attempt(batch, calls, records.length, connection, {
      answered: () => this.#succeeded(),
      failed: (error) => this.#failed(attempt, error),
      lost: (error) => this.#lost(attempt, error),
    });
    if (connection.send(FrameType.SUBMIT, body, attempt) === undefined) {
      this.#waitForRoom(connection);
      return false;
    }
    batch.attemptStarted();
    this.#sent.set(batch, attempt);
    this.#queue.shift();
    return true;
  }

  #waitForRoom(connection: Connection): void {
    if (this.#roomAt === connection) return;
    this.#roomAt = connection;
    connection.whenRoom(() => {
      if (this.#roomAt === connection) this.#roomAt = undefined;
      this.#pump();
    });
  }

  #seek(): void {
    if (this.#isSeeking) return;
    this.#isSeeking = true;
    this.#finder.find().then(
      () => {
        this.#isSeeking = false;
        if (this.#finder.current === undefined) this.#pauseAndPump();
        else this.#pump();
      },
      (error: unknown) => {
        this.#isSeeking = false;
        const failure = asTocsinError(error);
        for (const batch of this.#live.keys()) batch.lastFailure = failure;
        this.#pauseAndPump();
      },
    );
  }

  #succeeded(): void {
    this.#backoff.reset();
    this.#hasRedirected = false;
  }

  #lost(attempt: Attempt, error: TocsinError): void {
    if (this.#takeBack(attempt, error)) this.#pauseAndPump(BACKOFF_SEEKING_MS_MAX);
  }

  #failed(attempt: Attempt, error: TocsinError): void {
    if (verdictOf(error.code) === 'final') {
      // Each command passed the same check before it was sent: the replica is of another version than this client.
      attempt.batch.fail(error);
      return;
    }
    const isWaiting = this.#takeBack(attempt, error);
    const canHelp = error.code === 'OVERLOADED' || error.code === 'OUTCOME_UNKNOWN';
    const isLeaving = !canHelp && attempt.connection === this.#finder.current;
    if (isLeaving) this.#leave(attempt, error);
    // An attempt that was made again meanwhile concerns nobody, unless the others have to go elsewhere because of it.
    if (!isWaiting && !isLeaving) return;
    if (error.code === 'NOT_LEADER' && error.leader !== undefined && !this.#hasRedirected) {
      this.#hasRedirected = true;
      this.#pump();
    } else {
      this.#pauseAndPump(canHelp ? undefined : BACKOFF_SEEKING_MS_MAX);
    }
  }

  /** This replica does not lead: what else it was sent has to go elsewhere too. */
  #leave({ connection }: Attempt, error: TocsinError): void {
    this.#finder.denied(connection, error.leader);
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#putBackAll();
  }

  /** The batch waits again, unless it was sent elsewhere meanwhile or nobody waits for it. */
  #takeBack(attempt: Attempt, error: TocsinError): boolean {
    const { batch } = attempt;
    batch.lastFailure = moreTelling(batch.lastFailure, error);
    if (this.#sent.get(batch) !== attempt) return false;
    this.#sent.delete(batch);
    this.#queue.putBack([batch]);
    return true;
  }

  #pauseAndPump(capMs?: number): void {
    if (this.#pause !== undefined || this.#closed || this.#live.size === 0) return;
    this.#pause = this.#clock.after(this.#backoff.next(capMs), () => {
      this.#pause = undefined;
      this.#pump();
    });
  }
}

interface AttemptEvents {
  answered(): void;
  failed(error: TocsinError): void;
  lost(error: TocsinError): void;
}

/** One sending of a batch. Its answer counts whenever it comes, also when the batch was sent again meanwhile. */
class Attempt implements Exchange {
  readonly isStream = false;
  readonly batch: Batch;
  readonly connection: Connection;
  readonly #calls: readonly Call[];
  /** Of commands. */
  readonly #count: number;
  readonly #events: AttemptEvents;

  constructor(
    batch: Batch,
    calls: readonly Call[],
    count: number,
    connection: Connection,
    events: AttemptEvents,
  ) {
    this.batch = batch;
    this.connection = connection;
    this.#calls = calls;
    this.#count = count;
    this.#events = events;
  }

  answered(type: FrameType, body: Uint8Array): void {
    expectType(type, FrameType.SUBMIT_REPLY);
    const replies = decodeReplies(body);
    if (replies.length !== this.#count)
      throw new TocsinError(
        'BODY_MALFORMED',
        `${replies.length} replies to ${this.#count} commands`,
      );
    this.batch.attemptEnded('replied');
    this.#events.answered();
    const notTaken = this.batch.settle(this.#calls, replies);
    if (notTaken !== undefined) this.#events.failed(notTaken);
  }

  failed(error: TocsinError): void {
    this.batch.attemptEnded(verdictOf(error.code) === 'maybe' ? 'unknown' : 'no');
    this.#events.failed(error);
  }

  lost(error: TocsinError): void {
    this.batch.attemptEnded('unknown');
    this.#events.lost(error);
  }
}
