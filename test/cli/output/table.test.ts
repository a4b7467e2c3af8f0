import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { paintFor, plain } from '../../../cli/output/paint.ts';
import { type Column, renderTable } from '../../../cli/output/table.ts';

interface Row {
  readonly name: string;
  readonly text: string;
  readonly extra: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'N', cell: ({ name }) => name, shrinkTo: 2 },
  { title: 'EXTRA', cell: ({ extra }) => extra, drop: 1 },
  { title: 'MORE', cell: ({ extra }) => extra, drop: 2 },
  { title: 'TEXT', cell: ({ text }) => text, shrinkTo: 4 },
];

/** Columns on a terminal: two for what East Asian text and emoji take. */
const widthOf = (line: string): number =>
  [...stripVTControlCharacters(line)].reduce(
    (sum, char) => sum + (/[\u3000-\u9fff\uac00-\ud7ff\uff01-\uff60]/.test(char) ? 2 : 1),
    0,
  );

const anyCell = fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é', '心', '한'), maxLength: 40 });
const anyRows = fc.array(fc.record({ name: anyCell, text: anyCell, extra: anyCell }), {
  maxLength: 5,
});

test('no line is wider than the terminal', () => {
  fc.assert(
    fc.property(anyRows, fc.integer({ min: 8, max: 200 }), fc.boolean(), (rows, width, isTTY) => {
      const paint = paintFor({ isTTY, color: true, env: {} });
      const lines = renderTable(COLUMNS, rows, { width, paint }).split('\n');
      expect(lines).toHaveLength(rows.length + 2);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
    }),
  );
});

test('nothing is cut where there is no terminal', () => {
  fc.assert(
    fc.property(anyRows, (rows) => {
      const table = renderTable(COLUMNS, rows, { width: undefined, paint: plain });
      for (const row of rows) expect(table).toContain(row.text.trimEnd());
    }),
  );
});

test.each([
  [40, 'N     EXTRA  MORE   TEXT\nname  extra  extra  a long text\n'],
  [24, 'N     EXTRA  MORE   TEXT\nname  extra  extra  a l…\n'],
  [22, 'N   EXTRA  MORE   TEXT\nn…  extra  extra  a l…\n'],
  [21, 'N     EXTRA  TEXT\nname  extra  a long …\n'],
  [18, 'N     EXTRA  TEXT\nname  extra  a lo…\n'],
  [9, 'N    TEXT\nna…  a l…\n'],
  [1, 'N   TEXT\nn…  a l…\n'],
])(
  'at %d columns the last ones are cut first, then the least important left out',
  (width, shown) => {
    const rows = [{ name: 'name', text: 'a long text', extra: 'extra' }];

    expect(renderTable(COLUMNS, rows, { width, paint: plain })).toBe(shown);
  },
);
