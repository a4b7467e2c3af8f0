import { TocsinError } from '../../base/errors.ts';
import { millis } from '../../base/ids.ts';
import type { CallOptions } from '../../statemachine/alert-api.ts';
import type { Transport } from '../../transport/types.ts';
import { FrameType } from '../../wire/frame.ts';
import {
  decodeTrendResult,
  encodeTrendQuery,
  parseTrendQuery,
  type TrendQuery,
  type TrendResult,
} from '../../wire/trend/trend-query.ts';
import { AddressBook } from '../connection/address-book.ts';
import { type Connection, expectType } from '../connection/connection.ts';
import { Connections } from '../connection/connections.ts';
import { type Miss, raceDials } from '../connection/dial-race.ts';
import { unavailable } from '../connection/leader-finder.ts';
import { asTocsinError, cancelled, timeIsUp } from '../failures.ts';
import { type ClientOptions, limitsOf, type ResolvedOptions, resolveOptions } from '../options.ts';
import { TrendWriter, type TrendWriterOptions } from './trend-writer.ts';

/**
 * Makes a client of the trend tier; `endpoints` are the addresses of that tier. Nothing is dialled yet.
 * @throws TocsinError BAD_REQUEST naming the option
 *
 * @example
 * await using trends = await connectTrends({ endpoints: ['/ip4/10.0.0.1/tcp/7500'], name: 'bedside-12' });
 */
export async function connectTrends(options: ClientOptions): Promise<TrendClient> {
  const resolved = resolveOptions(options);
  const transport = options.transport ?? (await defaultTransport());
  return new TrendClient(resolved, transport);
}

async function defaultTransport(): Promise<Transport> {
  const { TcpTransport } = await import('../../transport/tcp-transport.ts');
  return new TcpTransport();
}

/** The trend tier of a cluster, from afar: any replica answers, and says how fresh and how complete its answer is. */
export class TrendClient implements AsyncDisposable {
  readonly #options: ResolvedOptions;
  readonly #connections: Connections;
  readonly #book: AddressBook;
  readonly #writers = new Set<TrendWriter>();

  /** Use `connectTrends`. */
  constructor(options: ResolvedOptions, transport: Transport) {
    const { clock, clusterId, name } = options;
    this.#options = options;
    this.#connections = new Connections({ transport, clock, clusterId, agent: name });
    this.#connections.isWanted = (connection) =>
      [...this.#writers].some((writer) => writer.uses(connection));
    this.#book = new AddressBook(options.endpoints, clock);
  }

  /**
   * Asks a replica: the first one given if it answers, or else the next, until one does or the time is up.
   * @throws TocsinError BAD_REQUEST; UNAVAILABLE naming each endpoint and why; DEADLINE_EXCEEDED; CANCELLED
   */
  async query(query: TrendQuery, options: CallOptions = {}): Promise<TrendResult> {
    const body = encodeTrendQuery(parseTrendQuery(query));
    const limits = limitsOf(options, this.#options.timeoutMs);
    return await new Promise<TrendResult>((resolve, reject) => {
      const { clock } = this.#options;
      const asking = new Asking();
      const end = (settle: () => void): void => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        asking.stop();
        settle();
      };
      const { timeoutMs, signal } = limits;
      const onAbort = (): void => {
        if (signal !== undefined) end(() => reject(cancelled(signal)));
      };
      const timer = clock.after(millis(timeoutMs), () =>
        end(() => reject(timeIsUp(timeoutMs, asking.last))),
      );
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted) {
        onAbort();
        return;
      }
      this.#ask(body, asking).then(
        (result) => end(() => resolve(result)),
        (error: unknown) => end(() => reject(error)),
      );
    });
  }

  /** The whole range or rollup, answer by answer. Each says how complete it is. */
  async *queryAll(
    query: Extract<TrendQuery, { what: 'range' | 'rollup' }>,
    options: CallOptions = {},
  ): AsyncGenerator<TrendResult, void, undefined> {
    for (let { from } = query; ; ) {
      const result = await this.query({ ...query, from }, options);
      yield result;
      const { coveredTo } = result.standing;
      if (coveredTo === undefined) return;
      if (coveredTo <= from)
        throw new TocsinError('BODY_MALFORMED', `an answer that does not get beyond ${from}`);
      from = coveredTo;
    }
  }

  /** A stream of samples into the cluster. */
  writer(options: Pick<TrendWriterOptions, 'frameSamples' | 'onTaken'> = {}): TrendWriter {
    const { clock, endpoints } = this.#options;
    const writer = new TrendWriter({
      ...options,
      connections: this.#connections,
      clock,
      endpoints,
    });
    this.#writers.add(writer);
    return writer;
  }

  async close(): Promise<void> {
    for (const writer of this.#writers) writer.close();
    await this.#connections.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ask(body: Uint8Array, asking: Asking): Promise<TrendResult> {
    const tried: Miss[] = [];
    let left = this.#book.candidates();
    const dial = (address: string): Promise<Connection> => this.#connections.to(address);
    while (left.length > 0 && !asking.isOver) {
      const result = await raceDials(left, dial, this.#options.clock);
      if (!result.ok) {
        asking.last = unavailable(result.misses);
        tried.push(...result.misses.filter(({ reason }) => reason !== undefined));
        // Of the others the dials go on.
        left = result.misses.filter(({ reason }) => reason === undefined).map(addressOf);
        continue;
      }
      const { connection } = result;
      const { address } = connection;
      try {
        return await asking.exchange(connection, body);
      } catch (error) {
        const reason = asTocsinError(error);
        if (!reason.retryable) throw error;
        if (connection.wentSilent) this.#book.suspect(address);
        asking.last = reason;
        tried.push({ address, reason });
        left = left.filter((other) => other !== address);
      }
    }
    throw unavailable(tried);
  }
}

const addressOf = ({ address }: Miss): string => address;

/** One question, at one replica after the other, until nobody wants the answer any more. */
class Asking {
  /** What became of it at the replica before. */
  last: TocsinError | undefined;
  #isOver = false;
  #forget: (() => void) | undefined;

  get isOver(): boolean {
    return this.#isOver;
  }

  stop(): void {
    this.#isOver = true;
    this.#forget?.();
  }

  exchange(connection: Connection, body: Uint8Array): Promise<TrendResult> {
    return new Promise<TrendResult>((resolve, reject) => {
      const id = connection.send(FrameType.TREND_QUERY, [body], {
        isStream: false,
        answered: (type, answer) => {
          expectType(type, FrameType.TREND_RESULT);
          resolve(decodeTrendResult(answer));
        },
        failed: reject,
        lost: reject,
      });
      if (id === undefined) reject(new TocsinError('OVERLOADED', 'too many queries under way'));
      else this.#forget = () => connection.forget(id);
    });
  }
}
