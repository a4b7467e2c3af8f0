import { TocsinError } from '../base/errors.ts';
import { type Revision, revision } from '../base/ids.ts';
import { LIST_LIMIT_DEFAULT, LIST_PAGE_MAX, TEXT_CHARS_MAX } from '../base/limits.ts';
import type {
  AcknowledgeInput,
  AlertApi,
  AlertHistory,
  AlertPage,
  Answer,
  CallOptions,
  CareApi,
  CareInput,
  ClearInput,
  Consistency,
  HistoryOptions,
  ListedAlert,
  ListOptions,
  RaiseInput,
  ReadConsistency,
  ReadOptions,
  RecordInput,
  RecordOptions,
  RecordPage,
  WatchMessage,
  WatchOptions,
  WriteOptions,
} from '../statemachine/alert-api.ts';
import type { QueryKind } from '../statemachine/beside/records-beside.ts';
import type { Command } from '../statemachine/commands.ts';
import {
  acknowledgeFrom,
  type CommandOrigin,
  clearFrom,
  commandFrom,
  raiseFrom,
} from '../statemachine/inputs.ts';
import {
  type AlertFilter,
  type AlertId,
  type AlertRef,
  type BatchReply,
  type Done,
  type Fulfilled,
  isDone,
  type Kept,
} from '../statemachine/types.ts';
import { asFields, asLine, asWhole } from '../wire/check.ts';
import { decodeListAnswer, decodeStatusAnswer } from '../wire/clients/answers.ts';
import { encodeList } from '../wire/clients/client-messages.ts';
import { decodeHistoryAnswer, encodeHistory } from '../wire/clients/history-query.ts';
import { decodeRecordsAnswer, encodeRecords } from '../wire/clients/record-queries.ts';
import type { ReplicaStatus } from '../wire/clients/status.ts';
import { encodeCommand, keyFromText } from '../wire/commands/commands.ts';
import { parseCommand, parseFilter } from '../wire/commands/parse.ts';
import { parseCursor, parseRef } from '../wire/commands/parse-parts.ts';
import { FrameType } from '../wire/frame.ts';
import { observed } from './call-events.ts';
import { type BatchedCommand, encodeBatch } from './command-batch.ts';
import type { ConnectionEvent } from './connection/connection-events.ts';
import { reach } from './connection/reach.ts';
import { clientClosed, offline } from './failures.ts';
import { careTypeOf, recordTypeOf } from './inputs.ts';
import { KeySource } from './keys.ts';
import { Operator } from './operator.ts';
import { type ClientOptions, limitsOf, type ResolvedOptions, resolveOptions } from './options.ts';
import { assemble, type ClientParts, defaultTransport } from './parts.ts';
import { consistencyOf, type Question, type ReadLimits, whomFor } from './read-call.ts';
import { Watch, type WatchRequest } from './watch/watch.ts';
import { type WriteSession, writeSessionOf } from './write-session.ts';

/**
 * Connects to a cluster. Resolves as soon as one replica has answered.
 * @throws TocsinError UNAVAILABLE naming each endpoint and why (BAD_ADDRESS, WRONG_CLUSTER and the like when that is
 * what is wrong with all of them); CANCELLED; BAD_REQUEST naming the option
 *
 * @example
 * await using alerts = await connect({ endpoints: ['/ip4/10.0.0.1/tcp/7400'], timeoutMs: 2_000, session: true });
 */
export async function connect(options: ClientOptions): Promise<Client> {
  const resolved = resolveOptions(options);
  const transport = options.transport ?? (await defaultTransport(resolved.clock));
  const parts = assemble(resolved, transport);
  try {
    await reach(parts.finder, resolved.clock, resolved);
    return new Client(parts);
  } catch (error) {
    await parts.connections.close();
    throw error;
  }
}

/**
 * A cluster, from afar. Finds the leader, follows it, and asks again what was not answered, under the same idempotency
 * key, until the call's time is up. Every rejection is a TocsinError whose `outcome` is true: `none` means that nothing
 * was written, `applied` that it was carried out before, and only its reply is no longer kept (REPLY_FORGOTTEN), `unknown`
 * that nobody knows.
 *
 * Commands are carried out in the order of the calls, except that one which a busy cluster refused for now, and which is
 * sent again, may be passed by later ones: await a reply where the order matters.
 */
export class Client implements AlertApi, CareApi, AsyncDisposable {
  readonly #parts: ClientParts;
  readonly #options: ResolvedOptions;
  readonly #keys: KeySource;
  readonly #writes: WriteSession | undefined;
  readonly #watches = new Set<Watch>();
  #closing: Promise<void> | undefined;

  /** Use `connect`. */
  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#options = parts.options;
    this.#keys = new KeySource(parts.options.keyPrefix);
    this.#writes = writeSessionOf(parts, this.#keys);
  }

  raise(input: RaiseInput, options?: WriteOptions): Promise<Done> {
    return this.#write('raise', input, (origin) => raiseFrom(input, origin), options);
  }

  clear(input: ClearInput, options?: WriteOptions): Promise<Done> {
    return this.#write('clear', input, (origin) => clearFrom(input, origin), options);
  }

  acknowledge(input: AcknowledgeInput, options?: WriteOptions): Promise<Done> {
    return this.#write('acknowledge', input, (origin) => acknowledgeFrom(input, origin), options);
  }

  care(input: CareInput, options?: WriteOptions): Promise<Done> {
    return this.#write(careTypeOf(input), input, (origin) => commandFrom(input, origin), options);
  }

  async keep(input: RecordInput, options?: WriteOptions): Promise<Kept> {
    const type = recordTypeOf(input);
    const reply = await this.#submit(type, input, (origin) => commandFrom(input, origin), options);
    if (isDone(reply)) throw otherReply(type);
    return reply;
  }

  /**
   * Several commands in one message, carried out in order with nothing in between: a reply for each, in their order, be it a
   * yes or a refusal; what is refused does not keep the others from being carried out, and neither does what disks that are
   * nearly full have no room for (DISK_FULL; asked again under the same key it is carried out). `idempotencyKey` stands for all
   * of them: the same commands may be sent again under it. Rejects if there are no replies, and then the same holds for all:
   * with outcome `none` nothing was written.
   * @throws TocsinError BAD_REQUEST naming the command that is wrong; when they are over 512, or over 512 KiB
   */
  batch(
    commands: readonly BatchedCommand[],
    options: WriteOptions = {},
  ): Promise<readonly BatchReply[]> {
    try {
      const limits = this.#limits(options);
      const keyAt = (position: number): Uint8Array => this.#keyOf(options, `#${position}`);
      const records = encodeBatch(commands, this.#origin, keyAt);
      if (this.#isOffline()) return Promise.reject(offline());
      const { name, clock } = this.#options;
      return observed(name, 'batch', clock, this.#submitAll(records, limits));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  records<K extends QueryKind>(
    kind: K,
    options: RecordOptions = {},
  ): Promise<Answer<RecordPage<K>>> {
    return this.#read('records', options, (consistency) => {
      const { limit = LIST_LIMIT_DEFAULT, after = 0 } = options;
      return {
        type: FrameType.RECORDS,
        body: [encodeRecords({ kind, after, limit, consistency })],
        decode: (body) => decodeRecordsAnswer(kind, body),
      };
    });
  }

  get(ref: AlertRef, options: ReadOptions = {}): Promise<Answer<ListedAlert | undefined>> {
    return this.#ask('get', options, (consistency, limits) =>
      this.#parts.gets.ask(parseRef(ref, 'ref'), consistency, limits),
    );
  }

  list(filter: AlertFilter = {}, options: ListOptions = {}): Promise<Answer<AlertPage>> {
    return this.#read('list', options, (consistency) => {
      const { limit = LIST_LIMIT_DEFAULT, after } = options;
      const request = {
        filter: parseFilter(filter),
        consistency,
        limit: asWhole('request', 'limit', limit, 1, LIST_PAGE_MAX),
        ...parseCursor('request', 'after', after),
      };
      const decode = (body: Uint8Array) => decodeListAnswer(body, this.#parts.recentAlerts);
      return { type: FrameType.LIST, body: [encodeList(request)], decode };
    });
  }

  history(id: AlertId, options: HistoryOptions = {}): Promise<Answer<AlertHistory | undefined>> {
    return this.#read('history', options, (consistency) => {
      const { limit = LIST_LIMIT_DEFAULT, from } = options;
      const request = { id, limit, consistency, ...(from === undefined ? {} : { from }) };
      return {
        type: FrameType.HISTORY,
        body: [encodeHistory(request)],
        decode: decodeHistoryAnswer,
      };
    });
  }

  /**
   * The alert history. Each iteration is a watch of its own and begins with its first `next`; without `from`, that one
   * resolves to a `progress` at the newest revision R, and everything after R follows. It goes on through failovers
   * without gap or repetition, for as long as it takes, and ends when `signal` aborts or the iteration is left. It
   * rejects with BAD_REQUEST, with CLOSED when the client is closed, and with BODY_MALFORMED when a replica keeps
   * leaving something out.
   */
  watch(options: WatchOptions = {}): AsyncIterable<WatchMessage> {
    const { signal } = this.#limits(options);
    const { filter, from } = options;
    const request: WatchRequest = {
      from: from === undefined ? undefined : parseFrom(from),
      filter: filter === undefined ? undefined : parseFilter(filter),
      signal,
    };
    return { [Symbol.asyncIterator]: () => this.#startWatch(request) };
  }

  /**
   * What one replica says of itself: the one at this multiaddr, asked once; or any.
   * @throws TocsinError UNAVAILABLE or CONNECTION_LOST when it cannot be reached
   */
  async status(endpoint?: string, options: CallOptions = {}): Promise<ReplicaStatus> {
    const { reader, connections } = this.#parts;
    const question = { type: FrameType.STATUS, body: [], decode: decodeStatusAnswer };
    const limits = this.#limits(options);
    if (endpoint === undefined) return await reader.ask(question, 'any', limits);
    return await reader.askOne(question, () => connections.to(endpoint), limits);
  }

  /** What operators do: change who takes part, hand over, take snapshots. */
  get operator(): Operator {
    const { reader, connections } = this.#parts;
    return new Operator(reader, connections, (options) => this.#limits(options));
  }

  /**
   * A key for a caller who writes it down before the call, so as to repeat the call after a crash. Keys of one client
   * differ from all others, and sort as the times at which they were made.
   *
   * @example
   * const idempotencyKey = alerts.newIdempotencyKey();
   * await outbox.put(idempotencyKey, input);
   * await alerts.raise(input, { idempotencyKey });
   */
  newIdempotencyKey(): string {
    return this.#keys.nextText(this.#options.clock.wall());
  }

  /**
   * What becomes of the connections, from now on: it begins with whom this client takes for the leader, and ends when
   * `signal` aborts or the client is closed. Never rejects.
   */
  events(options: Pick<CallOptions, 'signal'> = {}): AsyncIterableIterator<ConnectionEvent> {
    return this.#parts.events.listen(this.#limits(options).signal);
  }

  /** Ends every call and watch, and closes all connections; resolves when they are let go. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#writes !== undefined) await this.#writes.close();
    this.#parts.writer.close();
    this.#parts.reader.close();
    for (const watch of [...this.#watches]) watch.fail(clientClosed());
    await this.#parts.connections.close();
    this.#parts.events.close();
  }

  async #write(
    type: Command['type'],
    input: unknown,
    build: (origin: CommandOrigin) => Command,
    options?: WriteOptions,
  ): Promise<Done> {
    const reply = await this.#submit(type, input, build, options);
    if (!isDone(reply)) throw otherReply(type);
    this.#parts.session.note(reply.revision);
    return reply;
  }

  #submit(
    type: Command['type'],
    input: unknown,
    build: (origin: CommandOrigin) => Command,
    options: WriteOptions = {},
  ): Promise<Fulfilled> {
    const { name, clock } = this.#options;
    try {
      asFields('request', type, input, undefined);
      const command = parseCommand(type, build(this.#origin));
      const limits = this.#limits(options);
      if (this.#isOffline()) return Promise.reject(offline());
      const session = options.idempotencyKey === undefined ? this.#writes : undefined;
      const reply =
        session === undefined
          ? this.#parts.writer.submit(encodeCommand(command, this.#keyOf(options)), limits)
          : session.submit(command, limits);
      return observed(name, type, clock, reply);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #submitAll(
    records: readonly Uint8Array[],
    limits: ReadLimits,
  ): Promise<readonly BatchReply[]> {
    const replies = await this.#parts.writer.submitAll(records, limits);
    for (const reply of replies) if (isDone(reply)) this.#parts.session.note(reply.revision);
    return replies;
  }

  get #origin(): CommandOrigin {
    return { actor: this.#options.name, observedAt: this.#options.clock.wall() };
  }

  #read<T extends { readonly revision: Revision }>(
    call: string,
    options: ReadOptions,
    questionFor: (consistency: Consistency) => Question<T>,
  ): Promise<T> {
    return this.#ask(call, options, (level, limits) => {
      const isBound = level === 'session';
      const { reader, session } = this.#parts;
      const question = session.watching(questionFor(isBound ? 'local' : level), isBound);
      return reader.ask(question, whomFor(level), limits);
    });
  }

  #ask<T>(
    call: string,
    options: ReadOptions,
    ask: (level: ReadConsistency, limits: ReadLimits) => Promise<T>,
  ): Promise<T> {
    try {
      const limits = this.#limits(options);
      const level = consistencyOf(options);
      if (whomFor(level) === 'leader' && this.#isOffline()) return Promise.reject(offline());
      const { name, clock } = this.#options;
      return observed(name, call, clock, ask(level, limits));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** With the queue switched off, looks for a leader all the same: the next call may find one. */
  #isOffline(): boolean {
    const { finder } = this.#parts;
    if (this.#options.offlineQueue || finder.current !== undefined) return false;
    if (this.#closing === undefined) finder.find().catch(() => {});
    return this.#closing === undefined;
  }

  #keyOf({ idempotencyKey: key }: WriteOptions, place = ''): Uint8Array {
    if (key === undefined) return this.#keys.next();
    return keyFromText(`${asLine('request', 'idempotencyKey', key, 1, TEXT_CHARS_MAX)}${place}`);
  }

  #limits(options: CallOptions): ReadLimits {
    return limitsOf(options, this.#options.timeoutMs);
  }

  #startWatch(request: WatchRequest): Watch {
    const watch: Watch = new Watch(request, {
      finder: this.#parts.finder,
      clock: this.#options.clock,
      prng: this.#parts.prng,
      items: this.#parts.watchItems,
      aborts: this.#parts.watchAborts,
      onEnd: () => this.#watches.delete(watch),
    });
    this.#watches.add(watch);
    if (this.#closing !== undefined) watch.fail(clientClosed());
    return watch;
  }
}

/** A replica answered what was not asked: it is of another version. */
const otherReply = (type: string): TocsinError =>
  new TocsinError('BODY_MALFORMED', `the reply is not one to ${type}`);

const parseFrom = (from: Revision): Revision =>
  revision(asWhole('request', 'from', from, 1, Number.MAX_SAFE_INTEGER));
