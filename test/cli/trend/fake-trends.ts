import type { Services, TrendApi } from '../../../cli/commands/io.ts';
import { TocsinError } from '../../../src/base/errors.ts';
import type { TrendQuery, TrendResult } from '../../../src/wire/trend/trend-query.ts';

/** 2026-03-01T03:04:05Z. */
const TREND_NOW = 1_772_334_245_000;

/** A trend tier that answers each query with this. */
export function trendsOf(result: TrendResult, asked: TrendQuery[] = []): TrendApi {
  return {
    query: (query) => {
      asked.push(query);
      return Promise.resolve(result);
    },
    queryAll: async function* (query) {
      asked.push(query);
      yield await Promise.resolve(result);
    },
    writer: () => {
      throw new TocsinError('UNAVAILABLE', 'no trends here');
    },
    close: () => Promise.resolve(),
  };
}

/** Three samples of a heart rate, one of them missing, one questionable. */
export const A_TREND: TrendResult = {
  standing: { replica: 2, at: TREND_NOW, completeTo: TREND_NOW - 60_000 },
  series: [
    {
      key: 'p/m/HR',
      unit: '/min',
      newestAt: TREND_NOW - 2_000,
      newestReceivedAt: TREND_NOW - 1_990,
      columns: {
        time: Float64Array.of(TREND_NOW - 4_000, TREND_NOW - 3_000, TREND_NOW - 2_000),
        value: Float64Array.of(70, Number.NaN, 72.5),
        quality: Float64Array.of(0, 0, 1),
      },
    },
  ],
};

/** Notes what was asked; the tier answers as `trends` does, or with A_TREND. */
export const fakeTrendServices = (
  note: (method: string, ...args: readonly unknown[]) => void,
  trends: TrendApi | Error = trendsOf(A_TREND),
): Pick<Services, 'startTrends' | 'connectTrends'> => ({
  startTrends: (options) => {
    note('startTrends', options);
    return Promise.resolve({
      address: '/ip4/10.0.0.1/tcp/7500',
      closed: new Promise(() => {}),
      judgeBy: () => {},
      follow: () => {},
      close: () => Promise.resolve(),
    });
  },
  connectTrends: (options) => {
    note('connectTrends', options);
    return trends instanceof Error ? Promise.reject(trends) : Promise.resolve(trends);
  },
});
