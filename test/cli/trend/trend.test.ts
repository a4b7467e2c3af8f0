import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it, onTestFinished } from 'vitest';
import { plot } from '../../../cli/trend/plot.ts';
import { TocsinError } from '../../../src/base/errors.ts';
import type {
  TrendQuery,
  TrendResult,
  TrendSeriesResult,
} from '../../../src/wire/trend/trend-query.ts';
import { NOW, type Result, runIn } from '../commands/world.ts';
import { A_TREND, trendsOf } from './fake-trends.ts';

/** Runs a command against a tier that answers this; tells what it was asked. */
async function ask(
  result: TrendResult,
  ...argv: readonly string[]
): Promise<Result & { readonly asked: readonly TrendQuery[] }> {
  const asked: TrendQuery[] = [];
  const done = await runIn({ answers: { trends: trendsOf(result, asked) } }, 'trend', ...argv);
  return { ...done, asked };
}

const series = (columns: TrendSeriesResult['columns']): TrendSeriesResult => ({
  key: 'p/m/HR',
  unit: '/min',
  newestAt: null,
  newestReceivedAt: null,
  columns,
});

describe('tocsin trend', () => {
  it('says where vital signs are to be had when nobody answers', async () => {
    const trends = new TocsinError('UNAVAILABLE', 'no replica could be reached: …: ECONNREFUSED');
    const { status, stderr } = await runIn({ answers: { trends } }, 'trend', 'latest');
    expect(status).toBe(6);
    expect(stderr).toContain('a port of their own');
    expect(stderr).toContain('TOCSIN_TREND_ENDPOINTS');
  });

  it('latest shows value and age, and how far the answer can be trusted', async () => {
    const { stdout, status } = await ask(A_TREND, 'latest');
    expect(stdout).toContain('p/m/HR');
    expect(stdout).toContain('replica 2: newest 2s old; complete to 2026-03-01T03:03:05Z');
    expect(status).toBe(0);
  });

  it('says when nobody knows how complete an answer is', async () => {
    const { stdout } = await ask(
      { ...A_TREND, standing: { ...A_TREND.standing, completeTo: 0 } },
      'series',
    );
    expect(stdout).toContain('not compared with all members yet');
  });

  it('query asks for the range that was named, and gives rows to programs', async () => {
    const { stdout, asked } = await ask(A_TREND, 'query', 'p/m/HR', '--from', '15m', '-o', 'csv');
    expect(asked).toEqual([{ what: 'range', series: ['p/m/HR'], from: NOW - 900_000, to: NOW }]);
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'series,unit,time,value,quality',
      'p/m/HR,/min,2026-03-01T03:04:01.000Z,70,good',
      'p/m/HR,/min,2026-03-01T03:04:02.000Z,,good',
    ]);
  });

  it('tells a range that stands the wrong way round, and names that no series has', async () => {
    const wrong = await ask(A_TREND, 'query', 'p/m/HR', '--from', '5m', '--to', '10m');
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('--from lies after --to');
    expect(wrong.asked).toEqual([]);
    for (const end of ['5m', '2026-03-01T02:59:05Z']) {
      const none = await ask(A_TREND, 'query', 'p/m/HR', '--from', '5m', '--to', end);
      expect(none).toMatchObject({ status: 2, asked: [] });
      expect(none.stderr).toContain('--from and --to are one instant');
    }
    const { stdout } = await ask({ ...A_TREND, series: [] }, 'query', '*');
    expect(stdout).toContain('no series match');
  });

  it('query asks for rollups with quantiles', async () => {
    const { asked } = await ask(
      A_TREND,
      'query',
      'a/b/c',
      '--step',
      '1m',
      '--quantiles',
      '0.5,0.95',
      '--to',
      '2026-03-01T03:00:00Z',
      '--from',
      '2026-03-01T02:00:00Z',
    );
    expect(asked[0]).toMatchObject({
      what: 'rollup',
      stepMs: 60_000,
      quantiles: [0.5, 0.95],
      to: NOW - 245_000,
    });
  });

  it.each([['csv'], ['parquet']])('export writes %s that another program reads', async (ending) => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-export-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const out = join(folder, `x.${ending}`);
    const { stdout } = await ask(A_TREND, 'export', 'p/m/HR', '--out', out);
    expect(stdout).toBe(`3 rows written to ${out}\n`);
    const file = await readFile(out);
    if (ending === 'csv') {
      expect(file.toString().split('\n')[3]).toBe(
        'p/m/HR,/min,2026-03-01T03:04:03.000Z,72.5,questionable',
      );
      return;
    }
    const rows = await parquetReadObjects({ file: new Uint8Array(file).buffer });
    expect(rows[2]).toMatchObject({
      series: 'p/m/HR',
      unit: '/min',
      time: new Date(NOW - 2_000),
      value: 72.5,
      quality: 1,
    });
    expect(rows[1]?.['value']).toBeNull();
  });

  it.each([
    [['query', 'a/b/c', '--from', 'yesterday'], /--from/],
    [['export', 'a/b/c', '--out', 'x.xls'], /\.csv or \.parquet/],
    [['query', 'a/b/c', '--step', '5s'], /--step/],
    [['query', 'a/b/c', '--quantiles', '0.5'], /--quantiles are of rollups/],
    [['query', 'a/b/c', '--quantiles', '0.5', '--step', '1s'], /--quantiles are of rollups/],
    [['query', 'a/b/c', '--step', '1m', '--points', '100'], /--points thins out samples/],
    [['query', 'a/b/c', '--method', 'lttb'], /--method is how to thin out/],
  ])('refuses %j, naming the flag', async (argv, message) => {
    const { stderr, status } = await ask(A_TREND, ...argv);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});

describe('a plot', () => {
  it('marks least and greatest, joins neighbours and leaves gaps open', () => {
    const times = Float64Array.from({ length: 100 }, (_, at) => at);
    const values = times.map((time) => (time < 50 ? time : 200 - time));
    const text = plot(series({ time: times, value: values }), {
      from: 0,
      to: 100,
      width: 40,
      height: 4,
    });
    const lines = text.trimEnd().split('\n');
    expect(lines[0]).toBe('p/m/HR (/min)');
    expect(lines[1]).toMatch(/^ +150 ┤/);
    expect(lines[4]).toMatch(/^ +0 ┤/);
    expect(lines[5]).toMatch(/1970-01-01T00:00:00Z +1970-01-01T00:00:00Z$/);
    for (const line of lines.slice(1, 5)) expect(line).toMatch(/[\u2801-\u28ff]/);
  });

  it('says when there is nothing to draw', () => {
    expect(plot(series({}), { from: 0, to: 1, width: 40, height: 4 })).toContain(
      'no samples in this range',
    );
  });
});
