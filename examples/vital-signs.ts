import type { TrendClient, TrendStanding } from '../src/client/index.ts';

/**
 * Vital signs into the trend tier of a cluster, and back for a chart. In a project of your own the import is from
 * 'tocsin/client', and `endpoints` are the addresses of the trend tier:
 *
 *     await using trends = await connectTrends({ endpoints, name: 'bedside-12' });
 *     await record(trends, monitor.samples());
 *     const chart = await chartOf(trends, 'pt-07f3/mon-01/HR', Date.now() - 3_600_000, Date.now());
 */

/** One measurement; null = the monitor looked and there was no signal, which is information too. */
export interface Measurement {
  readonly patient: string;
  readonly device: string;
  readonly metric: string;
  readonly unit: string;
  /** By the device's clock, in milliseconds since 1970. */
  readonly at: number;
  readonly value: number | null;
}

/** Samples on their way before the reader of the monitor waits. */
const PENDING_MAX = 10_000;

/**
 * Brings measurements to the cluster, and resolves when all of them were taken. What a broken connection left open is sent
 * again, to another replica if need be: a sample that arrives twice counts once. @returns how many were refused
 */
export async function record(
  trends: Pick<TrendClient, 'writer'>,
  measurements: AsyncIterable<Measurement>,
): Promise<number> {
  const writer = trends.writer();
  const series = new Map<string, number>();
  for await (const { at, value, ...info } of measurements) {
    const name = `${info.patient}/${info.device}/${info.metric}`;
    const number = series.get(name) ?? writer.series(info);
    series.set(name, number);
    writer.add(number, at, value ?? Number.NaN);
    if (writer.pending > PENDING_MAX) await writer.ready(PENDING_MAX);
  }
  await writer.drain();
  const { tooOld, tooNew, noRoom } = writer.taken;
  return tooOld + tooNew + noRoom;
}

export interface Chart {
  readonly points: readonly (readonly [at: number, value: number])[];
  /** What whoever looks at the chart has to know of it. */
  readonly says: string;
}

const POINTS = 500;

/** A series thinned out for a chart, by any replica, with how fresh and how complete it is. */
export async function chartOf(
  trends: Pick<TrendClient, 'query'>,
  series: string,
  from: number,
  to: number,
): Promise<Chart> {
  const { standing, series: found } = await trends.query({
    what: 'range',
    series: [series],
    from,
    to,
    points: POINTS,
  });
  const { time = new Float64Array(), value = new Float64Array() } = found[0]?.columns ?? {};
  const points = Array.from(time, (at, place) => [at, value[place] ?? Number.NaN] as const);
  return { points, says: saysOf(standing, found[0]?.newestAt ?? null) };
}

function saysOf({ replica, at, completeTo }: TrendStanding, newestAt: number | null): string {
  const age = newestAt === null ? 'no sample' : `newest sample ${seconds(at - newestAt)} s old`;
  const complete =
    completeTo === 0
      ? 'not compared with all others yet'
      : `complete up to ${seconds(at - completeTo)} s ago`;
  return `replica ${replica}: ${age}; ${complete}`;
}

const seconds = (ms: number): number => Math.round(ms / 1_000);
