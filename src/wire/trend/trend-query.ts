import { TocsinError } from '../../base/errors.ts';
import { UNIX_MILLIS_MAX } from '../../base/limits.ts';
import {
  TREND_HOUR_MS,
  TREND_KEY_CHARS_MAX,
  TREND_POINTS_MAX,
  TREND_QUANTILES_MAX,
  TREND_QUERY_SERIES_MAX,
  TREND_WINDOW_MS,
} from '../../base/trend-limits.ts';
import { decodeBody, encodeBody } from '../body.ts';
import { readU32, writeU32 } from '../bytes.ts';
import {
  asArray,
  asFields,
  asFinite,
  asInstant,
  asLine,
  asOneOf,
  asWhole,
  refuse,
} from '../check.ts';

/** What a client asks of the trend tier, and what it is told. */

export type TrendMethod = 'minmax' | 'lttb';
/** Milliseconds a row of rollups stands for. */
export type RollupStep = 1_000 | 60_000 | 3_600_000;
export const ROLLUP_STEPS: readonly RollupStep[] = [1_000, TREND_WINDOW_MS, TREND_HOUR_MS];

/** Series are named by their keys, `patient/device/metric`; `*` stands for any text within one part. */
export type TrendQuery =
  | { readonly what: 'series' | 'latest'; readonly series: readonly string[] }
  | {
      readonly what: 'range';
      readonly series: readonly string[];
      /** Milliseconds since 1970: from here on, and before there. */
      readonly from: number;
      readonly to: number;
      /** Thins each series out to about so many. */
      readonly points?: number;
      /** @defaultValue minmax */
      readonly method?: TrendMethod;
    }
  | {
      readonly what: 'rollup';
      readonly series: readonly string[];
      readonly from: number;
      readonly to: number;
      readonly stepMs: RollupStep;
      /** 0 … 1; only for steps of a minute and an hour. */
      readonly quantiles?: readonly number[];
    };

export const encodeTrendQuery = (query: TrendQuery): Uint8Array => encodeBody(query);

const KNOWN: ReadonlySet<string> = new Set([
  'what',
  'series',
  'from',
  'to',
  'points',
  'method',
  'stepMs',
  'quantiles',
]);

/** @throws TocsinError BODY_MALFORMED, BAD_REQUEST naming the field */
export function decodeTrendQuery(body: Uint8Array): TrendQuery {
  return parseTrendQuery(decodeBody(body));
}

/** @throws TocsinError BAD_REQUEST naming the field */
export function parseTrendQuery(value: unknown): TrendQuery {
  const fields = asFields('request', 'query', value, KNOWN);
  const what = asOneOf('request', 'what', fields['what'], ['series', 'latest', 'range', 'rollup']);
  const series = asArray('request', 'series', fields['series'], TREND_QUERY_SERIES_MAX).map((key) =>
    asLine('request', 'series', key, 1, TREND_KEY_CHARS_MAX),
  );
  if (what === 'series' || what === 'latest') return { what, series };
  const from = asInstant('request', 'from', fields['from']);
  const to = asWhole('request', 'to', fields['to'], from, UNIX_MILLIS_MAX);
  if (what === 'range') {
    const { points, method } = fields;
    return {
      what,
      series,
      from,
      to,
      ...(points === undefined
        ? {}
        : { points: asWhole('request', 'points', points, 1, TREND_POINTS_MAX) }),
      ...(method === undefined
        ? {}
        : { method: asOneOf<TrendMethod>('request', 'method', method, ['minmax', 'lttb']) }),
    };
  }
  const stepMs = asStep(fields['stepMs']);
  if (fields['quantiles'] === undefined) return { what, series, from, to, stepMs };
  const quantiles = asQuantiles(fields['quantiles']);
  if (stepMs < TREND_WINDOW_MS) refuse('request', 'quantiles', 'need a step of a minute or more');
  return { what, series, from, to, stepMs, quantiles };
}

function asStep(value: unknown): RollupStep {
  for (const step of ROLLUP_STEPS) if (step === value) return step;
  return refuse('request', 'stepMs', `must be one of ${ROLLUP_STEPS.join(', ')}`);
}

const asQuantiles = (value: unknown): readonly number[] =>
  asArray('request', 'quantiles', value, TREND_QUANTILES_MAX).map((one) => {
    const q = asFinite('request', 'quantiles', one);
    if (q < 0 || q > 1) refuse('request', 'quantiles', 'must be from 0 to 1');
    return q;
  });

/** How fresh and how complete an answer is. */
export interface TrendStanding {
  /** Of the replica that answered. */
  readonly replica: number;
  /** When it answered, by its clock. */
  readonly at: number;
  /**
   * All that any member had on disk up to here is part of the answer: it compared itself with each of them and fetched
   * what it lacked. 0 = with at least one of them it never did since it started.
   */
  readonly completeTo: number;
  /** The range is answered up to here; ask again from here on. Undefined = all of it, or there was no range. */
  readonly coveredTo?: number;
}

/** One series of an answer. Columns have a name and all the same length. */
export interface TrendSeriesResult {
  readonly key: string;
  readonly unit: string;
  /** Device time of the newest sample this replica knows, and when it was received; null = it knows none. */
  readonly newestAt: number | null;
  readonly newestReceivedAt: number | null;
  readonly columns: Readonly<Record<string, Float64Array>>;
}

export interface TrendResult {
  readonly standing: TrendStanding;
  readonly series: readonly TrendSeriesResult[];
}

export function encodeTrendResult({ standing, series }: TrendResult): readonly Uint8Array[] {
  const columns: Uint8Array[] = [];
  const heads = series.map(({ columns: own, ...head }) => {
    const names = Object.keys(own);
    for (const column of Object.values(own)) columns.push(bytesOf(column));
    return { ...head, names, rows: Object.values(own)[0]?.length ?? 0 };
  });
  return [...frameHead({ standing, series: heads }), ...columns];
}

const bytesOf = (column: Float64Array): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, column.byteLength);

/** Length, head, zeros up to a multiple of eight. */
function frameHead(head: unknown): readonly Uint8Array[] {
  const body = encodeBody(head);
  const length = new Uint8Array(4);
  writeU32(length, 0, body.byteLength);
  return [length, body, new Uint8Array(paddingOf(4 + body.byteLength))];
}

const paddingOf = (bytes: number): number => (8 - (bytes % 8)) % 8;

/** @throws TocsinError BODY_MALFORMED */
function splitHead(body: Uint8Array): { readonly head: unknown; readonly rest: Uint8Array } {
  const length = body.byteLength < 4 ? Number.NaN : readU32(body, 0);
  const end = 4 + length + paddingOf(4 + length);
  if (!(end <= body.byteLength)) throw malformed('the head is cut off');
  return { head: decodeBody(body.subarray(4, 4 + length)), rest: body.subarray(end) };
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeTrendResult(body: Uint8Array): TrendResult {
  const { head, rest } = splitHead(body);
  const { standing, series } = asFields('answer', 'result', head, undefined);
  const floats = new Float64Array(new Uint8Array(rest).buffer, 0, Math.floor(rest.byteLength / 8));
  let at = 0;
  const take = (rows: number): Float64Array => {
    if (at + rows > floats.length) throw malformed('a column is cut off');
    at += rows;
    return floats.subarray(at - rows, at);
  };
  const results = asArray('answer', 'series', series, Number.MAX_SAFE_INTEGER).map((item) =>
    seriesOf(item, take),
  );
  return { standing: standingOf(standing), series: results };
}

function seriesOf(item: unknown, take: (rows: number) => Float64Array): TrendSeriesResult {
  const fields = asFields('answer', 'series', item, undefined);
  const rows = asWhole('answer', 'rows', fields['rows'], 0, Number.MAX_SAFE_INTEGER);
  const names = asArray('answer', 'names', fields['names'], 32);
  const columns = names.map((name) => [asLine('answer', 'name', name, 1, 32), take(rows)] as const);
  return {
    key: asLine('answer', 'key', fields['key'], 1, TREND_KEY_CHARS_MAX),
    unit: asLine('answer', 'unit', fields['unit'], 0, 32),
    newestAt: instantOrNull('newestAt', fields['newestAt']),
    newestReceivedAt: instantOrNull('newestReceivedAt', fields['newestReceivedAt']),
    columns: Object.fromEntries(columns),
  };
}

function standingOf(value: unknown): TrendStanding {
  const fields = asFields('answer', 'standing', value, undefined);
  const { coveredTo } = fields;
  return {
    replica: asWhole('answer', 'replica', fields['replica'], 1, Number.MAX_SAFE_INTEGER),
    at: asInstant('answer', 'at', fields['at']),
    completeTo: asInstant('answer', 'completeTo', fields['completeTo']),
    ...(coveredTo === undefined ? {} : { coveredTo: asInstant('answer', 'coveredTo', coveredTo) }),
  };
}

const instantOrNull = (field: string, value: unknown): number | null =>
  value === null ? null : asInstant('answer', field, value);

/** Chunks by series and window, as they lie on disk. */
export interface HeldChunk {
  readonly series: number;
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** The answer to TREND_CHUNKS. */
export const encodeChunks = (chunks: readonly HeldChunk[]): readonly Uint8Array[] => [
  ...frameHead(chunks.flatMap(({ series, start, bytes }) => [series, start, bytes.byteLength])),
  ...chunks.map(({ bytes }) => bytes),
];

/** @throws TocsinError BODY_MALFORMED */
export function decodeChunks(body: Uint8Array): readonly HeldChunk[] {
  const { head, rest } = splitHead(body);
  const flat = asArray('answer', 'chunks', head, Number.MAX_SAFE_INTEGER);
  const chunks: HeldChunk[] = [];
  let from = 0;
  for (let at = 0; at + 2 < flat.length; at += 3) {
    const [series, start, length] = flat
      .slice(at, at + 3)
      .map((one) => asWhole('answer', 'chunk', one, 0, Number.MAX_SAFE_INTEGER)) as [
      number,
      number,
      number,
    ];
    if (from + length > rest.byteLength) throw malformed('a chunk is cut off');
    chunks.push({ series, start, bytes: rest.subarray(from, from + length) });
    from += length;
  }
  return chunks;
}

const malformed = (what: string): TocsinError => new TocsinError('BODY_MALFORMED', what);
