import type { Clock, Timer } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { millis } from '../base/ids.ts';
import { SESSION_BEAT_MS_MAX, SESSION_END_MS_MAX } from '../base/limits.ts';
import type { SessionId, SessionPlace } from '../statemachine/beside/sessions.ts';
import type { Command, Fulfilled } from '../statemachine/types.ts';
import { encodeCommand, encodeInSession } from '../wire/commands/commands.ts';
import { REFUSALS } from '../wire/commands/words.ts';
import { asTocsinError } from './failures.ts';
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
  #next = 1;

  constructor(id: SessionId) {
    this.id = id;
  }

  /** The next place, unless it would be further from the oldest that is not settled than the window. */
  take(window: number): SessionPlace | undefined {
    const [oldest = this.#next] = this.pending;
    if (this.#next - oldest >= window) return undefined;
    const sequence = this.#next;
    this.#next += 1;
    this.pending.add(sequence);
    return { session: Number(this.id.slice(1)), sequence };
  }

  /** Everything up to here is settled, or nobody waits for it. */
  get floor(): number {
    for (const sequence of this.pending) if (!this.givenUp.has(sequence)) return sequence - 1;
    return this.#next - 1;
  }

  /** The cluster knows of this floor. */
  told(floor: number): void {
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
  #isTelling = false;

  constructor(parts: WriteSessionParts) {
    this.#parts = parts;
  }

  /** Rejects with a TocsinError whose `outcome` is true. */
  async submit(command: Command, limits: ReadLimits): Promise<Fulfilled> {
    const opened = await this.#opened(limits);
    try {
      return await this.#submitIn(opened, command, limits);
    } catch (error) {
      // Told of a command that surely was not carried out: only an attempt that nobody doubts ends so.
      if (!TocsinError.is(error) || error.code !== 'SESSION_EXPIRED') throw error;
      this.#lose(opened);
      return this.#submitIn(await this.#opened(limits), command, limits);
    }
  }

  /** Tells the cluster that nothing more will come, if it can be told now. */
  async close(): Promise<void> {
    this.#beat?.cancel();
    const opened = this.#current;
    if (opened !== undefined)
      await this.#tell(
        { type: 'end-session', id: opened.id, ...this.#asked },
        SESSION_END_MS_MAX,
      ).catch(() => {});
  }

  async #submitIn(opened: Opened, command: Command, limits: ReadLimits): Promise<Fulfilled> {
    const { window, submit } = this.#parts;
    const place = opened.take(window);
    if (place === undefined)
      throw new TocsinError('OVERLOADED', `the session has ${window} commands under way`);
    try {
      const reply = await submit(encodeInSession(command, place), limits);
      opened.pending.delete(place.sequence);
      return reply;
    } catch (error) {
      this.#ended(opened, place.sequence, asTocsinError(error));
      throw error;
    }
  }

  /** A refusal is a reply too. Of anything else nobody knows whether it uses its place yet: the place is given up. */
  #ended(opened: Opened, sequence: number, error: TocsinError): void {
    if (isReply(error)) opened.pending.delete(sequence);
    else {
      opened.givenUp.add(sequence);
      void this.#keep(opened);
    }
  }

  async #opened(limits: ReadLimits): Promise<Opened> {
    this.#opening ??= this.#open(limits);
    const opening = this.#opening;
    try {
      return await opening;
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      const { message, outcome } = asTocsinError(error);
      if (outcome !== 'unknown') throw error;
      throw new TocsinError('UNAVAILABLE', `no session could be opened: ${message}`, {
        cause: error,
      });
    }
  }

  async #open(limits: ReadLimits): Promise<Opened> {
    const { keys, submit, clock, leaseSeconds, window } = this.#parts;
    const command: Command = { type: 'open-session', leaseSeconds, window, ...this.#asked };
    const reply = await submit(encodeCommand(command, keys.next()), limits);
    if (!('id' in reply)) throw new TocsinError('BODY_MALFORMED', 'a session has no id');
    const opened = new Opened(reply.id as SessionId);
    this.#current = opened;
    this.#beat?.cancel();
    const everyMs = millis((leaseSeconds * 1_000) / BEATS_PER_LEASE);
    this.#beat = clock.every(everyMs, () => void this.#keep(opened));
    return opened;
  }

  /** Says that the client is there, and what it waits for no longer. A failure shows with the next command. */
  async #keep(opened: Opened): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const { floor } = opened;
    try {
      const { leaseSeconds } = this.#parts;
      const timeoutMs = Math.min(SESSION_BEAT_MS_MAX, (leaseSeconds * 1_000) / BEATS_PER_LEASE);
      const { id } = opened;
      await this.#tell({ type: 'keep-session', id, floor, ...this.#asked }, Math.ceil(timeoutMs));
      opened.told(floor);
    } catch (error) {
      if (TocsinError.is(error) && error.code === 'SESSION_EXPIRED') this.#lose(opened);
    } finally {
      this.#isTelling = false;
    }
  }

  #lose(opened: Opened): void {
    if (this.#current !== opened) return;
    this.#current = undefined;
    this.#opening = undefined;
    this.#beat?.cancel();
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
