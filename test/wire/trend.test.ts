import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { TREND_FRAME_SAMPLES_MAX } from '../../src/base/trend-limits.ts';
import {
  COMPARED_LEVELS,
  decodeChunkQuestion,
  decodeCredit,
  decodeDigestQuestion,
  decodeHeldWindows,
  decodeRegister,
  decodeSeriesDigests,
  encodeChunkQuestion,
  encodeCredit,
  encodeDigestQuestion,
  encodeHeldWindows,
  encodeRegister,
  encodeSeriesDigests,
} from '../../src/wire/trend/trend-messages.ts';
import {
  decodeChunks,
  decodeTrendQuery,
  decodeTrendResult,
  encodeChunks,
  encodeTrendQuery,
  encodeTrendResult,
  parseTrendQuery,
  type TrendQuery,
} from '../../src/wire/trend/trend-query.ts';
import {
  BatchBuilder,
  decodeSamples,
  decodeTaken,
  encodeTaken,
} from '../../src/wire/trend/trend-samples.ts';

const BASE = 1_772_334_245_000;
const id = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const name = fc.string({
  minLength: 1,
  maxLength: 12,
  unit: fc.constantFrom('a', 'Z', '0', '-', '/', 'é'),
});
const info = fc.record({ patient: name, device: name, metric: name, unit: name });
const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

const sample = fc.record({
  slot: fc.nat(1_000),
  time: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((offset) => BASE + offset),
  value: fc.oneof(fc.double({ noDefaultInfinity: true }), fc.constant(Number.NaN)),
  quality: fc.nat(3),
});

describe('a frame of samples', () => {
  it('comes back as it was, from wherever it lies in a chunk of the stream', () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 700 }), fc.nat(7), (all, shift) => {
        const builder = new BatchBuilder();
        for (const { slot, time, value, quality } of all)
          expect(builder.add(slot, time, value, quality)).toBe(true);
        const body = builder.take();
        const moved = new Uint8Array(body.byteLength + shift);
        moved.set(body, shift);
        const { base, slots, values, offsets, qualities, count } = decodeSamples(
          moved.subarray(shift),
        );
        const rows = Array.from({ length: count }, (_, at) => ({
          slot: slots[at],
          time: base + (offsets[at] as number),
          value: values[at],
          quality: qualities[at],
        }));
        expect(rows).toEqual(all.map((one) => ({ ...one, value: one.value + 0 })));
        expect(builder.count).toBe(0);
      }),
    );
  });

  it('is full at its limit, and refuses a time too far from its first', () => {
    const builder = new BatchBuilder();
    expect(builder.add(0, BASE, 1, 0)).toBe(true);
    expect(builder.add(0, BASE + 2 ** 31, 1, 0)).toBe(false);
    for (let at = 1; at < TREND_FRAME_SAMPLES_MAX; at += 1) builder.add(0, BASE, 1, 0);
    expect(builder.add(0, BASE, 1, 0)).toBe(false);
    expect(decodeSamples(builder.take()).count).toBe(TREND_FRAME_SAMPLES_MAX);
  });

  it.each([
    [
      'an infinite value',
      (body: Uint8Array) => new DataView(body.buffer).setFloat64(16, Infinity, true),
    ],
    ['a quality nobody knows', (body: Uint8Array) => body.fill(4, body.length - 1)],
    [
      'a base that is no time',
      (body: Uint8Array) => new DataView(body.buffer).setFloat64(8, 0.5, true),
    ],
    ['a time before 1970', (body: Uint8Array) => new DataView(body.buffer).setInt32(28, -1, true)],
    ['a count that is not what follows', (body: Uint8Array) => body.fill(2, 0, 1)],
    ['a count above the limit', (body: Uint8Array) => body.fill(255, 0, 4)],
    ['a field that must be zero', (body: Uint8Array) => body.fill(1, 4, 5)],
  ])('with %s is malformed', (what, damage) => {
    const builder = new BatchBuilder();
    builder.add(0, what === 'a time before 1970' ? 0 : BASE, 1, 0);
    const body = builder.take();
    damage(body);
    expect(() => decodeSamples(body)).toThrow(expect.objectContaining({ code: 'BODY_MALFORMED' }));
  });

  it('is answered by what became of each', () => {
    const taken = { inOrder: 1, behind: 2, tooOld: 3, tooNew: 4, noRoom: 4_000_000_000 };
    expect(decodeTaken(encodeTaken(taken))).toEqual(taken);
    expect(() => decodeTaken(new Uint8Array(19))).toThrow(TocsinError);
  });
});

describe('the messages of the trend tier', () => {
  it('come back as they were', () => {
    const registration = fc.record({ slot: fc.nat(262_143), info });
    const windows = fc.array(fc.record({ start: id, digest: id }), { maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(registration, { maxLength: 20 }),
        fc.array(fc.record({ series: id, digest: id }), { maxLength: 20 }),
        fc.array(fc.record({ series: id, info, windows }), { maxLength: 5 }),
        fc.array(fc.record({ series: id, start: id }), { maxLength: 20 }),
        (registrations, digests, held, refs) => {
          expect(decodeRegister(encodeRegister(registrations))).toEqual(registrations);
          expect(decodeSeriesDigests(encodeSeriesDigests(digests))).toEqual(digests);
          expect(decodeHeldWindows(encodeHeldWindows(held))).toEqual(held);
          for (const level of COMPARED_LEVELS)
            expect(decodeChunkQuestion(encodeChunkQuestion({ level, refs }))).toEqual({
              level,
              refs,
            });
        },
      ),
    );
    expect(decodeCredit(encodeCredit(7))).toBe(7);
    for (const question of COMPARED_LEVELS.flatMap((level) => [
      { level, hour: BASE, after: 5 },
      { level, hour: BASE, series: [1, 2] },
    ]))
      expect(decodeDigestQuestion(encodeDigestQuestion(question))).toEqual(question);
  });

  it('carry chunks', () => {
    const chunk = fc.record({ series: id, start: id, bytes: fc.uint8Array({ minLength: 1 }) });
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        const back = decodeChunks(joined(encodeChunks(chunks)));
        expect(back.map((one) => ({ ...one, bytes: [...one.bytes] }))).toEqual(
          chunks.map((one) => ({ ...one, bytes: [...one.bytes] })),
        );
      }),
    );
  });

  it('never crash on bytes that are none of them', () => {
    const decoders = [
      decodeRegister,
      decodeCredit,
      decodeDigestQuestion,
      decodeSeriesDigests,
      decodeHeldWindows,
      decodeChunkQuestion,
      decodeChunks,
      decodeTrendQuery,
      decodeTrendResult,
      decodeSamples,
      decodeTaken,
    ];
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom(...decoders),
        (bytes, decode) => {
          try {
            decode(bytes);
          } catch (error) {
            expect(TocsinError.is(error) && error.code).toMatch(/^(BODY_MALFORMED|BAD_REQUEST)$/);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

const QUERIES: readonly TrendQuery[] = [
  { what: 'series', series: ['*/*/*'] },
  { what: 'latest', series: ['a/b/c', 'd/*/e'] },
  { what: 'range', series: ['a/b/c'], from: 1, to: 2 },
  { what: 'range', series: ['a/b/c'], from: 1, to: 2, points: 100, method: 'lttb' },
  { what: 'rollup', series: ['a/b/c'], from: 1, to: 2, stepMs: 1_000 },
  { what: 'rollup', series: ['a/b/c'], from: 1, to: 2, stepMs: 3_600_000, quantiles: [0, 0.5, 1] },
];

describe('a query', () => {
  it.each(QUERIES)('%j comes back as it was', (query) => {
    expect(decodeTrendQuery(encodeTrendQuery(query))).toEqual(query);
  });

  it.each([
    [{ what: 'all', series: [] }, /what/],
    [{ what: 'latest', series: 'a/b/c' }, /series/],
    [{ what: 'range', series: ['a'], from: 2, to: 1 }, /to/],
    [{ what: 'range', series: ['a'], from: 1, to: 2, points: 0 }, /points/],
    [{ what: 'range', series: ['a'], from: 1, to: 2, method: 'mean' }, /method/],
    [{ what: 'rollup', series: ['a'], from: 1, to: 2, stepMs: 5_000 }, /stepMs/],
    [
      { what: 'rollup', series: ['a'], from: 1, to: 2, stepMs: 1_000, quantiles: [0.5] },
      /quantiles/,
    ],
    [
      { what: 'rollup', series: ['a'], from: 1, to: 2, stepMs: 60_000, quantiles: [2] },
      /quantiles/,
    ],
    [{ what: 'latest', series: [], colour: 'red' }, /colour/],
  ])('%j is refused, naming the field', (query, message) => {
    expect(() => parseTrendQuery(query)).toThrow(message);
  });

  it('is answered in columns, of whatever lengths', () => {
    const column = fc.array(fc.double(), { maxLength: 20 });
    const series = fc.record({
      key: name,
      unit: name,
      newestAt: fc.option(fc.nat()),
      newestReceivedAt: fc.option(fc.nat()),
      a: column,
    });
    const standing = fc.record({
      replica: fc.integer({ min: 1, max: 9 }),
      at: fc.nat(),
      completeTo: fc.nat(),
    });
    fc.assert(
      fc.property(
        standing,
        fc.array(series, { maxLength: 5 }),
        fc.option(fc.nat(), { nil: undefined }),
        (told, all, coveredTo) => {
          const result = {
            standing: coveredTo === undefined ? told : { ...told, coveredTo },
            series: all.map(({ a, ...head }) => ({
              ...head,
              columns: {
                time: Float64Array.from(a),
                value: Float64Array.from(a, (one) => one * 2),
              },
            })),
          };
          const body = joined(encodeTrendResult(result));
          expect(decodeTrendResult(body)).toEqual(result);
          // From a Buffer that lies within another one, as frames do.
          const within = Buffer.concat([Buffer.alloc(3), body]).subarray(3);
          expect(decodeTrendResult(within)).toEqual(result);
        },
      ),
    );
  });
});
