import type { ReplicaId } from '../base/ids.ts';
import type { CallOptions } from '../statemachine/alert-api.ts';
import {
  type AdminRequest,
  type ChangeReport,
  decodeChangeReport,
  decodeSnapshotReport,
  encodeAdminRequest,
  type MemberChange,
  type SnapshotReport,
} from '../wire/clients/admin-messages.ts';
import { decodeEmpty } from '../wire/clients/client-messages.ts';
import { FrameType } from '../wire/frame.ts';
import type { Connections } from './connection/connections.ts';
import type { Question, ReadLimits } from './read-call.ts';
import type { Reader } from './reader.ts';

export interface ChangeOptions extends CallOptions {
  /** Only say what it would do to the quorum. @defaultValue false */
  readonly dryRun?: boolean;
}

/**
 * What operators do to a cluster. Everything here can be repeated: a change that is done already is reported as
 * `unchanged`.
 */
export class Operator {
  readonly #reader: Reader;
  readonly #connections: Connections;
  readonly #limits: (options: CallOptions) => ReadLimits;

  constructor(
    reader: Reader,
    connections: Connections,
    limits: (options: CallOptions) => ReadLimits,
  ) {
    this.#reader = reader;
    this.#connections = connections;
    this.#limits = limits;
  }

  /**
   * Changes who takes part, or says what the change would do. Resolves when it is committed.
   * @throws TocsinError CHANGE_REFUSED (it makes no sense), OUTCOME_UNKNOWN, UNAVAILABLE
   * @example const { before, after } = await operator.change({ op: 'remove', id }, { dryRun: true });
   */
  async change(change: MemberChange, options: ChangeOptions = {}): Promise<ChangeReport> {
    const limits = this.#limits(options);
    const request = { act: 'change', change, dryRun: options.dryRun ?? false } as const;
    return await this.#reader.ask(questionOf(request, decodeChangeReport), 'leader', limits);
  }

  /**
   * Asks the leader to hand over, to `to` or to whoever can take over best. Resolves when it has been told to.
   * @throws TocsinError CHANGE_REFUSED: `to` has no vote, or no other voter would take over; UNAVAILABLE
   * @example await operator.transfer(replicaId(2));
   */
  async transfer(to: ReplicaId | undefined, options: CallOptions = {}): Promise<void> {
    const question = questionOf({ act: 'transfer', to }, decodeEmpty);
    await this.#reader.ask(question, 'leader', this.#limits(options));
  }

  /**
   * Has the replica at this multiaddr hand over if it leads, and lead no more unless nobody else can, until it is told
   * otherwise or started again: it is to be stopped.
   * @throws TocsinError CHANGE_REFUSED: it leads, and nobody could take over
   * @example await operator.drain('/ip4/10.0.0.3/tcp/7400');
   */
  async drain(
    endpoint: string,
    options: CallOptions & { readonly undo?: boolean } = {},
  ): Promise<void> {
    const limits = this.#limits(options);
    const question = questionOf({ act: 'rest', on: options.undo !== true }, decodeEmpty);
    await this.#reader.askOne(question, () => this.#connections.to(endpoint), limits);
  }

  /**
   * Has the replica at this multiaddr take a snapshot; resolves when its newest state is in one.
   * @throws TocsinError DATA_MISSING: nothing is applied yet; DISK_FULL, UNAVAILABLE
   * @example const { id, bytes, chunks } = await operator.snapshot('/ip4/10.0.0.3/tcp/7400');
   */
  async snapshot(endpoint: string, options: CallOptions = {}): Promise<SnapshotReport> {
    const question = questionOf({ act: 'snapshot' }, decodeSnapshotReport);
    const connect = () => this.#connections.to(endpoint);
    return await this.#reader.askOne(question, connect, this.#limits(options));
  }

  /**
   * A chunk of a snapshot that the replica at this multiaddr has, or, without `chunk`, what the snapshot says of itself.
   * @throws TocsinError DATA_MISSING: it is there no more; BAD_REQUEST, UNAVAILABLE
   */
  async snapshotPart(
    endpoint: string,
    id: string,
    chunk: number | undefined,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const question = questionOf({ act: 'snapshot-part', id, chunk }, (body) => body.slice());
    const connect = () => this.#connections.to(endpoint);
    return await this.#reader.askOne(question, connect, this.#limits(options));
  }
}

const questionOf = <T>(request: AdminRequest, decode: (body: Uint8Array) => T): Question<T> => ({
  type: FrameType.ADMIN,
  body: [encodeAdminRequest(request)],
  decode,
});
