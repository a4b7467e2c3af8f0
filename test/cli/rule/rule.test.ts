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

describe('rules in force', () => {
  const RULE =
    '{ id: hr-drift, metric: HR, kind: cusum, slack: 0.5, limit: 8, priority: low, startAfter: 2 }';

  it('add puts one in force, checked and complete', async () => {
    const { calls, stdout, status } = await runIn({}, 'rule', 'add', '--rule', RULE);
    expect(status, stdout).toBe(0);
    expect(calls.find(({ method }) => method === 'keep')?.args[0]).toMatchObject({
      type: 'set-rule',
      rule: { list: 'trends', id: 'hr-drift', kind: 'cusum', startAfter: 2, endAfter: 1 },
    });
  });

  it.each([
    ['a figure out of range', RULE.replace('limit: 8', 'limit: 800'), 'limit: 800'],
    ['a field that nobody knows', RULE.replace('}', ', colour: red }'), 'colour'],
    ['no map', 'seven', 'not a map'],
  ])('add sends nothing of a rule with %s', async (_what, rule, message) => {
    const { calls, stderr, status } = await runIn({}, 'rule', 'add', '--rule', rule);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
    expect(calls).toEqual([]);
  });

  it('list shows them with their versions, get one as a file would have it', async () => {
    const list = await runIn({}, 'rule', 'list', '-o', 'csv');
    expect(list.stdout).toContain('hr-high,12,HR:HI,high');
    const { stdout } = await runIn({}, 'rule', 'get', 'hr-high');
    expect(stdout).toContain('# hr-high, version 12\nid: hr-high\nmetric: HR\n');
  });

  it('get suggests what was meant', async () => {
    const { stderr, status } = await runIn({}, 'rule', 'get', 'hr-hihg');
    expect(stderr).toContain('did you mean "hr-high"');
    expect(status).not.toBe(0);
  });

  it('remove asks for its removal', async () => {
    const { calls } = await runIn({}, 'rule', 'remove', 'hr-high');
    expect(calls.find(({ method }) => method === 'keep')?.args[0]).toMatchObject({
      type: 'remove-rule',
      id: 'hr-high',
    });
  });

  it('load puts in force what a file has and the cluster does not', async () => {
    const { calls, stdout } = await runIn({}, 'rule', 'load', BIDMC);
    const { rules, missing } = await loadRules(BIDMC);
    const kept = calls.filter(({ method }) => method === 'keep');
    const same = rules.find(({ id }) => id === 'hr-high');
    expect(kept.length).toBe(rules.length + missing.length - Number(same?.priority === 'high'));
    expect(stdout).toContain(`${rules.length + missing.length} rules, ${kept.length} changed`);
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
