import { assert } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import type { Reply } from '../statemachine/types.ts';
import { cancelled, timeIsUp } from './failures.ts';

/** Commands that stay together, and the caller who waits for their replies. */
export interface Call {
  readonly records: readonly Uint8Array[];
  readonly byteLength: number;
  /** The replies to its commands are `replies[from]` and those after it. */
  readonly replied: (replies: readonly Reply[], from: number) => void;
  readonly reject: (error: TocsinError) => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
  settled: boolean;
}

/** Told when a call got its reply or its error, once for each. */
export type OnSettled = (call: Call) => void;

/**
 * The calls of one tick, which travel together: encoded once, sent as often as need be, settled one by one. It knows
 * whether any attempt may have reached a replica without a certain "no", so that nobody is told "nothing happened" when
 * nobody knows.
 */
export class Batch {
  /** Place in the order of the client's commands. */
  readonly sequence: number;
  readonly timeoutMs: number;
  /** By the monotonic clock. */
  readonly deadline: number;
  /** Of commands; what was settled before it was sent is counted too. */
  count = 0;
  byteLength = 0;
  lastFailure: TocsinError | undefined;
  readonly #onSettled: OnSettled;
  /** Those who still wait, in order. Never changed in place: attempts keep the array they were sent with. */
  #calls: Call[] = [];
  #waiting = 0;
  #unanswered = 0;
  #isUnknown = false;

  constructor(sequence: number, timeoutMs: number, now: number, onSettled: OnSettled) {
    this.sequence = sequence;
    this.timeoutMs = timeoutMs;
    this.deadline = now + timeoutMs;
    this.#onSettled = onSettled;
  }

  /** Before the first attempt only. */
  add(call: Call): void {
    assert(this.#unanswered === 0 && !this.#isUnknown, 'a call joined a batch that was sent');
    this.#calls.push(call);
    this.#waiting += 1;
    this.count += call.records.length;
    this.byteLength += call.byteLength;
  }

  /** The calls that are not settled yet, in order. */
  get calls(): readonly Call[] {
    if (this.#waiting < this.#calls.length)
      this.#calls = this.#calls.filter((call) => !call.settled);
    return this.#calls;
  }

  /** Nobody waits for it any more. */
  get isSettled(): boolean {
    return this.#waiting === 0;
  }

  /** An attempt may have reached a replica, and nobody has said "no" for certain. */
  get mayHaveHappened(): boolean {
    return this.#unanswered > 0 || this.#isUnknown;
  }

  attemptStarted(): void {
    this.#unanswered += 1;
  }

  /** Each attempt that was started ends once: with replies, with a certain "no", or without either. */
  attemptEnded(how: 'replied' | 'no' | 'unknown'): void {
    assert(this.#unanswered > 0, 'more attempts ended than were started');
    this.#unanswered -= 1;
    if (how === 'unknown') this.#isUnknown = true;
  }

  /** The replies to an attempt, one for each command of the calls it carried. */
  settle(calls: readonly Call[], replies: readonly Reply[]): void {
    let from = 0;
    for (const call of calls) {
      const doubt = this.#doubtOf(replies[from]);
      if (doubt !== undefined) this.#reject(call, doubt);
      else if (this.#settle(call)) call.replied(replies, from);
      from += call.records.length;
    }
    assert(from === replies.length, `${replies.length} replies to ${from} commands`);
  }

  /** That a session has expired says nothing of an earlier attempt that was made while it had not. */
  #doubtOf(reply: Reply | undefined): TocsinError | undefined {
    if (reply?.ok !== false || reply.code !== 'SESSION_EXPIRED' || !this.mayHaveHappened)
      return undefined;
    return this.#truthful(new TocsinError(reply.code, reply.message));
  }

  /** The time is up for all of them. */
  expire(): void {
    this.fail(timeIsUp(this.timeoutMs, this.lastFailure));
  }

  abort(call: Call): void {
    if (call.signal !== undefined) this.#reject(call, this.#truthful(cancelled(call.signal)));
  }

  /** Ends all that are left. Whatever `reason` says, nobody is told that nothing happened unless that is certain. */
  fail(reason: TocsinError): void {
    const error = this.#truthful(reason);
    for (const call of this.calls) this.#reject(call, error);
  }

  #truthful(reason: TocsinError): TocsinError {
    if (!this.mayHaveHappened || reason.outcome === 'unknown') return reason;
    return new TocsinError(
      'OUTCOME_UNKNOWN',
      `the command may or may not have been carried out: ${reason.code}: ${reason.message}`,
      { cause: reason },
    );
  }

  #reject(call: Call, error: TocsinError): void {
    if (this.#settle(call)) call.reject(error);
  }

  #settle(call: Call): boolean {
    if (call.settled) return false;
    call.settled = true;
    this.#waiting -= 1;
    this.#onSettled(call);
    return true;
  }
}
