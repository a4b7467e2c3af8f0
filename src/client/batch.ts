import { assert } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import type { BatchReply } from '../statemachine/types.ts';
import { cancelled, timeIsUp } from './failures.ts';

/** Commands that stay together, and the caller who waits for their replies. */
export interface Call {
  readonly records: readonly Uint8Array[];
  readonly byteLength: number;
  /** The replies to its commands are `replies[from]` and those after it. */
  readonly replied: (replies: readonly BatchReply[], from: number) => void;
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

  /**
   * The replies to an attempt, one for each command of the calls it carried. A call of which nothing was taken waits on;
   * returns why.
   */
  settle(calls: readonly Call[], replies: readonly BatchReply[]): TocsinError | undefined {
    let from = 0;
    let notTaken: TocsinError | undefined;
    for (const call of calls) {
      const next = from + call.records.length;
      const no = findUncertain(replies, from, next);
      if (no !== undefined && isNotTaken(replies, from, next)) notTaken = no;
      else if (no !== undefined && this.mayHaveHappened) this.#reject(call, this.#truthful(no));
      else if (this.#settle(call)) call.replied(replies, from);
      from = next;
    }
    assert(from === replies.length, `${replies.length} replies to ${from} commands`);
    return notTaken;
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

/**
 * A "no" that says nothing of an earlier attempt: that a session has expired, when it had not then; that there is no room, when
 * there was some.
 */
function findUncertain(
  replies: readonly BatchReply[],
  from: number,
  to: number,
): TocsinError | undefined {
  for (let at = from; at < to; at += 1) {
    const reply = replies[at];
    if (reply?.ok === false && (reply.code === 'SESSION_EXPIRED' || reply.code === 'DISK_FULL'))
      return new TocsinError(reply.code, reply.message);
  }
  return undefined;
}

/** Whether none of a call's commands was taken in. */
function isNotTaken(replies: readonly BatchReply[], from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const reply = replies[at];
    if (reply?.ok !== false || reply.code !== 'DISK_FULL') return false;
  }
  return true;
}
