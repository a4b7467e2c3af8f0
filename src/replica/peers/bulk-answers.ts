import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import type { LogIndex, Millis } from '../../base/ids.ts';
import { BULK_ANSWER_MS_MAX, LOG_READ_BYTES_MAX } from '../../base/limits.ts';
import type { LogStore, SnapshotMeta } from '../../storage/types.ts';
import { FrameType } from '../../wire/frame.ts';
import { encodeSnapshotMeta } from '../../wire/log/snapshot-meta.ts';
import {
  decodeRepairFetch,
  decodeSnapshotFetch,
  encodeRepairAnswer,
  type SnapshotFetch,
} from '../../wire/peers/bulk-messages.ts';

/** Answers what peers ask on the bulk lane, from what is on this disk. */
export class BulkAnswers {
  readonly #store: LogStore;
  readonly #clock: Clock;
  /** Told of a snapshot that is asked for, reaches this entry, and is not here. */
  readonly #lacking: (reaching: LogIndex) => void;
  /** Snapshots that somebody has asked for, by id. */
  readonly #wanted: Map<string, { readonly index: LogIndex; readonly at: Millis }> = new Map();

  constructor(store: LogStore, clock: Clock, lacking: (reaching: LogIndex) => void = () => {}) {
    this.#store = store;
    this.#clock = clock;
    this.#lacking = lacking;
  }

  /** Where the log must go on for those who are fetching a snapshot; undefined = nobody is. */
  get fetchedFrom(): LogIndex | undefined {
    let lowest: LogIndex | undefined;
    for (const [id, { index, at }] of this.#wanted)
      if (this.#clock.monotonic() - at > BULK_ANSWER_MS_MAX) this.#wanted.delete(id);
      else if (lowest === undefined || index < lowest) lowest = index;
    return lowest;
  }

  /** @throws TocsinError, which the peer is told */
  async answer(type: FrameType, body: Uint8Array): Promise<readonly Uint8Array[]> {
    switch (type) {
      case FrameType.SNAPSHOT_FETCH:
        return [await this.#snapshot(decodeSnapshotFetch(body))];
      case FrameType.REPAIR_FETCH: {
        const found = await this.#store.lookUp(decodeRepairFetch(body), LOG_READ_BYTES_MAX);
        return encodeRepairAnswer(found);
      }
      default:
        throw new TocsinError('FRAME_UNKNOWN_TYPE', `nothing answers frames of type ${type}`);
    }
  }

  async #snapshot(fetch: SnapshotFetch): Promise<Uint8Array> {
    const { snapshots } = this.#store;
    const meta =
      fetch.what === 'newest'
        ? snapshots.list[0]
        : snapshots.list.find(({ id }) => id === fetch.id);
    const isShort = fetch.what === 'newest' && (meta?.index ?? 0) < fetch.reaching;
    if (isShort) this.#lacking(fetch.reaching);
    if (meta === undefined || isShort)
      throw new TocsinError('DATA_MISSING', 'there is no such snapshot here');
    return await this.#partOf(meta, fetch.what === 'newest' ? undefined : fetch.chunk);
  }

  /**
   * A chunk of a snapshot, or what it says of itself, for an operator who keeps it elsewhere.
   * @throws TocsinError DATA_MISSING, DATA_CORRUPT, BAD_REQUEST
   */
  async part(id: string, chunk: number | undefined): Promise<Uint8Array> {
    const meta = this.#store.snapshots.list.find((each) => each.id === id);
    if (meta === undefined) throw new TocsinError('DATA_MISSING', `no snapshot ${id} is here`);
    return await this.#partOf(meta, chunk);
  }

  async #partOf(meta: SnapshotMeta, chunk: number | undefined): Promise<Uint8Array> {
    this.#wanted.set(meta.id, { index: meta.index, at: this.#clock.monotonic() });
    if (chunk === undefined) return encodeSnapshotMeta(meta);
    if (chunk >= meta.chunks.length)
      throw new TocsinError('BAD_REQUEST', `snapshot ${meta.id} has no chunk ${chunk}`);
    return await this.#store.snapshots.readChunk(meta.id, chunk);
  }
}
