import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, millis, type ReplicaId } from '../../base/ids.ts';
import { RECONNECT_MS_MAX, RECONNECT_MS_MIN } from '../../base/limits.ts';
import { TREND_FORWARD_BYTES_MAX, TREND_FRAME_SERIES_MAX } from '../../base/trend-limits.ts';
import type { Channel, Transport } from '../../transport/types.ts';
import type { SeriesRegistry } from '../../trend/series.ts';
import { decodeFail } from '../../wire/clients/client-messages.ts';
import { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';
import { encodeRegister } from '../../wire/trend/trend-messages.ts';
import type { SampleBatch } from '../../wire/trend/trend-samples.ts';

export interface PeerLinkOptions {
  readonly peer: ReplicaId;
  /** Undefined = not known: it is not dialled. */
  readonly address: string | undefined;
  readonly self: Hello;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly registry: SeriesRegistry;
}

interface Waiter {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: TocsinError) => void;
}

/** Samples are sent and not asked after; whatever is lost on the way is found by anti-entropy. */
const UNASKED = 0;

/**
 * The connection of this replica to another one's trend tier: dialled again and again, each series registered once on it.
 */
export class PeerLink {
  readonly peer: ReplicaId;
  /** Samples that were not forwarded, because the peer was away or slow. */
  leftOut = 0;
  readonly #options: PeerLinkOptions;
  readonly #abort = new AbortController();
  readonly #waiters: Map<number, Waiter> = new Map();
  #channel: Channel | undefined;
  /** By place: registered on the connection of this number. */
  readonly #registered: number[] = [];
  #connection = 0;
  #nextId = 1;
  #pauseMs = RECONNECT_MS_MIN;
  #retry: Timer | undefined;
  #dialling: Promise<void> | undefined;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.peer = options.peer;
  }

  get address(): string | undefined {
    return this.#options.address;
  }

  get isOpen(): boolean {
    return this.#channel !== undefined;
  }

  start(): void {
    this.#dialling = this.#dial();
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#retry?.cancel();
    this.#channel?.close();
    this.#lose();
    await this.#dialling;
  }

  /** Passes samples on, whose slots are places, if the peer takes them now. */
  forward(batch: SampleBatch): void {
    const channel = this.#channel;
    if (channel === undefined || channel.queuedBytes > TREND_FORWARD_BYTES_MAX) {
      this.leftOut += batch.count;
      return;
    }
    this.#introduce(channel, batch);
    if (!channel.send(FrameType.TREND_SAMPLES, ALERTS_GROUP, UNASKED, [batch.bytes]))
      this.leftOut += batch.count;
  }

  /**
   * Asks, and resolves with the body of the answer.
   * @throws TocsinError CONNECTION_LOST, or what the peer said
   */
  ask(type: FrameType, body: Uint8Array): Promise<Uint8Array> {
    const channel = this.#channel;
    const id = this.#nextId;
    if (channel === undefined || !channel.send(type, ALERTS_GROUP, id, [body]))
      return Promise.reject(lost(this.peer));
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
    });
  }

  #introduce(channel: Channel, { slots }: SampleBatch): void {
    const fresh = new Set<number>();
    for (const place of slots)
      if (this.#registered[place] !== this.#connection) {
        this.#registered[place] = this.#connection;
        fresh.add(place);
      }
    const all = [...fresh].flatMap((slot) => {
      const series = this.#options.registry.at(slot);
      return series === undefined ? [] : [{ slot, info: series.info }];
    });
    for (let at = 0; at < all.length; at += TREND_FRAME_SERIES_MAX) {
      const body = encodeRegister(all.slice(at, at + TREND_FRAME_SERIES_MAX));
      channel.send(FrameType.TREND_REGISTER, ALERTS_GROUP, UNASKED, [body]);
    }
  }

  async #dial(): Promise<void> {
    const { transport, address, self, peer } = this.#options;
    const { signal } = this.#abort;
    if (address === undefined) return;
    try {
      const expected = { clusterId: self.clusterId, replicaId: peer };
      const channel = await transport.dial(address, self, signal, expected);
      if (signal.aborted) channel.close();
      else this.#use(channel);
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.#again();
    }
  }

  #use(channel: Channel): void {
    this.#connection += 1;
    this.#channel = channel;
    this.#pauseMs = RECONNECT_MS_MIN;
    channel.onFrame = (type, _group, id, body) => {
      const waiter = this.#waiters.get(id);
      if (waiter === undefined) return;
      this.#waiters.delete(id);
      if (type === FrameType.FAIL) waiter.reject(decodeFail(body));
      else waiter.resolve(body);
    };
    channel.onClose = () => {
      if (this.#channel === channel) this.#lose();
      this.#again();
    };
  }

  #lose(): void {
    this.#channel = undefined;
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const { reject } of waiters) reject(lost(this.peer));
  }

  #again(): void {
    if (this.#abort.signal.aborted) return;
    this.#retry = this.#options.clock.after(millis(this.#pauseMs), () => this.start());
    this.#pauseMs = Math.min(this.#pauseMs * 2, RECONNECT_MS_MAX);
  }
}

const lost = (peer: ReplicaId): TocsinError =>
  new TocsinError('CONNECTION_LOST', `no connection to the trends of replica ${peer}`);
