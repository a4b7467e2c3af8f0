import { CLOCKS, DOORS, MAY_IMPORT, MAY_REACH, PURE, TYPES_ONLY } from '../scripts/layers.ts';
import { lineAt, type Source, type SyntaxNode, walk } from './sources.ts';

/**
 * The rules of the house that no other tool holds. Each takes sources and returns its complaints, so that a test can
 * show each rule what it must find.
 */
export type Rule = (sources: readonly Source[]) => string[];

const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 400;

/** Files that may be longer, each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'src/base/limits.ts': 'every limit stands in one place, with what must hold between them',
  'scripts/expectations.ts': 'it is one list of 69 entries',
};

/** Constants outside src/base whose names sound like limits, each with the reason why it is none that anyone could choose. */
const NO_LIMITS: Readonly<Record<string, string>> = {
  'src/statemachine/beside/rule-book.ts RULES_MAX': 'the sum of limits that stand there',
  'src/statemachine/collections/key-table.ts SHARD_SLOTS_MIN': 'how a collection begins',
  'src/statemachine/collections/sorted-map.ts BLOCK_LENGTH_MAX': 'how a collection divides itself',
  'src/statemachine/queries/metrics.ts REFLEX_MS': 'what the standard takes for a reflex',
  'src/statemachine/timers.ts KINDS_MAX': 'how many kinds a number has room for',
  'src/transport/system-clock.ts TIMER_MS_MAX': 'what a timer of the machine can hold',
  'src/wire/checksum.ts NATIVE_BYTES_MIN': 'where the native code is faster',
  'src/wire/commands/parse-parts.ts ACTIVATION_MAX': 'what the field can hold',
  'src/wire/commands/scan.ts NATIVE_UTF8_BYTES_MIN': 'where the native code is faster',
  'src/wire/log/item-writer.ts WHOLE_BYTES_MAX': 'what a number takes at most',
  'src/wire/trend/trend-samples.ts QUALITY_MAX': 'what the field can hold',
};

/** What a rule or a format is about, and what only tests use, is not a limit of the running product. */
const LIMITED = /^src\/(raft|statemachine|wire|storage|transport|oncall|notify|replica|client)\//;

const complain = (
  sources: readonly Source[],
  judge: (source: Source, report: (what: string, at?: SyntaxNode) => void) => void,
): string[] =>
  sources.flatMap((source) => {
    const complaints: string[] = [];
    judge(source, (what, at) => {
      const line = at === undefined ? '' : `:${lineAt(source.text, at.start)}`;
      complaints.push(`${source.path}${line} ${what}`);
    });
    return complaints;
  });

const topOf = (path: string): string => path.split('/')[0] ?? '';

/** 'raft' for src/raft/log.ts; undefined for files outside src and for the barrels directly in it. */
function layerOf(path: string): string | undefined {
  const [top, folder, file] = path.split('/');
  return top === 'src' && file !== undefined ? folder : undefined;
}

const isPure = (source: Source): boolean => PURE.includes(layerOf(source.path) ?? '');

export const importsPointDown: Rule = (sources) =>
  complain(sources, (source, report) => {
    const from = layerOf(source.path);
    if (from === undefined) return;
    const allowed = MAY_IMPORT[from];
    if (allowed === undefined) {
      report('is in a folder that scripts/layers.ts does not know');
      return;
    }
    for (const { target } of source.imports) {
      const to = target === undefined ? undefined : layerOf(target);
      if (target?.startsWith('src/') && to === undefined) report(`imports the barrel ${target}`);
      if (to !== undefined && to !== from && !allowed.includes(to)) report(`imports ${target}`);
    }
  });

export const foldersKeepApart: Rule = (sources) =>
  complain(sources, (source, report) => {
    const from = topOf(source.path);
    const allowed = MAY_REACH[from];
    if (allowed === undefined) return;
    for (const { target } of source.imports) {
      if (target === undefined) continue;
      const to = topOf(target);
      if (to !== from && !allowed.includes(to)) report(`imports ${target}`);
    }
  });

export const someTakeTypesOnly: Rule = (sources) =>
  complain(sources, (source, report) => {
    const from = TYPES_ONLY[layerOf(source.path) ?? ''] ?? [];
    for (const { target, isTypeOnly } of source.imports) {
      const to = target === undefined ? undefined : layerOf(target);
      if (to !== undefined && from.includes(to) && !isTypeOnly) {
        report(`imports values of ${target}, may take types only`);
      }
    }
  });

const isOf = (specifier: string, door: string): boolean =>
  door.endsWith('/')
    ? specifier.startsWith(door)
    : specifier === door || specifier.startsWith(`${door}/`);

export const eachLibraryHasOneDoor: Rule = (sources) =>
  complain(sources, (source, report) => {
    for (const { specifier, target } of source.imports) {
      if (specifier === undefined || target !== undefined) continue;
      if (specifier.startsWith('node:') || isOf(specifier, 'tocsin')) continue;
      const [, folders] = Object.entries(DOORS).find(([door]) => isOf(specifier, door)) ?? [];
      const isDoor = folders?.some(
        (folder) => source.path === folder || source.path.startsWith(`${folder}/`),
      );
      if (isDoor !== true) report(`imports ${specifier}, whose door is ${folders ?? 'nowhere'}`);
    }
  });

export const importsAreWritten: Rule = (sources) =>
  complain(sources, (source, report) => {
    if (!source.path.startsWith('src/')) return;
    for (const { specifier } of source.imports) {
      if (specifier === undefined) report('computes what it imports, so nobody can check it');
    }
  });

export const importsLeadSomewhere: Rule = (sources) => {
  const paths = new Set(sources.map(({ path }) => path));
  return complain(sources, (source, report) => {
    for (const { target } of source.imports) {
      const isOurs = target !== undefined && /\.(ts|mjs|js)$/.test(target);
      if (isOurs && !target.startsWith('dist/') && !paths.has(target))
        report(`imports ${target}, which is not there`);
    }
  });
};

/** By their names: top-level constants that bound or time something, and are made of numbers. */
const LIMIT = /^(?:export )?const ([A-Z][A-Z0-9_]*_(?:MAX|MIN|MS|TICKS))(?:: number)? = ([^;]*);/gm;

/** Names of units say what they are made of. */
const UNIT = /^(?:HOUR|MINUTE|DAY)_MS$|_PER_MS$/;

export const limitsStandTogether: Rule = (sources) =>
  complain(sources, (source, report) => {
    if (!LIMITED.test(source.path)) return;
    for (const [, name = '', value = ''] of source.text.matchAll(LIMIT)) {
      if (`${source.path} ${name}` in NO_LIMITS || UNIT.test(name) || !/\d/.test(value)) continue;
      report(
        `has the limit ${name}, which belongs into src/base/limits.ts with what must hold of it`,
      );
    }
  });

const nameOf = (node: unknown): string | undefined => {
  const name = (node as SyntaxNode | null | undefined)?.['name'];
  return typeof name === 'string' ? name : undefined;
};

/** A name that is read as a variable, not as the name of a field, parameter or declaration of the file's own. */
function isFree(node: SyntaxNode, above: readonly SyntaxNode[]): boolean {
  const parent = above.at(-1);
  if (parent === undefined) return true;
  if (parent.type === 'MemberExpression')
    return parent['object'] === node || parent['computed'] === true;
  if (parent.type === 'Property') return parent['value'] === node || parent['computed'] === true;
  return !/^(TS|MethodDefinition|PropertyDefinition|Import|Export|Label)/.test(parent.type);
}

const declares = (source: Source, name: string): boolean =>
  new RegExp(`\\b(?:const|let|function|class)\\s+${name}\\b|[(,{]\\s*${name}\\s*[,:)}]`).test(
    source.text,
  );

/** Reports each use of a global of the machine, unless the file itself declares the name. */
function findGlobals(
  source: Source,
  globals: ReadonlySet<string>,
  report: (what: string, at: SyntaxNode) => void,
): void {
  walk(source.tree, (node, above) => {
    const name = node.type === 'Identifier' ? nameOf(node) : undefined;
    if (name === undefined || !globals.has(name)) return;
    if (isFree(node, above) && !declares(source, name)) report(`uses ${name}`, node);
  });
}

const TIME: readonly string[] = [
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'Intl',
];
const MACHINE: readonly string[] = [
  'process',
  'crypto',
  'Buffer',
  'fetch',
  'console',
  'global',
  'globalThis',
  'queueMicrotask',
  'Atomics',
  'WeakRef',
  'FinalizationRegistry',
  'require',
];

const isChance = (node: SyntaxNode): boolean =>
  node.type === 'MemberExpression' &&
  nameOf(node['object']) === 'Math' &&
  nameOf(node['property']) === 'random';

/** The pure folders: same input, same output, on every replica. */
export const thePureOnlyCompute: Rule = (sources) =>
  complain(sources.filter(isPure), (source, report) => {
    for (const { specifier, target } of source.imports) {
      if (target === undefined) report(`imports ${specifier}`);
    }
    findGlobals(source, new Set([...TIME, ...MACHINE]), report);
    walk(source.tree, (node) => {
      if (node.type === 'AwaitExpression') report('awaits', node);
      if (node['async'] === true) report('is async', node);
      if (node.type === 'ForOfStatement' && node['await'] === true) report('awaits', node);
    });
  });

export const nobodyRollsDice: Rule = (sources) =>
  complain(sources, (source, report) => {
    if (!/^(src|cli|test|bench|jepsen-lite)\//.test(source.path)) return;
    walk(source.tree, (node) => {
      if (isChance(node)) report('uses Math.random; take a Prng with a seed', node);
    });
  });

export const onlyTheClockKnowsTheTime: Rule = (sources) =>
  complain(sources, (source, report) => {
    if (!source.path.startsWith('src/') || CLOCKS.includes(source.path)) return;
    findGlobals(source, new Set(TIME.filter((name) => name !== 'Intl')), report);
  });

const LISTERS: readonly string[] = ['test', 'it', 'describe'];

/** The first word of a call: `describe` in `describe.each(cases)('…', …)`. */
function firstWord(call: unknown): string | undefined {
  let node = call as SyntaxNode | null | undefined;
  while (node != null && nameOf(node) === undefined) {
    node = (node['object'] ?? node['callee']) as SyntaxNode | undefined;
  }
  return nameOf(node);
}

/** A function that declares tests, as one handed to `describe` does, is a list of them, not a function to read as one. */
function isList(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  if (parent?.type === 'CallExpression' && firstWord(parent) === 'describe') return true;
  const body = (node['body'] as SyntaxNode | undefined)?.['body'];
  if (!Array.isArray(body)) return false;
  return body.some(
    (statement: SyntaxNode) =>
      statement.type === 'ExpressionStatement' &&
      LISTERS.includes(firstWord(statement['expression']) ?? ''),
  );
}

export const functionsFitAScreen: Rule = (sources) =>
  complain(sources, (source, report) => {
    walk(source.tree, (node, above) => {
      const isFunction =
        node.type === 'FunctionDeclaration' ||
        node.type === 'FunctionExpression' ||
        node.type === 'ArrowFunctionExpression';
      if (!isFunction || isList(node, above.at(-1))) return;
      const lines = lineAt(source.text, node.end) - lineAt(source.text, node.start) + 1;
      if (lines > FUNCTION_LINES_MAX) {
        report(`a function of ${lines} lines, above ${FUNCTION_LINES_MAX}`, node);
      }
    });
  });

export const filesHaveOneSubject: Rule = (sources) =>
  complain(sources, (source, report) => {
    const lines = source.text.split('\n').length - 1;
    if (lines > FILE_LINES_MAX && LONG_FILES[source.path] === undefined) {
      report(`has ${lines} lines, above ${FILE_LINES_MAX}`);
    }
  });

/** Where a program, a reader or a tool begins. */
const ENTRY =
  /^(src\/(client\/|testing\/)?index\.ts|cli\/main\.ts|bin\/.*|scripts\/.*|[^/]*\.config\.ts|test\/(setup\.ts|leaks\/.*)|.*\.test\.ts|(bench|jepsen-lite|examples)\/[^/]*\.ts)$/;

export const nobodyIsForgotten: Rule = (sources) => {
  const wanted = new Set(sources.flatMap(({ imports }) => imports.map(({ target }) => target)));
  // Programs that tests start as a process of their own are named in a string.
  const isNamed = (path: string): boolean => {
    const file = path.slice(path.lastIndexOf('/') + 1).replace(/\.ts$/, '');
    const name = new RegExp(`['"\`/]${file.replaceAll('.', '\\.')}\\.(ts|js)['"\`]`);
    return sources.some((other) => other.path !== path && name.test(other.text));
  };
  return complain(sources, ({ path }, report) => {
    if (!ENTRY.test(path) && !wanted.has(path) && !isNamed(path)) report('is imported by nobody');
  });
};

const STILL_TO_DO: RegExp = new RegExp(`\\b(${['TO', 'FIX', 'X'].join('|')})(DO|ME|XX)\\b`);

export const nothingIsLeftToDo: Rule = (sources) =>
  complain(sources, (source, report) => {
    const found = STILL_TO_DO.exec(source.text);
    if (found !== null) report(`says ${found[0]}: do it, or file an issue`);
  });

const TEST_WORDS: readonly string[] = ['test', 'it', 'describe', 'bench'];

export const everyTestRuns: Rule = (sources) =>
  complain(sources, (source, report) => {
    if (!source.path.startsWith('test/')) return;
    walk(source.tree, (node) => {
      if (node.type !== 'MemberExpression') return;
      const [object, property] = [nameOf(node['object']), nameOf(node['property']) ?? ''];
      if (!TEST_WORDS.includes(object ?? '')) return;
      if (['only', 'skip', 'todo', 'fails'].includes(property))
        report(`${object}.${property}`, node);
    });
  });
