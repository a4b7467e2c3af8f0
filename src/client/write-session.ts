import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { millis } from '../base/ids.ts';
import { SESSION_AGAIN_MS, SESSION_BEAT_MS_MAX, SESSION_END_MS_MAX } from '../base/limits.ts';
import type { SessionId, SessionPlace } from '../statemachine/beside/sessions.ts';
import type { Command } from '../statemachine/commands.ts';
import type { Fulfilled } from '../statemachine/types.ts';
import { encodeCommand, encodeInSession } from '../wire/commands/commands.ts';
import { REFUSALS } from '../wire/commands/words.ts';
import { AbortListeners } from './abort-listeners.ts';
import { asTocsinError, cancelled, clientClosed, timeIsUp } from './failures.ts';
import type { KeySource } from './keys.ts';
import type { ClientParts } from './parts.ts';
import type { ReadLimits } from './read-call.ts';

export interface SessionOptions {
  /** Without hearing from the client for so long the cluster forgets the session. @defaultValue 60 */
  readonly leaseSeconds?: number;
  /** Commands under way at once; more are refused with OVERLOADED. @defaultValue 1,024 */
  readonly window?: number;
}

export interface WriteSessionParts {
  readonly submit: (record: Uint8Array, limits: ReadLimits) => Promise<Fulfilled>;
  readonly keys: KeySource;
  readonly clock: Clock;
  readonly actor: string;
  readonly leaseSeconds: number;
  readonly window: number;
}

/** Whether an error is what the state machine answered. What is malformed may not have come to it. */
const isReply = ({ code }: TocsinError): boolean =>
  code !== 'BAD_REQUEST' && (REFUSALS as readonly string[]).includes(code);

/** How often within a lease the client says that it is there. */
const BEATS_PER_LEASE = 3;

/** A session as its client sees it. */
class Opened {
  readonly id: SessionId;
  /** In order; those given up stay until the cluster has been told. */
  readonly pending = new Set<number>();
  readonly givenUp = new Set<number>();
  readonly #window: number;
  #next = 1;
  #told = 0;
  #carriedOut = 0;

  constructor(id: SessionId, window: number) {
    this.id = id;
    this.#window = window;
  }

  /** The next place, unless it would be further from the oldest that is not settled than the window. */
  take(): SessionPlace | undefined {
    const [oldest = this.#next] = this.pending;
    if (this.#next - oldest >= this.#window) return undefined;
    const sequence = this.#next;
    this.#next += 1;
    this.pending.add(sequence);
    return { session: Number(this.id.slice(1)), sequence };
  }

  /** The command of this place has been carried out. */
  done(sequence: number): void {
    this.pending.delete(sequence);
    this.#carriedOut = Math.max(this.#carriedOut, sequence);
  }

  /**
   * What the cluster can be told: everything up to here is settled, or nobody waits for it. It takes a floor for a mistake that is
   * more than a window above the one that it knows, which is what it was told, or a window below what it carried out.
   */
  get floor(): number {
    const reach = Math.max(this.#told + this.#window, this.#carriedOut);
    for (const sequence of this.pending)
      if (!this.givenUp.has(sequence)) return Math.min(sequence - 1, reach);
    return Math.min(this.#next - 1, reach);
  }

  /** Places were given up that the cluster can be told of: until it has been, they count as under way. */
  get hasUntold(): boolean {
    const [oldest] = this.pending;
    return oldest !== undefined && this.givenUp.has(oldest);
  }

  /** The cluster knows of this floor. */
  told(floor: number): void {
    this.#told = floor;
    for (const sequence of this.givenUp) {
      if (sequence > floor) continue;
      this.givenUp.delete(sequence);
      this.pending.delete(sequence);
    }
  }
}

/**
 * Gives a client's commands places in a session of the cluster, which it opens when the first one comes, keeps alive, and opens
 * anew when it has expired: each is carried out once, for as long as the client lives, however many came since.
 */
export class WriteSession {
  readonly #parts: WriteSessionParts;
  #opening: Promise<Opened> | undefined;
  /** The one that is open. */
  #current: Opened | undefined;
  #beat: Timer | undefined;
  /** Tells once more what could not be told. */
  #again: Timer | undefined;
  #isTelling = false;
  #isClosed = false;
  /** Calls that wait for the session. */
  #waiting = 0;
  readonly #aborts = new AbortListeners();

  constructor(parts: WriteSessionParts) {
    this.#parts = parts;
  }

  /** Rejects with a TocsinError whose `outcome` is true. */
  async submit(command: Command, limits: ReadLimits): Promise<Fulfilled> {
    if (this.#isClosed) throw clientClosed();
    const deadline = this.#parts.clock.monotonic() + limits.timeoutMs;
    // Who comes while others still wait for the session comes after them.
    const current = this.#waiting === 0 ? this.#current : undefined;
    const opened = current ?? (await this.#opened(limits, deadline));
    try {
      const left = current === undefined ? this.#left(limits, deadline) : limits;
      return await this.#submitIn(opened, command, left);
    } catch (error) {
      // Told of a command that surely was not carried out: only an attempt that nobody doubts ends so.
      if (!TocsinError.is(error) || error.code !== 'SESSION_EXPIRED') throw error;
      this.#lose(opened);
      const next = await this.#opened(limits, deadline);
      return this.#submitIn(next, command, this.#left(limits, deadline));
    }
  }

  /** Tells the cluster that nothing more will come, if it can be told now. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#rest();
    const opened = this.#current;
    if (opened !== undefined)
      await this.#tell(
        { type: 'end-session', id: opened.id, ...this.#asked },
        SESSION_END_MS_MAX,
      ).catch(() => {});
  }

  async #submitIn(opened: Opened, command: Command, limits: ReadLimits): Promise<Fulfilled> {
    const { window, submit } = this.#parts;
    const place = opened.take();
    if (place === undefined)
      throw new TocsinError('OVERLOADED', `the session has ${window} commands under way`);
    try {
      const reply = await submit(encodeInSession(command, place), limits);
      opened.done(place.sequence);
      return reply;
    } catch (error) {
      // A refusal is a reply too. Of anything else nobody knows whether it uses its place yet: the place is given up.
      if (isReply(asTocsinError(error))) opened.pending.delete(place.sequence);
      else opened.givenUp.add(place.sequence);
      throw error;
    } finally {
      if (opened.hasUntold) void this.#keep(opened);
    }
  }

  /**
   * Waits for the session as long as this call may: it is opened for all who wait, and whoever gives up ends nobody else's
   * call. If it was opened in the time of another call, and that was not enough, it is tried again in what is left here.
   */
  async #opened(limits: ReadLimits, deadline: number): Promise<Opened> {
    if (limits.signal?.aborted) throw cancelled(limits.signal);
    this.#waiting += 1;
    try {
      for (;;) {
        const underWay = this.#opening;
        const opening = underWay ?? this.#begin(this.#left(limits, deadline).timeoutMs);
        const isOurs = underWay === undefined;
        const opened = await this.#awaited(opening, limits, isOurs ? undefined : deadline);
        if (opened !== undefined) return opened;
      }
    } catch (error) {
      const { message, outcome } = asTocsinError(error);
      if (outcome !== 'unknown') throw error;
      throw new TocsinError('UNAVAILABLE', `no session could be opened: ${message}`, {
        cause: error,
      });
    } finally {
      this.#waiting -= 1;
    }
  }

  /**
   * What comes of an opening, until the signal aborts, or `deadline`; undefined = it failed, and there is time for another.
   * Without a deadline it is the caller's own, which fails in time by itself.
   */
  #awaited(
    opening: Promise<Opened>,
    { timeoutMs, signal }: ReadLimits,
    deadline: number | undefined,
  ): Promise<Opened | undefined> {
    const { clock } = this.#parts;
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        timer?.cancel();
        if (signal !== undefined) this.#aborts.remove(signal, onAbort);
        settle();
      };
      const timer =
        deadline === undefined
          ? undefined
          : clock.after(millis(Math.max(0, deadline - clock.monotonic())), () =>
              end(() => reject(timeIsUp(timeoutMs, undefined))),
            );
      const onAbort = (): void => {
        if (signal !== undefined) end(() => reject(cancelled(signal)));
      };
      if (signal !== undefined) this.#aborts.add(signal, onAbort);
      // Also when it aborted before this try.
      if (signal?.aborted) onAbort();
      opening.then(
        (opened) => end(() => resolve(opened)),
        (error: unknown) =>
          end(() => (deadline === undefined ? reject(error) : resolve(undefined))),
      );
    });
  }

  /** Of a call's limits, what is left until its deadline. */
  #left({ signal }: ReadLimits, deadline: number): ReadLimits {
    const left = Math.ceil(deadline - this.#parts.clock.monotonic());
    return { timeoutMs: Math.max(1, left), signal };
  }

  #begin(timeoutMs: number): Promise<Opened> {
    const opening = this.#open(timeoutMs);
    this.#opening = opening;
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    return opening;
  }

  async #open(timeoutMs: number): Promise<Opened> {
    const { clock, leaseSeconds, window } = this.#parts;
    const reply = await this.#tell(
      { type: 'open-session', leaseSeconds, window, ...this.#asked },
      timeoutMs,
    );
    if (!('id' in reply)) throw new TocsinError('BODY_MALFORMED', 'a session has no id');
    if (this.#isClosed) throw clientClosed();
    const opened = new Opened(reply.id as SessionId, window);
    this.#current = opened;
    this.#rest();
    const everyMs = millis((leaseSeconds * 1_000) / BEATS_PER_LEASE);
    this.#beat = clock.every(everyMs, () => void this.#keep(opened));
    return opened;
  }

  /** Says that the client is there, and what it waits for no longer. A failure shows with the next command. */
  async #keep(opened: Opened): Promise<void> {
    if (this.#isTelling || this.#isClosed) return;
    this.#isTelling = true;
    this.#again?.cancel();
    const { floor } = opened;
    let pauseMs = 0;
    try {
      const { leaseSeconds } = this.#parts;
      const timeoutMs = Math.min(SESSION_BEAT_MS_MAX, (leaseSeconds * 1_000) / BEATS_PER_LEASE);
      const { id } = opened;
      await this.#tell({ type: 'keep-session', id, floor, ...this.#asked }, Math.ceil(timeoutMs));
      opened.told(floor);
    } catch (error) {
      if (TocsinError.is(error) && error.code === 'SESSION_EXPIRED') this.#lose(opened);
      pauseMs = SESSION_AGAIN_MS;
    } finally {
      this.#isTelling = false;
    }
    // The next beat may be long after the last place of the window is gone.
    if (this.#current === opened && opened.hasUntold && !this.#isClosed)
      this.#again = this.#parts.clock.after(millis(pauseMs), () => void this.#keep(opened));
  }

  #lose(opened: Opened): void {
    if (this.#current !== opened) return;
    this.#current = undefined;
    this.#opening = undefined;
    this.#rest();
  }

  #rest(): void {
    this.#beat?.cancel();
    this.#again?.cancel();
  }

  #tell(command: Command, timeoutMs: number): Promise<Fulfilled> {
    const { keys, submit } = this.#parts;
    return submit(encodeCommand(command, keys.next()), { timeoutMs, signal: undefined });
  }

  get #asked(): Pick<Command, 'actor' | 'observedAt'> {
    return { actor: this.#parts.actor, observedAt: this.#parts.clock.wall() };
  }
}

/** The session that the options ask for, if they do. */
export function writeSessionOf(
  { options, writer }: ClientParts,
  keys: KeySource,
): WriteSession | undefined {
  const { session, clock, name: actor } = options;
  if (session === undefined) return undefined;
  const submit: WriteSessionParts['submit'] = (record, limits) => writer.submit(record, limits);
  return new WriteSession({ submit, keys, clock, actor, ...session });
}
