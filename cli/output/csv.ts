import { printable } from './escape.ts';

/** Rows as CSV (RFC 4180, with line feeds): a field within a field gets a column of its own, `subject.bed`. */

type Flat = ReadonlyMap<string, string>;

/** All rows under one head: every column that any of them has, in order of first appearance. */
export function renderCsv(rows: readonly unknown[]): string {
  const flats = rows.map(flatten);
  const columns = [...new Set(flats.flatMap((flat) => [...flat.keys()]))];
  if (columns.length === 0) return '';
  return [columns.map(quoted).join(','), ...flats.map((flat) => lineOf(flat, columns)), ''].join(
    '\n',
  );
}

/** For a stream, whose columns have to be known before its rows. */
export function csvStream(columns: readonly string[]): (row: unknown) => string {
  let head = `${columns.map(quoted).join(',')}\n`;
  return (row) => {
    const text = `${head}${lineOf(flatten(row), columns)}\n`;
    head = '';
    return text;
  };
}

const lineOf = (flat: Flat, columns: readonly string[]): string =>
  columns.map((column) => quoted(flat.get(column) ?? '')).join(',');

function flatten(row: unknown): Flat {
  const flat = new Map<string, string>();
  const add = (name: string, value: unknown): void => {
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) flat.set(name, listOf(value));
    else if (typeof value === 'object')
      for (const [key, below] of Object.entries(value))
        add(name === '' ? key : `${name}.${key}`, below);
    else flat.set(name === '' ? 'value' : name, String(value));
  };
  add('', row);
  return flat;
}

/** Words with spaces between them; what is more than words stays JSON. */
const listOf = (values: readonly unknown[]): string =>
  values.every((value) => typeof value === 'string' || typeof value === 'number')
    ? values.join(' ')
    : JSON.stringify(values);

/** Control characters are escaped as for a terminal, so a row is a line. */
function quoted(text: string): string {
  const safe = printable(text);
  return /[",]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
