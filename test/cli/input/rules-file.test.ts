import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRules, parseRules } from '../../../cli/input/rules-file.ts';
import { TocsinError } from '../../../src/base/errors.ts';
import { HR_HIGH } from '../../hr-high.ts';

const EXAMPLES = resolve(import.meta.dirname, '../../../examples/rules');
const MISSING = { id: 'hr-gone', metric: 'HR', startAfter: 10, priority: 'low' };

const setOf = (rules: readonly object[], missing: readonly object[] = []): object => ({
  version: 1,
  name: 'test',
  rules,
  missing,
});

function refusalOf(text: string, path = 'rules.yaml'): string {
  try {
    parseRules(text, path);
  } catch (error) {
    if (error instanceof TocsinError && error.code === 'BAD_RULES') return error.message;
    throw error;
  }
  throw new Error('not refused');
}

describe('rule files', () => {
  it('mean the same in JSON and in YAML, with what was left out filled in', () => {
    const json = parseRules(JSON.stringify(setOf([HR_HIGH], [MISSING]), null, '\t'), 'rules.json');
    const yaml = parseRules(
      [
        'version: 1',
        'name: test',
        'rules:',
        '  - { id: hr-high, metric: HR, side: HI, limit: 131, startAfter: 10, endAfter: 10, priority: high }',
        'missing:',
        '  - { id: hr-gone, metric: HR, startAfter: 10, priority: low }',
      ].join('\n'),
      'rules.yaml',
    );
    expect(yaml).toEqual(json);
    expect(json).toEqual({
      version: 1,
      name: 'test',
      revision: 1,
      rules: [HR_HIGH],
      missing: [{ ...MISSING, endAfter: 1 }],
    });
  });

  const edited = (field: string, value: unknown) =>
    JSON.stringify(setOf([HR_HIGH, { ...HR_HIGH, id: 'second', instance: 'x', [field]: value }]));
  it.each<[string, string, string]>([
    [
      'an unknown field',
      edited('limmit', 1),
      'rules[1] (second), field limmit: unknown field (did you mean "limit"?)',
    ],
    ['a field far from any', edited('colour', 1), 'rules[1] (second), field colour: unknown field'],
    [
      'an unknown metric',
      edited('metric', 'SPO2'),
      'field metric: "SPO2" is not one of HR, PULSE, RESP, SpO2, ARTsys, ARTmean, TEMP, FiO2, GCS, AVPU (did you mean "SpO2"?)',
    ],
    [
      'a metric named like a member of any object',
      edited('metric', 'constructor'),
      'field metric: "constructor" is not one of',
    ],
    [
      'an unknown side',
      edited('side', 'high'),
      'rules[1] (second), field side: "high" is not one of HI, LO',
    ],
    ['an unknown priority', edited('priority', 'hihg'), '(did you mean "high"?)'],
    ['a limit of the wrong type', edited('limit', '131'), 'rules[1] (second), field limit: '],
    [
      'a limit that nobody reaches',
      edited('limit', 1310),
      'rules[1] (second), field limit: 1310 is not between 10 and 300 /min',
    ],
    ['no limit', edited('limit', undefined), 'rules[1] (second), field limit: '],
    ['half a sample', edited('startAfter', 1.5), 'field startAfter: 1.5 is not a whole number'],
    ['no sample', edited('startAfter', 0), 'field startAfter: 0 is not between 1 and 3600'],
    [
      'too many samples',
      edited('endAfter', 3_601),
      'field endAfter: 3601 is not between 1 and 3600',
    ],
    [
      'an id that cannot stand in a key',
      edited('id', 'a:b'),
      'rules[1] (a:b), field id: may hold letters',
    ],
    ['an id of another type', edited('id', 7), 'rules[1], field id: '],
    [
      'a double id',
      edited('id', 'hr-high'),
      'rules[1] (hr-high), field id: another rule has the id hr-high',
    ],
    [
      'two rules of one condition',
      edited('instance', undefined),
      'rules[1] (second), field instance: another rule is about HR:HI; give one of them an instance of its own',
    ],
    [
      'limits that overlap',
      edited('side', 'LO'),
      'rules[1] (second), field limit: the low limit 131 is not below the high limit 131 of hr-high',
    ],
    [
      'a rule that is no object',
      JSON.stringify(setOf([HR_HIGH, 5 as unknown as object])),
      'rules[1]: ',
    ],
    ['a misspelt list', '{"version":1,"name":"x","ruls":[]}', 'field rules: '],
    ['another version', '{"version":2,"name":"x","rules":[]}', 'field version: is not 1'],
    [
      'an unknown field of a missing rule',
      JSON.stringify(setOf([], [{ ...MISSING, limit: 1 }])),
      'missing[0] (hr-gone), field limit: unknown field',
    ],
    ['an empty file', '', 'file: '],
    ['a list', '[]', 'file: '],
    [
      'a key that stands twice',
      'version: 1\nname: a\nname: b\nrules: []\n',
      'is not YAML: Map keys must be unique',
    ],
    ['a broken line', 'version: 1\n  name: [', 'is not YAML: '],
    ['a second document', 'version: 1\n---\nname: x\n', 'is not YAML: '],
  ])('with %s are refused, and the message says where', (_, text, expected) => {
    const message = refusalOf(text);
    expect(message.startsWith('rules.yaml: ')).toBe(true);
    expect(message).toContain(expected);
    expect(message).not.toContain('\n');
  });

  it('named .json are strict JSON in which no key stands twice', () => {
    expect(refusalOf('version: 1', 'rules.json')).toContain('is not JSON: ');
    expect(refusalOf('{"version":1,"version":1,"name":"x","rules":[]}', 'a.JSON')).toContain(
      'must be unique',
    );
  });

  it('with aliases of aliases without end are refused', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg'] as unknown as [string, string][])
      bomb.push(`${to}: &${to} [${`*${from},`.repeat(9)}]`);
    expect(refusalOf(bomb.join('\n'))).toContain('is not YAML: ');
  });

  it('of any text are refused with BAD_RULES or read, and nothing else happens', () => {
    const piece = fc.constantFrom(
      'version: 1',
      'rules:',
      '- ',
      '  ',
      '\n',
      '{',
      '}',
      '&a',
      '*a',
      '!!js',
      '"',
      ': ',
      'id',
      '\t',
      '%',
      '__proto__: 1',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((all) => all.join('')),
          fc.json(),
        ),
        (text) => {
          for (const path of ['x.yaml', 'x.json'])
            expect(() => parseRules(text, path)).toThrow(TocsinError);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('loadRules', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tocsin-rules-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each(['bidmc', 'ward'])('reads the example %s', async (name) => {
    expect((await loadRules(join(EXAMPLES, `${name}.yaml`))).name).toBe(name);
  });

  it('the recordings’ example holds their rules and no others', async () => {
    const { rules, missing } = await loadRules(join(EXAMPLES, 'bidmc.yaml'));
    expect(
      rules.map(
        (rule) => `${rule.metric} ${rule.side} ${rule.limit} ${rule.startAfter}/${rule.endAfter}`,
      ),
    ).toEqual([
      'HR HI 131 10/10',
      'HR LO 40 10/10',
      'RESP HI 25 10/10',
      'RESP LO 8 10/10',
      'SpO2 LO 91 10/10',
    ]);
    expect(missing.map((rule) => `${rule.metric} ${rule.startAfter}/${rule.endAfter}`)).toEqual([
      'HR 10/1',
      'PULSE 10/1',
      'RESP 10/1',
      'SpO2 10/1',
    ]);
  });

  it.each<[string, (path: string) => Promise<void>, string]>([
    ['is not there', async () => {}, 'ENOENT'],
    ['is not UTF-8', (path) => writeFile(path, Buffer.from([0x76, 0xff])), 'cannot be read'],
    [
      'is too long',
      (path) => writeFile(path, '#'.repeat(1024 * 1024 + 1)),
      'at most 1048576 are read',
    ],
  ])('refuses a file that %s', async (_, make, expected) => {
    const path = join(folder, 'rules.yaml');
    await make(path);
    const refusal = { code: 'BAD_RULES', message: expect.stringContaining(expected) as string };
    await expect(loadRules(path)).rejects.toThrow(expect.objectContaining(refusal));
  });
});
