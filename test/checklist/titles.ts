import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSource, ROOT, type SyntaxNode, walk } from '../sources.ts';

/** Every text that a file of tests could be meant by: the titles of its tests, and the words of its tables. */
export interface Titles {
  readonly path: string;
  readonly tests: ReadonlySet<string>;
  readonly words: ReadonlySet<string>;
}

const asNode = (value: unknown): SyntaxNode => value as SyntaxNode;

/** A text as the source has it; what is computed within it shows as '…'. */
function textOf(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node?.type !== 'TemplateLiteral') return undefined;
  const parts = node['quasis'] as { readonly value: { readonly cooked: string } }[];
  return parts.map(({ value }) => value.cooked).join('…');
}

/** `test`, `test.each(rows)`, `test.skipIf(why)`: the name they all begin with. */
function calls(callee: SyntaxNode): string | undefined {
  if (callee.type === 'Identifier') return callee['name'] as string;
  if (callee.type === 'MemberExpression') return calls(asNode(callee['object']));
  return callee.type === 'CallExpression' ? calls(asNode(callee['callee'])) : undefined;
}

/** The path of the file a test is in: 'raft/votes' is test/raft/votes.test.ts, or the like without '.test'. */
export const pathOf = (file: string): string | undefined =>
  [`test/${file}.test.ts`, `test/${file}.ts`].find((path) => existsSync(join(ROOT, path)));

/** Scripts that a test runs, in a folder of its name: the name of each is its claim. */
function scriptsOf(file: string): string[] {
  const folder = join(ROOT, 'test', file);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => name.endsWith('.txt')).map((name) => name.slice(0, -4));
}

export function titlesIn(file: string): Titles | undefined {
  const path = pathOf(file);
  if (path === undefined) return undefined;
  const tests = new Set<string>(scriptsOf(file));
  const words = new Set<string>();
  walk(parseSource(path, readFileSync(join(ROOT, path), 'utf8')).tree, (node) => {
    const text = textOf(node);
    if (text !== undefined) words.add(text);
    if (node.type === 'Property') words.add(String(asNode(node['key'])['name']));
    if (node.type !== 'CallExpression' || calls(asNode(node['callee'])) !== 'test') return;
    const title = textOf((node['arguments'] as SyntaxNode[])[0]);
    if (title !== undefined) tests.add(title);
  });
  return { path, tests, words };
}

/** What is wrong with 'raft/votes › title › row', or undefined if there is such a test. */
export function complaintAbout(
  name: string,
  titles: (file: string) => Titles | undefined,
): string | undefined {
  const [file = '', title = '', row] = name.split(' › ');
  const known = titles(file);
  if (known === undefined) return `${name}: there is no such file`;
  if (!known.tests.has(title)) return `${name}: ${known.path} has no test of that title`;
  return row === undefined || known.words.has(row) ? undefined : `${name}: no such row`;
}
