import { type Chunk, decodeChunk, encodeChunk, joinChunks } from '../../trend/chunk.ts';
import { encodeRollups, rollUp } from '../../trend/rollup.ts';
import type { SketchMaker } from '../../trend/sketch.ts';
import type { Latest } from '../../trend/store.ts';
import { encodeSummary, summaryOf } from './minute-record.ts';

/** A window that is to be written: what is known of it, as it was encoded before and as it lies in memory. */
export interface PressTask {
  readonly start: number;
  readonly encoded: readonly Uint8Array[];
  /** Given away: its arrays may be of no use to the caller afterwards. */
  readonly held?: Chunk | undefined;
}

/** The same joined, and what is kept of it, as bytes. */
export interface Pressed {
  readonly chunk: Uint8Array;
  readonly seconds: Uint8Array;
  readonly minute: Uint8Array;
  readonly latest: Latest | undefined;
}

/**
 * Where windows become bytes. It takes milliseconds for a window of a fast signal, in which nothing can be judged, so a
 * running tier does it in a thread of its own.
 */
export interface ChunkPress {
  /** @throws TocsinError DATA_CORRUPT when something encoded is no chunk of this window */
  press(task: PressTask): Promise<Pressed>;
}

/** @throws TocsinError DATA_CORRUPT */
export function pressWindow({ start, encoded, held }: PressTask, sketches: SketchMaker): Pressed {
  const chunks = encoded.map((bytes) => decodeChunk(bytes, start));
  if (held !== undefined) chunks.push(held);
  const whole = chunks.reduce(joinChunks);
  const { samples } = whole;
  return {
    chunk: encodeChunk(whole, start),
    seconds: encodeRollups(rollUp(samples, 1_000), start),
    minute: encodeSummary(summaryOf(samples, sketches), start),
    latest: latestOf(whole),
  };
}

/** The last sample of a chunk; it was received by then at the latest. */
export function latestOf({ samples, delays }: Chunk): Latest | undefined {
  const at = samples.times.length - 1;
  const time = samples.times[at];
  if (time === undefined) return undefined;
  const [value, quality] = [samples.values[at] as number, samples.qualities[at] as number];
  return { time, value, quality, receivedAt: time + delays.maxMs };
}

/** Does it at once, where it is called. */
export class InlinePress implements ChunkPress {
  readonly #sketches: SketchMaker;

  constructor(sketches: SketchMaker) {
    this.#sketches = sketches;
  }

  async press(task: PressTask): Promise<Pressed> {
    return pressWindow(task, this.#sketches);
  }
}
