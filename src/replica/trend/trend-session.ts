import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP } from '../../base/ids.ts';
import {
  TREND_CHUNKS_BYTES_MAX,
  TREND_CREDIT_SAMPLES,
  TREND_DIGEST_PAGE,
} from '../../base/trend-limits.ts';
import type { Channel } from '../../transport/types.ts';
import { encodeFail } from '../../wire/clients/client-messages.ts';
import { FrameType } from '../../wire/frame.ts';
import {
  decodeChunkQuestion,
  decodeDigestQuestion,
  decodeRegister,
  encodeCredit,
  encodeHeldWindows,
  encodeSeriesDigests,
  type HeldWindows,
} from '../../wire/trend/trend-messages.ts';
import {
  decodeTrendQuery,
  encodeChunks,
  encodeTrendResult,
  type HeldChunk,
} from '../../wire/trend/trend-query.ts';
import {
  decodeSamples,
  encodeTaken,
  type FrameRoom,
  type SampleBatch,
  type Taken,
} from '../../wire/trend/trend-samples.ts';
import type { TrendKeeper } from './keeper.ts';
import { keyOf } from './keys.ts';
import type { TrendQueries } from './queries.ts';
import { settledBefore } from './reconciler.ts';

/** Takes the time of each frame of samples, from its bytes to the last rule. */
export interface FrameMeter {
  begin(): void;
  end(samples: number): void;
}

/** What a session needs of the replica. */
export interface SessionHost {
  readonly keeper: TrendKeeper;
  readonly queries: TrendQueries;
  readonly room: FrameRoom;
  now(): number;
  /** Keeps and judges samples whose slots are places. */
  take(batch: SampleBatch, isFromPeer: boolean): Taken;
  /** Passes them on to the peers. */
  forward(batch: SampleBatch): void;
  readonly meter?: FrameMeter | undefined;
}

const NO_PLACE = -1;

/** One connection to the trend tier: a client's, or a peer's. */
export class TrendSession {
  readonly #channel: Channel;
  readonly #host: SessionHost;
  readonly #isPeer: boolean;
  /** By slot of this connection: the place in the registry. */
  #places = new Int32Array(256).fill(NO_PLACE);
  /** Samples whose sender has not been told yet what became of them. */
  #owed = 0;

  constructor(channel: Channel, host: SessionHost) {
    this.#channel = channel;
    this.#host = host;
    this.#isPeer = channel.remote.role === 'peer';
    channel.onFrame = (type, _group, id, body) => this.#take(type, id, body);
  }

  #take(type: FrameType, id: number, body: Uint8Array): void {
    try {
      switch (type) {
        case FrameType.TREND_SAMPLES:
          this.#samples(id, body);
          return;
        case FrameType.TREND_REGISTER:
          this.#register(id, body);
          return;
        case FrameType.PONG:
        case FrameType.CANCEL:
          return;
        default:
          void this.#answer(type, id, body);
      }
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #register(id: number, body: Uint8Array): void {
    for (const { slot, info } of decodeRegister(body)) {
      const { place } = this.#host.keeper.register(info);
      if (slot >= this.#places.length) this.#makeRoom(slot);
      this.#places[slot] = place;
    }
    if (id !== 0) this.#send(FrameType.ANSWER, id, [encodeCredit(TREND_CREDIT_SAMPLES)]);
  }

  #makeRoom(slot: number): void {
    const places = new Int32Array(Math.max(slot + 1, this.#places.length * 2)).fill(NO_PLACE);
    places.set(this.#places);
    this.#places = places;
  }

  #samples(id: number, body: Uint8Array): void {
    const { meter } = this.#host;
    meter?.begin();
    // What a peer sent is passed on to nobody: nothing of the frame is kept.
    const batch = decodeSamples(body, this.#isPeer ? this.#host.room : undefined);
    const { slots, count } = batch;
    for (let i = 0; i < slots.length; i += 1) {
      const place = this.#places[slots[i] as number] ?? NO_PLACE;
      if (place === NO_PLACE)
        throw new TocsinError('BAD_REQUEST', `slot ${slots[i]} was never registered`);
      slots[i] = place;
    }
    this.#owed += count;
    if (!this.#isPeer && this.#owed > TREND_CREDIT_SAMPLES)
      throw new TocsinError('OVERLOADED', `more than ${TREND_CREDIT_SAMPLES} samples on their way`);
    const taken = this.#host.take(batch, this.#isPeer);
    meter?.end(count);
    if (!this.#isPeer) this.#host.forward(batch);
    // The sender is held up by being told later: its credit is what it has not been told of.
    void this.#host.keeper.whenRoom().then(() => {
      this.#owed -= count;
      if (id !== 0) this.#send(FrameType.TREND_TAKEN, id, [encodeTaken(taken)]);
    });
  }

  async #answer(type: FrameType, id: number, body: Uint8Array): Promise<void> {
    try {
      switch (type) {
        case FrameType.TREND_QUERY: {
          const result = await this.#host.queries.answer(decodeTrendQuery(body));
          this.#send(FrameType.TREND_RESULT, id, encodeTrendResult(result));
          return;
        }
        case FrameType.TREND_DIGESTS:
          this.#send(FrameType.ANSWER, id, [await this.#digests(body)]);
          return;
        case FrameType.TREND_CHUNKS:
          this.#send(FrameType.TREND_RESULT, id, encodeChunks(await this.#chunks(body)));
          return;
        default:
          throw new TocsinError('BODY_MALFORMED', `a frame of type ${type} on the port of trends`);
      }
    } catch (error) {
      this.#fail(id, error);
    }
  }

  async #digests(body: Uint8Array): Promise<Uint8Array> {
    const { keeper } = this.#host;
    const question = decodeDigestQuestion(body);
    const { hour } = question;
    const digests = keeper.digests[question.level];
    const before = settledBefore(this.#host.now());
    if ('after' in question) {
      const all = [...(await digests.ofSeries(hour, before))]
        .filter(([series]) => series > question.after)
        .sort(([a], [b]) => a - b);
      const page = all.slice(0, TREND_DIGEST_PAGE);
      return encodeSeriesDigests(page.map(([series, digest]) => ({ series, digest })));
    }
    const held: HeldWindows[] = [];
    for (const id of question.series) {
      const series = keeper.registry.withId(id);
      if (series === undefined) continue;
      const windows = await digests.ofWindows(hour, id, before);
      held.push({ series: id, info: series.info, windows });
    }
    return encodeHeldWindows(held);
  }

  async #chunks(body: Uint8Array): Promise<readonly HeldChunk[]> {
    const { level, refs } = decodeChunkQuestion(body);
    const keys = refs.map(({ series, start }) => keyOf(level, series, start));
    const values = await this.#host.keeper.disk.getMany(keys);
    const held: HeldChunk[] = [];
    let total = 0;
    for (const [at, { series, start }] of refs.entries()) {
      const bytes = values[at];
      if (bytes === undefined) continue;
      total += bytes.byteLength;
      if (total > TREND_CHUNKS_BYTES_MAX && held.length > 0) break;
      held.push({ series, start, bytes });
    }
    return held;
  }

  #send(type: FrameType, id: number, body: readonly Uint8Array[]): void {
    if (!this.#channel.send(type, ALERTS_GROUP, id, body))
      this.#channel.close(new TocsinError('OVERLOADED', 'answers are not taken'));
  }

  /** What is wrong with one request is told; bytes that make no sense end the connection. */
  #fail(id: number, error: unknown): void {
    if (!TocsinError.is(error)) throw error;
    if (error.code === 'BODY_MALFORMED' || id === 0) this.#channel.close(error);
    else this.#send(FrameType.FAIL, id, [encodeFail(error)]);
  }
}
