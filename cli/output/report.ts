import { renderCsv } from './csv.ts';
import type { Format } from './formats.ts';
import { toJsonDocument, toSafeJson } from './json.ts';
import type { TableOptions } from './table.ts';

/** What a command has to say, before it is known in which form. */
export interface Report {
  /** All of it as one value: `json` and `yaml`. */
  readonly value: unknown;
  /** The things it lists: a line each in `jsonl` and `csv`. Default: `value` is the only one. */
  readonly rows?: readonly unknown[];
  /** For people: `table` and `wide`. */
  readonly text: (options: TableOptions) => string | Promise<string>;
}

export async function renderReport(
  { value, rows = [value], text }: Report,
  format: Format,
  options: TableOptions,
): Promise<string> {
  switch (format) {
    case 'table':
    case 'wide':
      return await text(options);
    case 'json':
      return toJsonDocument(value);
    case 'jsonl':
      return rows.map((row) => `${toSafeJson(row)}\n`).join('');
    case 'yaml':
      return (await import('./yaml.ts')).toSafeYaml(value);
    case 'csv':
      return renderCsv(rows);
  }
}
