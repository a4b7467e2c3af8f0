import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { buildWholeProgram } from '../../../cli/commands/program.ts';
import { leavesOf } from '../../../cli/config/tree.ts';
import { FORMATS } from '../../../cli/output/formats.ts';
import { logIndex, unixMillis } from '../../../src/base/ids.ts';
import { anAlert, pageOf, runIn, SETTLED, World } from './world.ts';

/** What gives its answer in one form of its own, and why. */
const IN_ONE_FORM: Readonly<Record<string, string>> = {
  'score news2': 'is CSV',
  'score mews': 'is CSV',
  'score qsofa': 'is CSV',
  'score shock-index': 'is CSV',
  completion: 'prints a script',
  complete: 'speaks to that script',
};

/** Play for a while, wait for a cluster of their own, or read and write files: they have tests of their own. */
const SLOW: ReadonlySet<string> = new Set([
  'demo',
  'replay',
  'bench',
  'rule load',
  'score early-warning',
  'rule explain',
  'rule test',
  'shell',
  'schedule set',
  'alert transaction',
  'trend load',
  'trend export',
  'cluster transfer',
  'cluster drain',
]);

const LEAVES = leavesOf(await buildWholeProgram(new World())).filter(
  ({ path }) => IN_ONE_FORM[path] === undefined,
);
const PROGRAM_FORMATS = FORMATS.filter((format) => format !== 'table' && format !== 'wide');
const CASES = LEAVES.filter(({ path }) => !SLOW.has(path)).flatMap(({ path }) =>
  PROGRAM_FORMATS.map((format) => [path, format] as const),
);

/** @throws when the text is not of the format */
function parse(text: string, format: (typeof FORMATS)[number]): unknown[] {
  const lines = text.split('\n').slice(0, -1);
  switch (format) {
    case 'json':
      // A stream is a document a line.
      return text.startsWith('{\n') || text.startsWith('[')
        ? [JSON.parse(text)]
        : lines.map((line) => JSON.parse(line));
    case 'jsonl':
      return lines.map((line): unknown => JSON.parse(line));
    case 'yaml':
      return parseAllDocuments(text).map((document) => {
        if (document.errors.length > 0) throw document.errors[0];
        return document.toJS() as unknown;
      });
    default:
      return lines;
  }
}

/** The first example of the help that needs nothing filled in. */
async function exampleOf(path: string): Promise<string[]> {
  const { stdout } = await runIn({ columns: 300 }, ...path.split(' '), '--help');
  const [line = ''] = (stdout.split('\n\n')[0] ?? '')
    .split('\n')
    .map((one) => one.trim().replace(/ {2,}.*$/, ''))
    .filter(
      (one) => one.startsWith('tocsin ') && !one.includes('…') && !/ (-o|--json)\b/.test(one),
    );
  return [...line.matchAll(/'([^']*)'|(\S+)/g)]
    .map(([, quoted, plain]) => quoted ?? plain ?? '')
    .slice(1);
}

describe('every command', () => {
  test.each(LEAVES.map(({ path, command }) => [path, command] as const))(
    '%s takes -o in every form',
    (_path, command) => {
      const help = command.options.find(({ long }) => long === '--output');
      expect(help?.description).toBe(FORMATS.join(', '));
    },
  );

  test.each(CASES)('%s answers as %s', async (path, format) => {
    const alert = anAlert({ text: 'a "quoted", text' });
    const step = { revision: alert.revision, effect: 'raised', actor: 'mon42', alert } as const;
    const event = { ...step, index: logIndex(1), time: unixMillis(1), observedAt: unixMillis(1) };
    const history = { events: [event], next: undefined, isCompacted: true };
    const world = new World({
      ...SETTLED,
      answers: { alert, history, pages: [pageOf([alert, anAlert()])] },
    });
    const argv = [...(await exampleOf(path)), '-o', format];
    const { stdout, stderr } = await world.interruptAfterOutput().run(...argv);

    expect(stderr).toBe('');
    const parsed = parse(stdout, format);
    expect(parsed.length).toBeGreaterThan(0);
    for (const one of parsed) expect(one).toBeTruthy();
  });
});

describe('a list', () => {
  const pages = [
    pageOf([anAlert({ text: 'x\u202ey' }), anAlert({ id: 'A7', acknowledged: true })]),
  ];
  const list = (format: string) => runIn({ answers: { pages } }, 'alert', 'list', '-o', format);

  test('is a line for each alert as JSON lines', async () => {
    const { stdout } = await list('jsonl');

    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ id: 'A1042', text: 'x\u202ey' }, { id: 'A7' }]);
    expect(stdout).not.toContain('\u202e');
  });

  test('is a row for each alert as CSV, a field within a field in a column of its own', async () => {
    const [head = '', ...rows] = (await list('csv')).stdout.trim().split('\n');

    expect(head.split(',')).toContain('subject.bed');
    expect(rows.map((row) => row.split(',')[head.split(',').indexOf('subject.bed')])).toEqual([
      'B12',
      'B12',
    ]);
  });

  test('is one document as YAML, in which nobody is fooled by what is not seen', async () => {
    const { stdout } = await list('yaml');

    expect(stdout).toContain('text: "x\\u202ey"');
    expect(stdout).toMatch(/^revision: 1042\nalerts:\n/);
  });

  test('has all columns at full width as wide, on a narrow terminal too', async () => {
    const { stdout } = await runIn(
      { answers: { pages }, columns: 60 },
      'alert',
      'list',
      '-o',
      'wide',
    );

    expect(stdout).toMatch(/REVISION.*RAISED.*TEXT/);
  });
});
