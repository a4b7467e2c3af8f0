import { type Code, MEANING } from '../../src/base/errors.ts';
import { renderPairs } from './pairs.ts';
import { type Column, renderTable, type TableOptions } from './table.ts';

const COLUMNS: readonly Column<Code>[] = [
  { title: 'CODE', cell: (code) => code },
  { title: 'EXIT', cell: (code) => String(MEANING[code].exit), align: 'right' },
  { title: 'RETRY', cell: (code) => MEANING[code].retry },
  { title: 'OUTCOME', cell: (code) => MEANING[code].outcome },
  { title: 'MEANING', cell: (code) => MEANING[code].says, shrinkTo: 20 },
];

/** The error reference: a line per code. */
export const renderCodes = (codes: readonly Code[], options: TableOptions): string =>
  renderTable(COLUMNS, codes, options);

/** Everything about one code. */
export function renderCode(code: Code, { paint }: TableOptions): string {
  const { exit, outcome, retry, says } = MEANING[code];
  return renderPairs(
    [
      ['Code', code],
      ['Meaning', says],
      ['Exit status', String(exit)],
      ['Retry', RETRY[retry]],
      ['Outcome of a write', OUTCOME[outcome]],
    ],
    paint,
  );
}

const RETRY: Readonly<Record<'now' | 'later' | 'never', string>> = {
  now: 'at once',
  later: 'after a pause',
  never: 'not without changing something',
};

const OUTCOME: Readonly<Record<'none' | 'applied' | 'unknown', string>> = {
  none: 'surely nothing was written',
  applied: 'it was carried out, once',
  unknown: 'unknown: it may have been written',
};
