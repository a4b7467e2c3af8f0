import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import type { TrendJournal } from '../../storage/trend/trend-journal.ts';
import type { Series, SeriesInfo } from '../../trend/series.ts';
import { readU64, writeU64 } from '../../wire/bytes.ts';
import { decodeRegister, encodeRegister } from '../../wire/trend/trend-messages.ts';
import { decodeSamples, type SampleBatch } from '../../wire/trend/trend-samples.ts';

const KIND_SERIES = 1;
const KIND_SAMPLES = 2;
/** When the samples after it were received: a u64, in milliseconds since 1970. */
const KIND_RECEIVED = 3;

/** Told what the journal holds, in the order in which it came. */
export interface Replayed {
  readonly received: (now: UnixMillis) => void;
  readonly series: (slot: number, info: SeriesInfo) => void;
  readonly samples: (batch: SampleBatch) => void;
}

/**
 * Samples in the journal, as they came. A segment stands for itself: it says whose they are before the first of a series,
 * and when they were received.
 */
export class SampleJournal {
  readonly #journal: TrendJournal;
  /** Counts the segments. */
  #segment = 1;
  /** By place: the segment that knows the series. */
  readonly #introduced: number[] = [];
  #receivedAt: UnixMillis | undefined;

  constructor(journal: TrendJournal) {
    this.#journal = journal;
  }

  /** What comes from now on lies in a new segment. */
  renew(): void {
    this.#segment += 1;
    this.#receivedAt = undefined;
  }

  knows(place: number): boolean {
    return this.#introduced[place] === this.#segment;
  }

  introduce({ place, info }: Series): void {
    this.#introduced[place] = this.#segment;
    this.#journal.append(KIND_SERIES, encodeRegister([{ slot: place, info }]));
  }

  /** A frame of samples of series that it knows. */
  append(receivedAt: UnixMillis, frame: Uint8Array): void {
    if (receivedAt !== this.#receivedAt) {
      this.#receivedAt = receivedAt;
      const body = new Uint8Array(8);
      writeU64(body, 0, receivedAt);
      this.#journal.append(KIND_RECEIVED, body);
    }
    this.#journal.append(KIND_SAMPLES, frame);
  }

  async replay({ received, series, samples }: Replayed): Promise<void> {
    for await (const { kind, body } of this.#journal.read()) {
      if (kind === KIND_RECEIVED) received(unixMillis(readU64(body, 0)));
      if (kind === KIND_SERIES)
        for (const { slot, info } of decodeRegister(body)) series(slot, info);
      if (kind === KIND_SAMPLES) samples(decodeSamples(body));
    }
  }
}
