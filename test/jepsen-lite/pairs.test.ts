import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NEMESES } from '../../jepsen-lite/nemeses/table.ts';
import { parseOptions } from '../../jepsen-lite/options.ts';
import {
  exitOf,
  optionsOf,
  type PairOutcome,
  pairsOf,
  runPairs,
  tableOf,
} from '../../jepsen-lite/pairs.ts';
import type { Run } from '../../jepsen-lite/run.ts';
import { WORKLOADS } from '../../jepsen-lite/workloads/table.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'tocsin-pairs-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const ALL = ['--all', '--seed', '7', '--out', FOLDER];

test('each nemesis meets each kind of work once, with as many replicas as it needs', () => {
  const options = parseOptions(ALL);
  const pairs = pairsOf(options);
  const names = new Set(pairs.map(({ nemesis, workload }) => `${nemesis} ${workload}`));
  expect(pairs).toHaveLength(NEMESES.length * (WORKLOADS.length - 1));
  expect(names.size).toBe(pairs.length);
  const all = pairs.map((pair, at) => optionsOf(options, pair, at));
  expect(new Set(all.map(({ out }) => out)).size).toBe(pairs.length);
  expect(new Set(all.map(({ seed }) => seed)).size).toBe(pairs.length);
  for (const { nemeses, replicas } of all) expect(replicas).toBe(nemeses[0] === 'ring' ? 5 : 3);
});

test('what is asked for alone is run alone', () => {
  const options = parseOptions([...ALL, '--nemesis', 'kill,pause', '--workload', 'unique']);
  expect(pairsOf(options)).toEqual([
    { nemesis: 'kill', workload: 'unique' },
    { nemesis: 'pause', workload: 'unique' },
  ]);
});

test('each outcome is told, also of runs that could not be made, and the worst one is the exit status', async () => {
  const options = parseOptions([...ALL, '--nemesis', 'kill,pause,loss', '--workload', 'unique']);
  const ran = { verdict: 'valid', why: [], faults: { kill: 3 }, leftOut: { loss: 'no tc here' } };
  const runOne = ({ nemeses, out }: typeof options): Promise<Run> =>
    nemeses[0] === 'pause'
      ? Promise.reject(new Error('the cluster cannot be reached'))
      : Promise.resolve({ ...ran, folder: out } as unknown as Run);
  const lines: string[] = [];
  const outcomes = await runPairs(
    options,
    runOne,
    (line) => lines.push(line),
    new AbortController().signal,
  );
  expect(lines).toEqual([
    'kill with unique: valid, 3 struck',
    'pause with unique: failed, 0 struck: the cluster cannot be reached',
    'loss with unique: left out, 0 struck: no tc here',
  ]);
  expect(tableOf(outcomes)).toBe(
    '         unique\nkill          3\npause    failed\nloss   left out',
  );
  expect(exitOf(outcomes)).toBe(3);
  expect(JSON.parse(readFileSync(join(FOLDER, 'pairs.json'), 'utf8'))).toMatchObject({ outcomes });
});

test.each<readonly [PairOutcome['verdict'], number]>([
  ['valid', 0],
  ['left out', 0],
  ['INVALID', 1],
  ['VOID', 2],
  ['none', 2],
  ['failed', 3],
])('of one that is %s the exit status is %i', (verdict, status) => {
  expect(exitOf([{ nemesis: 'kill', workload: 'unique', verdict, struck: 1, why: [] }])).toBe(
    status,
  );
});

test('a cluster to attach to has no faults of ours to pair', () => {
  for (const more of [
    ['--attach', '/ip4/10.0.0.1/tcp/1'],
    ['--nemesis', 'none'],
  ])
    expect(() => parseOptions(['--all', ...more])).toThrow('--all breaks a cluster of our own');
});
