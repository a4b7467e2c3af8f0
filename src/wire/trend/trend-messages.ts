import {
  TREND_CHUNKS_ASKED_MAX,
  TREND_DIGEST_PAGE,
  TREND_DIGEST_SERIES_MAX,
  TREND_FRAME_SERIES_MAX,
  TREND_SERIES_MAX,
  TREND_UNIT_CHARS_MAX,
} from '../../base/trend-limits.ts';
import type { SeriesDigest, WindowDigest } from '../../trend/digests.ts';
import type { SeriesId, SeriesInfo } from '../../trend/series.ts';

import { decodeBody, encodeBody } from '../body.ts';
import {
  asArray,
  asFields,
  asInstant,
  asLine,
  asName,
  asWhole,
  type Origin,
  refuse,
} from '../check.ts';

/** Bodies of the trend tier that are MessagePack. */

export type { SeriesInfo } from '../../trend/series.ts';

export interface Registration {
  /** The number by which samples on this connection will name the series. */
  readonly slot: number;
  readonly info: SeriesInfo;
}

const rowOf = (number: number, info: SeriesInfo): readonly unknown[] => [
  number,
  info.patient,
  info.device,
  info.metric,
  info.unit,
];

export const encodeRegister = (all: readonly Registration[]): Uint8Array =>
  encodeBody(all.map(({ slot, info }) => rowOf(slot, info)));

/** @throws TocsinError BODY_MALFORMED, BAD_REQUEST naming the field */
export const decodeRegister = (body: Uint8Array): readonly Registration[] =>
  asArray('request', 'series', decodeBody(body), TREND_FRAME_SERIES_MAX).map((row) => {
    const [slot, info] = asSeriesRow('request', row);
    return { slot: asWhole('request', 'slot', slot, 0, TREND_SERIES_MAX - 1), info };
  });

function asSeriesRow(origin: Origin, row: unknown): readonly [number: unknown, info: SeriesInfo] {
  const [number, patient, device, metric, unit] = asArray(origin, 'series', row, 5);
  return [
    number,
    {
      patient: asName(origin, 'patient', patient),
      device: asName(origin, 'device', device),
      metric: asName(origin, 'metric', metric),
      unit: asLine(origin, 'unit', unit, 0, TREND_UNIT_CHARS_MAX),
    },
  ];
}

/** The answer to a registration: how many samples may be on their way at once. */
export const encodeCredit = (samples: number): Uint8Array => encodeBody({ credit: samples });

/** @throws TocsinError BODY_MALFORMED */
export function decodeCredit(body: Uint8Array): number {
  const { credit } = asFields('answer', 'credit', decodeBody(body), undefined);
  return asWhole('answer', 'credit', credit, 1, Number.MAX_SAFE_INTEGER);
}

/** Asks a replica what it has of one hour; of all series after `after`, or window by window of some. */
export type DigestQuestion = {
  readonly hour: number;
  /** Of the rollups of minutes, which outlive the samples, instead of the samples. */
  readonly minutes?: true;
} & ({ readonly after: SeriesId } | { readonly series: readonly SeriesId[] });

export const encodeDigestQuestion = (question: DigestQuestion): Uint8Array => encodeBody(question);

/** @throws TocsinError BODY_MALFORMED, BAD_REQUEST */
export function decodeDigestQuestion(body: Uint8Array): DigestQuestion {
  const known = new Set(['hour', 'after', 'series', 'minutes']);
  const fields = asFields('request', 'digests', decodeBody(body), known);
  const { hour: asked, after, series, minutes } = fields;
  if (minutes !== undefined && minutes !== true) refuse('request', 'minutes', 'must be true');
  const hour = asInstant('request', 'hour', asked);
  const what = minutes === true ? ({ hour, minutes } as const) : { hour };
  if (series === undefined) return { ...what, after: asId('request', 'after', after) };
  const ids = asArray('request', 'series', series, TREND_DIGEST_SERIES_MAX);
  return { ...what, series: ids.map((id) => asId('request', 'series', id)) };
}

/** A page of series digests, in order of id; full = there may be more. */
export const encodeSeriesDigests = (all: readonly SeriesDigest[]): Uint8Array =>
  encodeBody(all.flatMap(({ series, digest }) => [series, digest]));

/** @throws TocsinError BODY_MALFORMED */
export const decodeSeriesDigests = (body: Uint8Array): readonly SeriesDigest[] =>
  pairsOf(decodeBody(body)).map(([series, digest]) => ({ series, digest }));

/** What a replica has of some series in one hour. */
export interface HeldWindows {
  readonly series: SeriesId;
  readonly info: SeriesInfo;
  readonly windows: readonly WindowDigest[];
}

export const encodeHeldWindows = (all: readonly HeldWindows[]): Uint8Array =>
  encodeBody(
    all.map(({ series, info, windows }) => [
      rowOf(series, info),
      windows.flatMap(({ start, digest }) => [start, digest]),
    ]),
  );

/** @throws TocsinError BODY_MALFORMED */
export const decodeHeldWindows = (body: Uint8Array): readonly HeldWindows[] =>
  asArray('answer', 'windows', decodeBody(body), TREND_DIGEST_SERIES_MAX).map((item) => {
    const [row, pairs] = asArray('answer', 'windows', item, 2);
    const [series, info] = asSeriesRow('answer', row);
    const windows = pairsOf(pairs).map(([start, digest]) => ({ start, digest }));
    return { series: asId('answer', 'series', series), info, windows };
  });

/** Chunks that a replica wants. */
export interface ChunkRef {
  readonly series: SeriesId;
  readonly start: number;
}

/** Which of them: samples, or the rollups of minutes. */
export interface ChunkQuestion {
  readonly minutes: boolean;
  readonly refs: readonly ChunkRef[];
}

export function encodeChunkQuestion({ minutes, refs }: ChunkQuestion): Uint8Array {
  const pairs = refs.flatMap(({ series, start }) => [series, start]);
  return encodeBody(minutes ? { minutes: pairs } : pairs);
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeChunkQuestion(body: Uint8Array): ChunkQuestion {
  const value = decodeBody(body);
  const isMinutes = !Array.isArray(value);
  const pairs = isMinutes
    ? asFields('request', 'chunks', value, new Set(['minutes']))['minutes']
    : value;
  const refs = pairsOf(pairs)
    .slice(0, TREND_CHUNKS_ASKED_MAX)
    .map(([series, start]) => ({ series, start }));
  return { minutes: isMinutes, refs };
}

function pairsOf(value: unknown): readonly (readonly [number, number])[] {
  const flat = asArray('answer', 'pairs', value, TREND_DIGEST_PAGE * 2);
  const pairs: (readonly [number, number])[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2)
    pairs.push([asId('answer', 'pair', flat[at]), asId('answer', 'pair', flat[at + 1])]);
  return pairs;
}

const asId = (origin: Origin, field: string, value: unknown): number =>
  asWhole(origin, field, value, 0, Number.MAX_SAFE_INTEGER);
