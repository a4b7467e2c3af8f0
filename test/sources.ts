import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync } from 'vite';

/** What the house's own tests know about a source file: its text, its syntax tree and what it imports. */

/** A node of the syntax tree (ESTree with TypeScript's additions), seen without knowing its kind. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Import {
  /** What the source says: './a.ts', 'level', 'node:fs'; undefined where it is computed. */
  readonly specifier: string | undefined;
  /** Path of the file it leads to, from the root; undefined for packages and modules of Node. */
  readonly target: string | undefined;
  /** Gone after compilation. */
  readonly isTypeOnly: boolean;
}

export interface Source {
  /** From the root, with slashes: 'src/raft/log.ts'. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly tree: SyntaxNode;
}

export const ROOT: string = join(import.meta.dirname, '..');

const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage', '.git']);

/** Every file below `folder` whose name ends as one of `endings`; none if there is no such folder. */
export function filesBelow(folder: string, endings: readonly string[], root: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.flatMap((entry): string[] => {
    if (SKIPPED.has(entry.name)) return [];
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesBelow(path, endings, root);
    return endings.some((ending) => entry.name.endsWith(ending)) ? [path] : [];
  });
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  typeof value.type === 'string' &&
  'start' in value;

/** Visits every node, parents first, each with the nodes above it, nearest last. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, above: readonly SyntaxNode[]) => void,
  above: readonly SyntaxNode[] = [],
): void {
  visit(node, above);
  const path = [...above, node];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, visit, path);
    }
  }
}

const textIn = (node: unknown): string | undefined =>
  isNode(node) && typeof node['value'] === 'string' ? node['value'] : undefined;

/** `import {type A, type B}` is as type-only as `import type {A, B}`; an import of nothing is not. */
function takesTypesOnly(node: SyntaxNode): boolean {
  if (node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const specifiers = Array.isArray(node['specifiers']) ? node['specifiers'].filter(isNode) : [];
  return (
    specifiers.length > 0 &&
    specifiers.every((one) => one['importKind'] === 'type' || one['exportKind'] === 'type')
  );
}

function importOf(path: string, specifier: string | undefined, isTypeOnly: boolean): Import {
  const target = specifier?.startsWith('.')
    ? normalize(join(dirname(path), specifier)).replaceAll('\\', '/')
    : undefined;
  return { specifier, target, isTypeOnly };
}

function importsOf(path: string, tree: SyntaxNode): Import[] {
  const found: Import[] = [];
  walk(tree, (node) => {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        if (!isNode(node['source'])) return;
        found.push(importOf(path, textIn(node['source']), takesTypesOnly(node)));
        return;
      case 'ImportExpression':
        found.push(importOf(path, textIn(node['source']), false));
        return;
      case 'TSImportType':
        found.push(importOf(path, textIn(node['source'] ?? node['argument']), true));
        return;
    }
  });
  return found;
}

/** Reads and parses one file. Throws if it is not TypeScript or JavaScript. */
export function parseSource(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const tree = program as unknown as SyntaxNode;
  return { path, text, tree, imports: importsOf(path, tree) };
}

/** Every source file of the repository. */
export function allSources(root: string = ROOT): Source[] {
  return filesBelow('', ['.ts', '.mjs', '.js'], root)
    .filter((path) => !path.endsWith('.d.mts') && !path.includes('/fixtures/'))
    .map((path) => parseSource(path, readFileSync(join(root, path), 'utf8')));
}

/** The line, counted from one, at a place of the text. */
export const lineAt = (text: string, offset: number): number =>
  text.slice(0, offset).split('\n').length;
