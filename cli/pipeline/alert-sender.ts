import type { AlertRequest } from '../../src/analytics/alerts.ts';
import { assert, must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import {
  ALERT_FAILURES_KEPT_MAX,
  ALERTS_HELD_MAX,
  ALERTS_UNDER_WAY_MAX,
} from '../../src/base/limits.ts';
import type { AlertApi } from '../../src/statemachine/alert-api.ts';
import type { Done } from '../../src/statemachine/types.ts';

export interface AlertSenderOptions {
  readonly api: AlertApi;
  /** Names this stream of alerts; sending the same stream again under the same name changes nothing. */
  readonly runId: string;
  /** Milliseconds for each command. @defaultValue the client's */
  readonly timeoutMs?: number;
  /** Commands under way at once. @defaultValue ALERTS_UNDER_WAY_MAX */
  readonly underWayMax?: number;
  /** Commands held, under way and waiting. @defaultValue ALERTS_HELD_MAX */
  readonly heldMax?: number;
  /** Gives up: what is under way is called off, what waits is not sent; each is reported as failed. */
  readonly signal?: AbortSignal;
  /** Told of each command as it ends, in the order in which they end. Must not throw. */
  readonly onSettled?: (settled: Settled) => void;
}

/** What became of one command. */
export interface Settled {
  readonly request: AlertRequest;
  readonly dedupKey: string;
  readonly idempotencyKey: string;
  /** What the caller was told: done, or why not. */
  readonly told: Done | TocsinError;
}

/** A command that did not end in `done`. */
export interface SendFailure {
  readonly dedupKey: string;
  readonly idempotencyKey: string;
  readonly error: TocsinError;
}

/** All commands given to `send` are in exactly one of these. */
export interface SendCounts {
  /** Under way or waiting. */
  readonly held: number;
  readonly done: number;
  /** Surely not written: refused, or never reached anybody. */
  readonly failed: number;
  /** Written or not, nobody knows. */
  readonly unknown: number;
}

/**
 * Brings alert commands to the store: those of one dedup key one after the other, in the order given, so that a clear
 * never overtakes its raise; those of different keys at the same time. Retrying is the api's; what finally fails is
 * counted and reported with its key, and the next command of the key goes out all the same.
 */
export class AlertSender {
  readonly #options: AlertSenderOptions;
  readonly #underWayMax: number;
  readonly #heldMax: number;
  /** By dedup key; the first command of a lane is the one under way, if one is. */
  readonly #lanes: Map<string, Lane> = new Map();
  /** Lanes with a command to send and none under way, first come first. */
  readonly #ready: Set<Lane> = new Set();
  readonly #failures: SendFailure[] = [];
  #waiters: Waiter[] = [];
  #held = 0;
  #underWay = 0;
  #done = 0;
  #failed = 0;
  #unknown = 0;

  constructor(options: AlertSenderOptions) {
    this.#options = options;
    this.#underWayMax = options.underWayMax ?? ALERTS_UNDER_WAY_MAX;
    this.#heldMax = options.heldMax ?? ALERTS_HELD_MAX;
    assert(this.#underWayMax >= 1, `${this.#underWayMax} commands under way at once`);
    assert(this.#heldMax >= 1, `${this.#heldMax} commands held`);
  }

  /**
   * Takes a command at once and resolves when there is room for another one: who awaits it before the next call is
   * slowed to the pace of the store. Never rejects.
   */
  send(request: AlertRequest): Promise<void> {
    const dedupKey = keyOf(request);
    let lane = this.#lanes.get(dedupKey);
    if (lane === undefined) {
      lane = { dedupKey, requests: [], underWay: false };
      this.#lanes.set(dedupKey, lane);
    }
    lane.requests.push(request);
    this.#held += 1;
    if (!lane.underWay) this.#ready.add(lane);
    this.#pump();
    return this.#until(this.#heldMax - 1);
  }

  /** Resolves when every command given so far, and any given meanwhile, has ended. */
  drain(): Promise<void> {
    return this.#until(0);
  }

  get counts(): SendCounts {
    const { done, failed, unknown } = {
      done: this.#done,
      failed: this.#failed,
      unknown: this.#unknown,
    };
    return { held: this.#held, done, failed, unknown };
  }

  /** The first ALERT_FAILURES_KEPT_MAX of them. */
  get failures(): readonly SendFailure[] {
    return this.#failures;
  }

  #until(heldMax: number): Promise<void> {
    if (this.#held <= heldMax) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ heldMax, resolve });
    });
  }

  #pump(): void {
    for (const lane of this.#ready) {
      if (this.#underWay >= this.#underWayMax) return;
      this.#ready.delete(lane);
      void this.#sendFirst(lane);
    }
  }

  async #sendFirst(lane: Lane): Promise<void> {
    assert(!lane.underWay, `two commands under way for ${lane.dedupKey}`);
    const request = must(lane.requests[0], `nothing to send for ${lane.dedupKey}`);
    const idempotencyKey = idempotencyKeyOf(this.#options.runId, request);
    lane.underWay = true;
    this.#underWay += 1;
    const told = await this.#call(request, idempotencyKey);
    lane.underWay = false;
    this.#underWay -= 1;
    lane.requests.shift();
    if (lane.requests.length > 0) this.#ready.add(lane);
    else this.#lanes.delete(lane.dedupKey);
    this.#settle({ request, dedupKey: lane.dedupKey, idempotencyKey, told });
    this.#pump();
  }

  async #call(request: AlertRequest, idempotencyKey: string): Promise<Done | TocsinError> {
    const { api, signal, timeoutMs } = this.#options;
    const options = {
      idempotencyKey,
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    if (signal?.aborted) return new TocsinError('CANCELLED', 'given up before it was sent');
    try {
      if (request.type === 'raise') return await api.raise(request.input, options);
      return await api.clear(request.input, options);
    } catch (error) {
      if (TocsinError.is(error)) return error;
      // Whatever broke may have broken after the command was written.
      return new TocsinError('OUTCOME_UNKNOWN', String(error), { cause: error });
    }
  }

  #settle(settled: Settled): void {
    const { told, dedupKey, idempotencyKey } = settled;
    this.#held -= 1;
    if (TocsinError.is(told)) {
      if (told.outcome === 'unknown') this.#unknown += 1;
      else this.#failed += 1;
      if (this.#failures.length < ALERT_FAILURES_KEPT_MAX)
        this.#failures.push({ dedupKey, idempotencyKey, error: told });
    } else this.#done += 1;
    this.#options.onSettled?.(settled);
    const served = this.#waiters.filter(({ heldMax }) => this.#held <= heldMax);
    if (served.length === 0) return;
    this.#waiters = this.#waiters.filter(({ heldMax }) => this.#held > heldMax);
    for (const { resolve } of served) resolve();
  }
}

interface Lane {
  readonly dedupKey: string;
  readonly requests: AlertRequest[];
  underWay: boolean;
}

interface Waiter {
  readonly heldMax: number;
  readonly resolve: () => void;
}

/** The condition a request is about. */
export const keyOf = (request: AlertRequest): string =>
  request.type === 'raise' ? request.input.dedupKey : request.input.target.dedupKey;

/**
 * The same for the same change of a condition, in whichever process and after however many restarts: a condition
 * changes at most once in either direction with one sample.
 */
export const idempotencyKeyOf = (runId: string, request: AlertRequest): string =>
  `${runId}/${request.type}/${request.input.observedAt}/${keyOf(request)}`;
