import { csvStream } from './csv.ts';
import type { Format } from './formats.ts';
import { toSafeJson } from './json.ts';

/** What comes one after another and has no known end. */
export interface StreamForms<Item> {
  /** For programs. */
  readonly value: (item: Item) => unknown;
  /** The columns of `csv`. */
  readonly columns: readonly string[];
  /** For people. */
  readonly text: (item: Item) => string;
}

/** A function that turns each item into text, which is complete when the item is. */
export async function streamRenderer<Item>(
  { value, columns, text }: StreamForms<Item>,
  format: Format,
): Promise<(item: Item) => string> {
  switch (format) {
    case 'table':
    case 'wide':
      return text;
    case 'json':
    case 'jsonl':
      return (item) => `${toSafeJson(value(item))}\n`;
    case 'yaml': {
      const { toSafeYaml } = await import('./yaml.ts');
      return (item) => `---\n${toSafeYaml(value(item))}`;
    }
    case 'csv': {
      const row = csvStream(columns);
      return (item) => row(value(item));
    }
  }
}
