import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { TocsinError } from '../../src/base/errors.ts';
import { didYouMean } from '../input/suggest.ts';
import type { Config, Section, Value } from './config.ts';

/** Reads and writes configuration files, and keeps what people wrote into them: order, comments. */

const TOP_KEYS: readonly string[] = ['context', 'previous', 'contexts', 'defaults', 'commands'];

/** One thing that is wrong with a file. */
export interface Complaint {
  readonly line: number;
  readonly what: string;
}

/** @throws TocsinError BAD_CONFIG naming file and line */
export function parseConfig(text: string, path: string): Config {
  const reader = new ConfigReader(text);
  const config = reader.read(path);
  const [first] = reader.complaints;
  if (first === undefined) return config;
  throw new TocsinError('BAD_CONFIG', `${path}:${first.line}: ${first.what}`);
}

/** A configuration, and everything that is wrong with its shape. */
export class ConfigReader {
  readonly complaints: Complaint[] = [];
  readonly #lines = new LineCounter();
  readonly #document: Document;

  constructor(text: string) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    for (const { message, pos } of this.#document.errors)
      this.complaints.push({ line: this.#lines.linePos(pos[0]).line, what: message });
  }

  read(path: string): Config {
    const { contents } = this.#document;
    if (contents !== null && !isMap(contents)) this.#complain([], 'must be keys with values');
    if (isMap(contents))
      for (const { key } of contents.items) {
        const name = isScalar(key) ? String(key.value) : '';
        if (!TOP_KEYS.includes(name))
          this.#complain([name], `unknown key "${name}"${didYouMean(name, TOP_KEYS)}`);
      }
    const config = {
      path,
      context: this.#text(['context']),
      previous: this.#text(['previous']),
      contexts: this.#sections('contexts'),
      defaults: this.#section(['defaults']),
      commands: this.#sections('commands'),
    };
    const { context, contexts } = config;
    if (context !== undefined && !contexts.has(context))
      this.#complain(
        ['context'],
        `there is no context "${context}"${didYouMean(context, [...contexts.keys()])}`,
      );
    return config;
  }

  /** The line on which a value stands, or the thing above it. */
  lineOf(keys: readonly string[]): number {
    const node: unknown =
      keys.length === 0 ? this.#document.contents : this.#document.getIn(keys, true);
    const range =
      typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
    if (Array.isArray(range) && typeof range[0] === 'number')
      return this.#lines.linePos(range[0]).line;
    return keys.length === 0 ? 1 : this.lineOf(keys.slice(0, -1));
  }

  #complain(keys: readonly string[], what: string): void {
    this.complaints.push({ line: this.lineOf(keys), what });
  }

  #sections(name: string): ReadonlyMap<string, Section> {
    return new Map(this.#keysOf([name]).map((key) => [key, this.#section([name, key])]));
  }

  #section(keys: readonly string[]): Section {
    const values = this.#keysOf(keys).flatMap((key): [string, Value][] => {
      const value = this.#value([...keys, key]);
      return value === undefined ? [] : [[key, value]];
    });
    return new Map(values);
  }

  #keysOf(keys: readonly string[]): string[] {
    const node = this.#nodeAt(keys);
    if (isMap(node)) return node.items.map(({ key }) => (isScalar(key) ? String(key.value) : ''));
    const isAbsent = node === undefined || (isScalar(node) && node.value === null);
    if (!isAbsent) this.#complain(keys, `${keys.join('.')} must be keys with values`);
    return [];
  }

  /** A word, a number or a truth value as a command line would have it; each of them, where there is a list. */
  #value(keys: readonly string[]): Value | undefined {
    const node = this.#nodeAt(keys);
    if (!isSeq(node)) return this.#text(keys);
    const texts = node.items.map(textOf).filter((text) => text !== undefined);
    if (texts.length === node.items.length && texts.length > 0) return texts;
    this.#complain(keys, `${keys.join('.')} must be a list of texts, numbers, true or false`);
    return undefined;
  }

  #text(keys: readonly string[]): string | undefined {
    const node = this.#nodeAt(keys);
    if (node === undefined || (isScalar(node) && node.value === null)) return undefined;
    const text = textOf(node);
    if (text === undefined)
      this.#complain(keys, `${keys.join('.')} must be a text, a number, true or false`);
    return text;
  }

  #nodeAt(keys: readonly string[]): unknown {
    return isMap(this.#document.contents) ? this.#document.getIn(keys, true) : undefined;
  }
}

const textOf = (node: unknown): string | undefined =>
  isScalar(node) && ['string', 'number', 'boolean'].includes(typeof node.value)
    ? String(node.value)
    : undefined;

/** A change of a configuration file that leaves everything else in it as it stands. @throws TocsinError BAD_CONFIG */
export function editConfig(text: string, path: string, edit: (document: Document) => void): string {
  parseConfig(text, path);
  const document = parseDocument(text);
  edit(document);
  return document.toString({ lineWidth: 0 });
}
