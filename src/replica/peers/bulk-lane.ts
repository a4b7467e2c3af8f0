import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, type GroupId, millis, type ReplicaId } from '../../base/ids.ts';
import { BULK_ANSWER_MS_MAX, BULK_IDLE_MS_MAX, BULK_REQUESTS_MAX } from '../../base/limits.ts';
import type { Channel, Transport } from '../../transport/types.ts';
import { decodeFail, encodeFail } from '../../wire/clients/client-messages.ts';
import { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';

export interface BulkLaneParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly self: Hello;
  readonly addressOf: (peer: ReplicaId) => string | undefined;
}

/**
 * Asks peers for what is large: snapshots and entries to repair a log with. Over connections of their own, so that no
 * heartbeat waits behind a megabyte; dialled when there is something to ask, closed when there no longer is.
 */
export class BulkLane {
  readonly #parts: BulkLaneParts;
  readonly #lines: Map<ReplicaId, Line> = new Map();
  #closed = false;

  constructor(parts: BulkLaneParts) {
    this.#parts = parts;
  }

  /**
   * The body of the peer's answer.
   * @throws TocsinError UNAVAILABLE: the peer says why it has none; CONNECTION_LOST, DEADLINE_EXCEEDED, OVERLOADED, CLOSED,
   * WRONG_REPLICA, BODY_MALFORMED, FRAME_UNKNOWN_TYPE. Never a code that is about a disk: that would be taken for this one's
   */
  async ask(peer: ReplicaId, type: FrameType, body: readonly Uint8Array[]): Promise<Uint8Array> {
    if (this.#closed) throw closed();
    const address = this.#parts.addressOf(peer);
    if (address === undefined)
      throw new TocsinError('WRONG_REPLICA', `replica ${peer} is not a member`);
    let line = this.#lines.get(peer);
    if (line === undefined) {
      line = new Line(this.#parts, peer, address, () => this.#lines.delete(peer));
      this.#lines.set(peer, line);
    }
    return await line.ask(type, body);
  }

  close(): void {
    this.#closed = true;
    for (const line of [...this.#lines.values()]) line.end(closed());
  }
}

interface Waiting {
  resolve(body: Uint8Array): void;
  reject(error: TocsinError): void;
  readonly timer: Timer;
}

/** One connection to one peer, from the first request to the last answer and a while longer. */
class Line {
  readonly #clock: Clock;
  readonly #gone: () => void;
  readonly #abort = new AbortController();
  readonly #opening: Promise<Channel>;
  readonly #waiting: Map<number, Waiting> = new Map();
  #channel: Channel | undefined;
  #idle: Timer | undefined;
  #asked = 0;
  #ended: TocsinError | undefined;

  constructor(parts: BulkLaneParts, peer: ReplicaId, address: string, gone: () => void) {
    const { transport, clock, self } = parts;
    this.#clock = clock;
    this.#gone = gone;
    const hello: Hello = { ...self, lane: 'bulk' };
    const expect = { clusterId: self.clusterId, replicaId: peer };
    this.#opening = transport.dial(address, hello, this.#abort.signal, expect);
    this.#opening.then(
      (channel) => this.#opened(channel),
      (error: unknown) => this.end(asLost(error)),
    );
  }

  async ask(type: FrameType, body: readonly Uint8Array[]): Promise<Uint8Array> {
    if (this.#waiting.size >= BULK_REQUESTS_MAX)
      throw new TocsinError('OVERLOADED', `${BULK_REQUESTS_MAX} requests wait for this peer`);
    this.#idle?.cancel();
    this.#asked += 1;
    const id = this.#asked;
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      const late = new TocsinError('DEADLINE_EXCEEDED', 'the peer does not answer');
      const timer = this.#clock.after(millis(BULK_ANSWER_MS_MAX), () => this.end(late));
      this.#waiting.set(id, { resolve, reject, timer });
    });
    // A line that cannot be opened ends, and rejects the answer.
    this.#opening.then(
      (channel) => {
        if (this.#ended === undefined && !channel.send(type, ALERTS_GROUP, id, body))
          this.end(new TocsinError('CONNECTION_LOST', 'the request could not be sent'));
      },
      () => {},
    );
    return await answer;
  }

  end(reason: TocsinError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#gone();
    this.#abort.abort();
    this.#idle?.cancel();
    this.#channel?.close();
    for (const { reject, timer } of this.#waiting.values()) {
      timer.cancel();
      reject(reason);
    }
    this.#waiting.clear();
  }

  #opened(channel: Channel): void {
    if (this.#ended !== undefined) {
      channel.close();
      return;
    }
    this.#channel = channel;
    channel.onFrame = (type, group, id, body) => this.#take(type, group, id, body);
    channel.onClose = (reason) => this.end(asLost(reason));
  }

  #take(type: FrameType, group: GroupId, id: number, body: Uint8Array): void {
    if (type === FrameType.PONG) return;
    try {
      mustBeOurs(group);
      if (type === FrameType.ANSWER) this.#settle(id)?.resolve(body);
      else if (type === FrameType.FAIL) this.#settle(id)?.reject(asTold(decodeFail(body)));
      else throw new TocsinError('FRAME_UNKNOWN_TYPE', `no answer has frames of type ${type}`);
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.end(error);
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    if (this.#waiting.size === 0)
      this.#idle = this.#clock.after(millis(BULK_IDLE_MS_MAX), () => this.end(closed()));
    return waiting;
  }
}

/** Answers one request of a peer, from this replica's own disk. @throws TocsinError, which the peer is told */
export type BulkAnswer = (type: FrameType, body: Uint8Array) => Promise<readonly Uint8Array[]>;

/** Answers a peer's requests on its bulk connection, each with ANSWER or FAIL. `diskFailed` hears of it after the peer. */
export function serveBulk(
  channel: Channel,
  answer: BulkAnswer,
  diskFailed: (error: TocsinError) => void,
): void {
  let underWay = 0;
  const send = (type: FrameType, id: number, body: readonly Uint8Array[]): void => {
    if (!channel.send(type, ALERTS_GROUP, id, body)) channel.close();
  };
  const fail = (id: number, error: unknown): void => {
    if (!TocsinError.is(error)) throw error;
    send(FrameType.FAIL, id, [encodeFail(error)]);
    if (error.code === 'DISK_FAILED') diskFailed(error);
  };
  const take = async (type: FrameType, group: GroupId, id: number, body: Uint8Array) => {
    try {
      mustBeOurs(group);
      if (underWay >= BULK_REQUESTS_MAX)
        throw new TocsinError('OVERLOADED', `${BULK_REQUESTS_MAX} requests are under way`);
      underWay += 1;
      try {
        send(FrameType.ANSWER, id, await answer(type, body));
      } finally {
        underWay -= 1;
      }
    } catch (error) {
      fail(id, error);
    }
  };
  channel.onFrame = (type, group, id, body) => {
    if (type !== FrameType.PONG) void take(type, group, id, body);
  };
}

/** @throws TocsinError BODY_MALFORMED */
export function mustBeOurs(group: GroupId): void {
  if (group !== ALERTS_GROUP) throw new TocsinError('BODY_MALFORMED', `there is no group ${group}`);
}

const closed = (): TocsinError => new TocsinError('CLOSED', 'the connection was closed');

const asTold = (error: TocsinError): TocsinError =>
  new TocsinError('UNAVAILABLE', `it says ${error.code}: ${error.message}`, { cause: error });

/** Whoever refuses a connection says why, too. */
const asLost = (error: unknown): TocsinError => {
  if (TocsinError.is(error) && error.code === 'CONNECTION_LOST') return error;
  const why = TocsinError.is(error) ? `${error.code}: ${error.message}` : String(error);
  return new TocsinError('CONNECTION_LOST', `the peer is gone: ${why}`, { cause: error });
};
