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
import { expectType } from '../connection/connection.ts';
import { Connections } from '../connection/connections.ts';
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
  readonly #writers = new Set<TrendWriter>();

  /** Use `connectTrends`. */
  constructor(options: ResolvedOptions, transport: Transport) {
    const { clock, clusterId, name } = options;
    this.#options = options;
    this.#connections = new Connections({ transport, clock, clusterId, agent: name });
    this.#connections.isWanted = () => this.#writers.size > 0;
  }

  /**
   * Asks the first replica that can be reached.
   * @throws TocsinError BAD_REQUEST; UNAVAILABLE naming each endpoint and why; DEADLINE_EXCEEDED; CANCELLED
   */
  async query(query: TrendQuery, options: CallOptions = {}): Promise<TrendResult> {
    const body = encodeTrendQuery(parseTrendQuery(query));
    const reasons: string[] = [];
    for (const endpoint of this.#options.endpoints) {
      try {
        return await this.#ask(endpoint, body, options);
      } catch (error) {
        if (!TocsinError.is(error) || !error.retryable || error.code === 'DEADLINE_EXCEEDED')
          throw error;
        const { message } = error;
        reasons.push(message.includes(endpoint) ? message : `${endpoint}: ${message}`);
      }
    }
    throw new TocsinError('UNAVAILABLE', `no replica could be reached: ${reasons.join('; ')}`);
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

  async #ask(endpoint: string, body: Uint8Array, options: CallOptions): Promise<TrendResult> {
    const { clock } = this.#options;
    const { timeoutMs, signal } = limitsOf(options, this.#options.timeoutMs);
    return await new Promise<TrendResult>((resolve, reject) => {
      const giveUp = (): void => done(() => reject(new TocsinError('CANCELLED', 'given up')));
      const timer = clock.after(millis(timeoutMs), () =>
        done(() => reject(new TocsinError('DEADLINE_EXCEEDED', `no answer in ${timeoutMs} ms`))),
      );
      const done = (settle: () => void): void => {
        timer.cancel();
        signal?.removeEventListener('abort', giveUp);
        settle();
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      if (signal?.aborted) giveUp();
      void this.#exchange(endpoint, body).then(
        (result) => done(() => resolve(result)),
        (error: unknown) => done(() => reject(error)),
      );
    });
  }

  async #exchange(endpoint: string, body: Uint8Array): Promise<TrendResult> {
    const connection = await this.#connections.to(endpoint);
    return await new Promise<TrendResult>((resolve, reject) => {
      const sent = connection.send(FrameType.TREND_QUERY, [body], {
        isStream: false,
        answered: (type, answer) => {
          expectType(type, FrameType.TREND_RESULT);
          resolve(decodeTrendResult(answer));
        },
        failed: reject,
        lost: reject,
      });
      if (sent === undefined) reject(new TocsinError('OVERLOADED', 'too many queries under way'));
    });
  }
}
