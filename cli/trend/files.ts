import { parquetWriteBuffer } from 'hyparquet-writer';
import type { TrendResult, TrendSeriesResult } from '../../src/wire/trend/trend-query.ts';
import { renderCsv } from '../output/csv.ts';
import { rowsOf } from './render.ts';

/** Answers of the trend tier as files. */

export const csvOf = (results: readonly TrendResult[]): string =>
  renderCsv(results.flatMap(rowsOf));

/** Parquet: series and unit as texts, instants as timestamps in milliseconds, values as doubles; a missing value is null. */
export function parquetOf(results: readonly TrendResult[]): Uint8Array {
  const all = results.flatMap(({ series }) => series);
  const names = Object.keys(
    all.find(({ columns }) => Object.keys(columns).length > 0)?.columns ?? {},
  );
  const length = (one: TrendSeriesResult): number => Object.values(one.columns)[0]?.length ?? 0;
  const texts = (of: (one: TrendSeriesResult) => string): readonly string[] =>
    all.flatMap((one) => Array.from({ length: length(one) }, () => of(one)));
  const columnData = [
    { name: 'series', data: texts(({ key }) => key), type: 'STRING' as const },
    { name: 'unit', data: texts(({ unit }) => unit), type: 'STRING' as const },
    ...names.map((name) => ({
      name,
      data: all.flatMap(({ columns }) => cellsOf(name, columns[name] ?? new Float64Array(0))),
      type: isTime(name) ? ('TIMESTAMP' as const) : ('DOUBLE' as const),
      nullable: !isTime(name),
    })),
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData: columnData.map(mutable) }));
}

const isTime = (name: string): boolean => name === 'time' || name === 'start';

const cellsOf = (name: string, column: Float64Array): readonly (number | Date | null)[] =>
  Array.from(column, (value) =>
    isTime(name) ? new Date(value) : Number.isNaN(value) ? null : value,
  );

const mutable = <T extends { readonly data: readonly unknown[] }>(
  column: T,
): Omit<T, 'data'> & { data: unknown[] } => ({ ...column, data: [...column.data] });
