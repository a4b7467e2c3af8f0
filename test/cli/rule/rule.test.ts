import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { shippedRules } from '../../../cli/demo/shipped-rules.ts';
import { loadRules, parseRules } from '../../../cli/input/rules-file.ts';
import { addRule } from '../../../cli/rule/add.ts';
import { runIn } from '../commands/world.ts';
import { folderOf, RESTLESS_AND_SLOW } from '../replay/made-up.ts';

const BIDMC = shippedRules('bidmc.yaml');
const TRENDS = shippedRules('trends.yaml');

describe('tocsin rule', () => {
  it('list shows every rule of a file, in words', async () => {
    const { stdout, status } = await runIn({}, 'rule', 'list', TRENDS);
    expect(stdout).toContain(
      'HR is at or above 131 /min 10 times in a row; ends after 10 that are 3 back inside',
    );
    expect(stdout).toContain('SpO2:SLOPE:LO');
    expect(status).toBe(0);
  });

  it('explain says what an alert carries, and that a trend is advisory', async () => {
    const { stdout } = await runIn({}, 'rule', 'explain', TRENDS, 'hr-shift');
    expect(stdout).toContain(
      'hr-shift@1: deviations of HR beyond 0.5 standard deviations add up to 8',
    );
    expect(stdout).toContain('advisory');
  });

  it('explain suggests the rule that was meant', async () => {
    const { stderr, status } = await runIn({}, 'rule', 'explain', BIDMC, 'hr-hihg');
    expect(stderr).toContain('did you mean "hr-high"');
    expect(status).toBe(2);
  });

  it('test shows what would have alarmed, and how often', async () => {
    const folder = await folderOf(RESTLESS_AND_SLOW);
    const { stdout } = await runIn({}, 'rule', 'test', BIDMC, folder, '-o', 'csv');
    expect(stdout).toBe(
      [
        'patient,seconds,rule,condition,phase,value',
        '1,19,hr-high,HR:HI,start,150',
        '1,49,hr-high,HR:HI,end,80',
        '1,69,hr-missing,HR:TEC,start,',
        '1,80,hr-missing,HR:TEC,end,80',
        '2,59,hr-low,HR:LO,start,30',
        '',
      ].join('\n'),
    );
    const summary = await runIn({}, 'rule', 'test', BIDMC, folder, '--summary', '-o', 'jsonl');
    expect(JSON.parse(summary.stdout.split('\n')[0] ?? '')).toEqual({
      rule: 'hr-high',
      starts: 1,
      patients: 1,
      startsPerPatientHour: 18,
    });
  });
});

describe('adding a rule', () => {
  const filesOf = (texts: Record<string, string>) => ({
    read: (path: string) => Promise.resolve(texts[path]),
    write: (path: string, text: string) => {
      texts[path] = text;
      return Promise.resolve();
    },
  });
  const RULE = '{ id: hr-drift, metric: HR, kind: ewma, weight: 0.2, limit: 5, priority: low }';

  it('keeps comments and order, raises the revision, and the file stays valid', async () => {
    const texts: Record<string, string> = { 'a.yaml': await readFile(BIDMC, 'utf8') };
    expect(await addRule(filesOf(texts), 'a.yaml', RULE)).toEqual({ id: 'hr-drift', revision: 2 });
    const after = parseRules(texts['a.yaml'] ?? '', 'a.yaml');
    const before = await loadRules(BIDMC);
    expect(after).toEqual({
      ...before,
      revision: 2,
      trends: [expect.objectContaining({ id: 'hr-drift', startAfter: 1, endAfter: 1 })],
    });
    expect(texts['a.yaml']).toContain('# The rules of the BIDMC recordings');
  });

  it.each([
    [
      'a rule that the set has already',
      '{ id: hr-high, metric: HR, side: LO, limit: 30, startAfter: 1, endAfter: 1, priority: low }',
      /hr-high/,
    ],
    [
      'a field that nobody knows',
      '{ id: x, metric: HR, kind: ewma, weight: 0.2, limit: 5, priority: low, colour: red }',
      /colour|trends/,
    ],
    ['a kind that nobody knows', '{ id: x, metric: HR, kind: magic, priority: low }', /kind|stuck/],
    ['no map', 'seven', /not a map/],
  ])('refuses %s, and writes nothing', async (_what, rule, message) => {
    const texts: Record<string, string> = { 'a.yaml': await readFile(BIDMC, 'utf8') };
    const before = texts['a.yaml'];
    await expect(addRule(filesOf(texts), 'a.yaml', rule)).rejects.toThrow(message);
    expect(texts['a.yaml']).toBe(before);
  });
});
