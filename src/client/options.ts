import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import {
  ADDRESS_CHARS_MAX,
  CLIENT_ADDRESSES_LEARNED_MAX,
  CLIENT_TIMEOUT_MS,
  REQUEST_MS_MAX,
  SECONDS_MAX,
  SESSION_WINDOW_MAX,
} from '../base/limits.ts';
import type {
  CallOptions,
  HistoryOptions,
  ListOptions,
  WatchOptions,
  WriteOptions,
} from '../statemachine/alert-api.ts';
import { SystemClock } from '../transport/system-clock.ts';
import type { Transport } from '../transport/types.ts';
import { asArray, asBoolean, asFields, asLine, asName, asWhole } from '../wire/check.ts';
import type { ReadLimits } from './read-call.ts';
import type { SessionOptions } from './write-session.ts';

/** How a client finds its cluster and what it does by default. */
export interface ClientOptions {
  /** Multiaddrs of any replicas; the leader, and the others, are found from there. */
  readonly endpoints: readonly string[];
  /** 32 hex digits: refuse any other cluster. Default: the one that answers first, from then on. */
  readonly clusterId?: string;
  /** Who asks, where a command does not say. @defaultValue tocsin-client */
  readonly name?: string;
  /** Milliseconds a call may take, where it does not say. @defaultValue 10,000 */
  readonly timeoutMs?: number;
  /**
   * Whether calls wait, within their time, while no replica that may lead is connected. False: they are refused at once
   * with UNAVAILABLE, and nothing of them is written; what was sent before is still waited for.
   * @defaultValue true
   */
  readonly offlineQueue?: boolean;
  /**
   * Whether commands without an idempotency key have places in a session of the cluster: then each is carried out once however
   * long its repetitions take, and nothing of another client can push out what is known of it. Costs one command when the first is
   * sent, and one now and then.
   * @defaultValue false
   */
  readonly session?: boolean | SessionOptions;
  /** Gives up connecting; means nothing afterwards. */
  readonly signal?: AbortSignal;
  /** @defaultValue TCP */
  readonly transport?: Transport;
  /** @defaultValue the machine's */
  readonly clock?: Clock;
  /** For tests and simulators: decides everything that is drawn. Two clients of a cluster must not share one. */
  readonly seed?: number;
}

export interface ResolvedOptions {
  readonly endpoints: readonly string[];
  readonly clusterId: string | undefined;
  readonly name: string;
  readonly timeoutMs: number;
  readonly offlineQueue: boolean;
  readonly session: Required<SessionOptions> | undefined;
  readonly clock: Clock;
  readonly seed: number;
  /** Gives up connecting. */
  readonly signal: AbortSignal | undefined;
  /** Of the keys this client makes. */
  readonly keyPrefix: Uint8Array;
}

const CLIENT_OPTIONS: ReadonlySet<string> = new Set<keyof ClientOptions>([
  ...(['endpoints', 'clusterId', 'name', 'timeoutMs', 'offlineQueue', 'session'] as const),
  ...(['signal', 'transport', 'clock', 'seed'] as const),
]);
const NAME = 'tocsin-client';
const KEY_PREFIX_BYTES = 8;
const LEASE_SECONDS = 60;
const SESSION_WINDOW = 1_024;

/** @throws TocsinError BAD_REQUEST naming the option */
export function resolveOptions(given: ClientOptions): ResolvedOptions {
  asFields('request', 'options', given, CLIENT_OPTIONS);
  const { clusterId, name = NAME, timeoutMs = CLIENT_TIMEOUT_MS, clock, seed } = given;
  const { offlineQueue = true } = given;
  if (clusterId !== undefined && !/^[0-9a-f]{32}$/.test(clusterId))
    throw new TocsinError('BAD_REQUEST', 'clusterId: must be 32 hex digits');
  const drawn = seed === undefined ? randomBytes(KEY_PREFIX_BYTES) : bytesOf(seed);
  return Object.freeze({
    endpoints: endpointsOf(given.endpoints),
    clusterId,
    name: asName('request', 'name', name),
    timeoutMs: checkedTimeout(timeoutMs),
    offlineQueue: asBoolean('request', 'offlineQueue', offlineQueue),
    session: sessionFrom(given.session),
    clock: clock ?? new SystemClock(),
    seed: seed ?? drawn.readUInt32LE(0),
    signal: checkedSignal(given.signal),
    keyPrefix: drawn,
  });
}

function sessionFrom(given: ClientOptions['session']): Required<SessionOptions> | undefined {
  if (given === undefined || given === false) return undefined;
  const fields = given === true ? {} : asFields('request', 'session', given, undefined);
  const { leaseSeconds = LEASE_SECONDS, window = SESSION_WINDOW }: SessionOptions = fields;
  return {
    leaseSeconds: asWhole('request', 'session.leaseSeconds', leaseSeconds, 1, SECONDS_MAX),
    window: asWhole('request', 'session.window', window, 1, SESSION_WINDOW_MAX),
  };
}

/** Of any call: one that is mistyped is refused, for a promise that it made would be missed when it counts. */
const CALL_OPTIONS: ReadonlySet<string> = new Set<keyof AnyCallOptions>([
  ...(['signal', 'timeoutMs', 'idempotencyKey', 'consistency', 'limit', 'after'] as const),
  ...(['from', 'filter', 'dryRun', 'undo'] as const),
]);

type AnyCallOptions = WriteOptions &
  ListOptions &
  HistoryOptions &
  WatchOptions & { readonly dryRun?: boolean; readonly undo?: boolean };

/** How long a call may take, and who may end it. @throws TocsinError BAD_REQUEST naming the option */
export function limitsOf(options: CallOptions, defaultMs: number): ReadLimits {
  asFields('request', 'options', options, CALL_OPTIONS);
  const { timeoutMs = defaultMs, signal } = options;
  return { timeoutMs: checkedTimeout(timeoutMs), signal: checkedSignal(signal) };
}

/** Also one of another realm; a thing that is none would fail later, where nobody catches it. */
function checkedSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const isSignal =
    typeof signal?.aborted === 'boolean' &&
    typeof signal.addEventListener === 'function' &&
    typeof signal.removeEventListener === 'function';
  if (!isSignal) throw new TocsinError('BAD_REQUEST', 'signal: must be an AbortSignal');
  return signal;
}

const checkedTimeout = (timeoutMs: number): number =>
  asWhole('request', 'timeoutMs', timeoutMs, 1, REQUEST_MS_MAX);

function endpointsOf(given: readonly string[]): readonly string[] {
  const endpoints = asArray('request', 'endpoints', given, CLIENT_ADDRESSES_LEARNED_MAX).map(
    (endpoint) => asLine('request', 'endpoints', endpoint, 1, ADDRESS_CHARS_MAX),
  );
  if (endpoints.length === 0)
    throw new TocsinError('BAD_REQUEST', 'endpoints: must name at least one replica');
  return endpoints;
}

function bytesOf(seed: number): Buffer {
  const bytes = Buffer.alloc(KEY_PREFIX_BYTES);
  bytes.writeDoubleLE(asWhole('request', 'seed', seed, 0, Number.MAX_SAFE_INTEGER));
  return bytes;
}
