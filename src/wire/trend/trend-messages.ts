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

/** @throws TocsinError BAD_REQUEST naming the field */
export function parseSeriesInfo(value: unknown): SeriesInfo {
  const { patient, device, metric, unit } = asFields('request', 'series', value, undefined);
  return asSeries('request', patient, device, metric, unit);
}

function asSeriesRow(origin: Origin, row: unknown): readonly [number: unknown, info: SeriesInfo] {
  const [number, ...names] = asArray(origin, 'series', row, 5);
  return [number, asSeries(origin, ...names)];
}

const asSeries = (
  origin: Origin,
  ...[patient, device, metric, unit]: readonly unknown[]
): SeriesInfo => ({
  patient: asName(origin, 'patient', patient),
  device: asName(origin, 'device', device),
  metric: asName(origin, 'metric', metric),
  unit: asLine(origin, 'unit', unit, 0, TREND_UNIT_CHARS_MAX),
});

/** The answer to a registration: how many samples may be on their way at once. */
export const encodeCredit = (samples: number): Uint8Array => encodeBody({ credit: samples });

/** @throws TocsinError BODY_MALFORMED */
export function decodeCredit(body: Uint8Array): number {
  const { credit } = asFields('answer', 'credit', decodeBody(body), undefined);
  return asWhole('answer', 'credit', credit, 1, Number.MAX_SAFE_INTEGER);
}

/** What replicas compare: samples, and the rollups of seconds and of minutes, which outlive them. */
export const COMPARED_LEVELS = ['chunk', 'seconds', 'minutes'] as const;
export type ComparedLevel = (typeof COMPARED_LEVELS)[number];

/** Asks a replica what it has of one hour; of all series after `after`, or window by window of some. */
export type DigestQuestion = {
  readonly level: ComparedLevel;
  readonly hour: number;
} & ({ readonly after: SeriesId } | { readonly series: readonly SeriesId[] });

/** Samples go without saying; each of the rollups is a field of its own. */
export const encodeDigestQuestion = ({ level, ...question }: DigestQuestion): Uint8Array =>
  encodeBody(level === 'chunk' ? question : { ...question, [level]: true });

/** @throws TocsinError BODY_MALFORMED, BAD_REQUEST */
export function decodeDigestQuestion(body: Uint8Array): DigestQuestion {
  const known = new Set(['hour', 'after', 'series', 'minutes', 'seconds']);
  const fields = asFields('request', 'digests', decodeBody(body), known);
  const { after, series } = fields;
  const level = levelIn(fields);
  if (level !== 'chunk' && fields[level] !== true) refuse('request', level, 'must be true');
  const what = { level, hour: asInstant('request', 'hour', fields['hour']) };
  if (series === undefined) return { ...what, after: asId('request', 'after', after) };
  const ids = asArray('request', 'series', series, TREND_DIGEST_SERIES_MAX);
  return { ...what, series: ids.map((id) => asId('request', 'series', id)) };
}

const levelIn = (fields: Readonly<Record<string, unknown>>): ComparedLevel =>
  COMPARED_LEVELS.find((level) => fields[level] !== undefined) ?? 'chunk';

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

export interface ChunkQuestion {
  readonly level: ComparedLevel;
  readonly refs: readonly ChunkRef[];
}

export function encodeChunkQuestion({ level, refs }: ChunkQuestion): Uint8Array {
  const pairs = refs.flatMap(({ series, start }) => [series, start]);
  return encodeBody(level === 'chunk' ? pairs : { [level]: pairs });
}

/** @throws TocsinError BODY_MALFORMED, BAD_REQUEST */
export function decodeChunkQuestion(body: Uint8Array): ChunkQuestion {
  const value = decodeBody(body);
  const fields = Array.isArray(value)
    ? { chunk: value }
    : asFields('request', 'chunks', value, new Set(['minutes', 'seconds']));
  const level = levelIn(fields);
  const refs = pairsOf(fields[level])
    .slice(0, TREND_CHUNKS_ASKED_MAX)
    .map(([series, start]) => ({ series, start }));
  return { level, refs };
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
