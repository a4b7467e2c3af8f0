import { assert } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import { TREND_WINDOW_MS, TREND_WINDOW_SAMPLES_MAX } from '../base/trend-limits.ts';
import { BitReader, BitWriter } from './bits.ts';
import { join, QUALITY_MAX, type Samples } from './samples.ts';
import { readValues, writeValues } from './value-codec.ts';

/**
 * The samples of one window as bytes, without loss: times as differences of differences (Pelkonen et al., VLDB 2015,
 * section 4.1.1), values as in value-codec.ts. The same samples always give the same bytes, so that replicas can compare
 * chunks by hash.
 */

const VERSION = 1;
const COUNT_BITS = 16;
const OFFSET_BITS = 16;
const QUALITY_BITS = 2;

/** Prefix 0: no change; 10, 110, 1110: a signed number of so many bits. The last one takes any two windows' difference. */
const SPANS = [0, 7, 12, 18] as const;

/** How much later than its device time a sample was received, in whole milliseconds; below zero: the device's clock is ahead. */
export interface Delays {
  readonly minMs: number;
  readonly maxMs: number;
}

/** What is kept of one series in one window. */
export interface Chunk {
  readonly samples: Samples;
  readonly delays: Delays;
}

/** Commutative, associative and idempotent, as `join` of samples is. */
export const joinChunks = (a: Chunk, b: Chunk): Chunk => ({
  samples: join(a.samples, b.samples),
  delays: {
    minMs: Math.min(a.delays.minMs, b.delays.minMs),
    maxMs: Math.max(a.delays.maxMs, b.delays.maxMs),
  },
});

const DELAY_BITS = 32;
const DELAY_MS_MAX = 2 ** (DELAY_BITS - 1) - 1;

/** As it will be written: whole, and within 24 days either way. */
export const toDelay = (ms: number): number =>
  Math.max(-DELAY_MS_MAX, Math.min(DELAY_MS_MAX, Math.round(ms) + 0));

/** `start` is the window's first millisecond; all times are within the window. */
export function encodeChunk({ samples, delays }: Chunk, start: number): Uint8Array {
  const { times, values, qualities } = samples;
  const count = times.length;
  assert(count >= 1 && count <= TREND_WINDOW_SAMPLES_MAX, `a chunk of ${count} samples`);
  const out = new BitWriter(32 + count * 2);
  out.write(VERSION, 8);
  out.write(count - 1, COUNT_BITS);
  out.write(delays.minMs, DELAY_BITS);
  out.write(delays.maxMs, DELAY_BITS);
  writeTimes(out, times, start);
  writeQualities(out, qualities);
  writeValues(out, writePresence(out, values));
  return out.finish();
}

/** @throws TocsinError DATA_CORRUPT */
export function decodeChunk(bytes: Uint8Array, start: number): Chunk {
  const bits = new BitReader(bytes);
  const version = bits.read(8);
  if (version !== VERSION) throw new TocsinError('DATA_CORRUPT', `chunk of version ${version}`);
  const count = bits.read(COUNT_BITS) + 1;
  const minMs = bits.read(DELAY_BITS) | 0;
  const maxMs = bits.read(DELAY_BITS) | 0;
  const times = readTimes(bits, count, start);
  const qualities = readQualities(bits, count);
  const values = readPresent(bits, count);
  return { samples: { times, values, qualities }, delays: { minMs, maxMs } };
}

/** How many samples a chunk holds, from its head alone. */
export const countOf = (bytes: Uint8Array): number =>
  bytes.byteLength < 3 ? 0 : (((bytes[1] as number) << 8) | (bytes[2] as number)) + 1;

function writeTimes(out: BitWriter, times: Float64Array, start: number): void {
  let before = (times[0] as number) - start;
  assert(before >= 0 && before < TREND_WINDOW_MS, `a time ${before} ms into the window`);
  out.write(before, OFFSET_BITS);
  let step = 0;
  for (let i = 1; i < times.length; i += 1) {
    const offset = (times[i] as number) - start;
    if (offset <= before) assert(false, `time ${offset} ms after ${before} ms in a window`);
    const change = offset - before - step;
    step = offset - before;
    before = offset;
    if (change === 0) {
      out.write(0, 1);
      continue;
    }
    const span = Math.abs(change) < 64 ? 1 : Math.abs(change) < 2048 ? 2 : 3;
    out.ones(span);
    if (span < SPANS.length - 1) out.write(0, 1);
    out.write(change, SPANS[span] as number);
  }
}

function readTimes(bits: BitReader, count: number, start: number): Float64Array {
  const times = new Float64Array(count);
  let offset = bits.read(OFFSET_BITS);
  let step = 0;
  for (let i = 0; i < count; i += 1) {
    if (i > 0) {
      const span = SPANS[bits.ones(SPANS.length - 1)] as number;
      if (span > 0) step += signed(bits.read(span), span);
      if (step <= 0) throw new TocsinError('DATA_CORRUPT', 'a chunk whose times do not grow');
      offset += step;
    }
    if (offset >= TREND_WINDOW_MS) throw new TocsinError('DATA_CORRUPT', 'a time after the window');
    times[i] = start + offset;
  }
  return times;
}

const signed = (value: number, bits: number): number =>
  value >= 2 ** (bits - 1) ? value - 2 ** bits : value;

/** The first one, then 0 for the same again and 1 before another. */
function writeQualities(out: BitWriter, qualities: Uint8Array): void {
  const first = qualities[0] as number;
  out.write(first, QUALITY_BITS);
  const isEven = qualities.every((quality) => quality === first);
  out.write(isEven ? 0 : 1, 1);
  if (isEven) return;
  let before = first;
  for (let i = 1; i < qualities.length; i += 1) {
    const quality = qualities[i] as number;
    assert(quality <= QUALITY_MAX, `quality ${quality}`);
    if (quality === before) out.write(0, 1);
    else {
      out.write(1, 1);
      out.write(quality, QUALITY_BITS);
    }
    before = quality;
  }
}

function readQualities(bits: BitReader, count: number): Uint8Array {
  const qualities = new Uint8Array(count);
  let quality = bits.read(QUALITY_BITS);
  const isEven = bits.read(1) === 0;
  for (let i = 0; i < count; i += 1) {
    if (i > 0 && !isEven && bits.read(1) === 1) quality = bits.read(QUALITY_BITS);
    qualities[i] = quality;
  }
  return qualities;
}

/** 0 = all values are there; 1 and a bit for each sample. Returns those that are there. */
function writePresence(out: BitWriter, values: Float64Array): Float64Array {
  const present = values.filter((value) => !Number.isNaN(value));
  const isWhole = present.length === values.length;
  out.write(isWhole ? 0 : 1, 1);
  if (!isWhole) for (const value of values) out.write(Number.isNaN(value) ? 0 : 1, 1);
  return present;
}

function readPresent(bits: BitReader, count: number): Float64Array {
  if (bits.read(1) === 0) return readValues(bits, count);
  const isPresent = Array.from({ length: count }, () => bits.read(1) === 1);
  const present = readValues(
    bits,
    isPresent.reduce((total, one) => total + (one ? 1 : 0), 0),
  );
  const values = new Float64Array(count).fill(Number.NaN);
  let at = 0;
  for (let i = 0; i < count; i += 1)
    if (isPresent[i]) {
      values[i] = present[at] as number;
      at += 1;
    }
  return values;
}
