import { type Document, parseDocument } from 'yaml';
import { TocsinError } from '../../src/base/errors.ts';
import type { Files } from '../commands/io.ts';
import { listFor } from '../input/rule-schemas.ts';
import { parseRules } from '../input/rules-file.ts';

export interface Added {
  readonly id: string;
  readonly revision: number;
}

/**
 * Puts a rule into a file, whose comments and order stay, and raises its revision by one.
 * @throws TocsinError BAD_RULES when the file is none, or the rule does not go with it; nothing is written then
 */
export async function addRule(files: Files, path: string, text: string): Promise<Added> {
  const before = await files.read(path);
  if (before === undefined) throw new TocsinError('BAD_RULES', `${path}: there is no such file`);
  const { revision } = parseRules(before, path);
  const rule = parseDocument(text).toJS() as unknown;
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule))
    throw new TocsinError('BAD_RULES', '--rule: is not a map');
  const document = parseDocument(before);
  append(document, listFor(rule), rule);
  document.set('revision', revision + 1);
  const after = path.toLowerCase().endsWith('.json')
    ? `${JSON.stringify(document.toJS(), null, 2)}\n`
    : document.toString({ lineWidth: 0 });
  parseRules(after, path);
  await files.write(path, after);
  return { id: 'id' in rule ? String(rule.id) : '', revision: revision + 1 };
}

function append(document: Document, list: string, rule: object): void {
  if (!document.has(list)) document.set(list, document.createNode([]));
  document.addIn([list], document.createNode(rule, { flow: true }));
}
