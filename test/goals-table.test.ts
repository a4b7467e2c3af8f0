import { expect, test } from 'vitest';
import type { Run } from '../bench/measure/results.ts';
import type { Row } from '../bench/workloads/stage.ts';
import { goalCells, type Results } from '../scripts/goals-table.ts';

const NOTHING: Results = {
  cluster: undefined,
  million: undefined,
  peers: undefined,
  trends: undefined,
  ingest: undefined,
};

const runOf = (figures: Readonly<Record<string, readonly [rate: number, p50: number]>>): Run => {
  const rows = Object.entries(figures).map(
    ([workload, [perSecond, p50]]) =>
      ({ workload, load: { perSecond, latencyMs: { p50, p99: p50 * 4 } } }) as unknown as Row,
  );
  return { rows } as unknown as Run;
};

const cellsOf = (results: Partial<Results>, what: string): readonly string[] =>
  goalCells({ ...NOTHING, ...results }).find(([name]) => name === what) ?? [];

test('without results every goal is said to be not measured', () => {
  for (const [what, , measured, reached, etcd] of goalCells(NOTHING))
    expect([measured, reached, etcd], what).toEqual(['not measured', '', '']);
});

test.each([
  [99_999, '99,999/s', 'no'],
  [100_000, '100,000/s', 'yes'],
])('a rate of %i is printed as %s, and reaches its goal: %s', (perSecond, printed, reached) => {
  const cluster = runOf({ 'commands-1000': [1, 1], 'commands-4000': [perSecond, 1] });
  const cells = cellsOf({ cluster }, 'durable commands, each its own call');
  expect(cells.slice(1, 4)).toEqual(['≥ 100,000/s', printed, reached]);
});

test('a time reaches its goal when it is no longer than that, and stands beside that of etcd', () => {
  const cluster = runOf({ 'get-linearizable-1': [5_000, 0.2] });
  const peers = runOf({ 'tocsin-get-1': [1, 0.25], 'etcd-get-1': [1, 0.5] });
  const what = 'one read at a time, p50';
  expect(cellsOf({ cluster, peers }, what)).toEqual([what, '≤ 0.2 ms', '0.2 ms', 'yes', '0.50']);
  const slower = runOf({ 'get-linearizable-1': [5_000, 0.21] });
  expect(cellsOf({ cluster: slower }, what)[3]).toBe('no');
});

test('figures that a run of samples tells in words are found', () => {
  const rows = [
    ['samples sent', '30004000 in 300.0 s, 100012/s'],
    ['crossed limits, due to watcher', '883: p50 0.90 ms, p99 6.55 ms'],
  ] as const;
  const trends = { rows } as unknown as Results['trends'];
  expect(cellsOf({ trends }, 'samples replicated to all')[3]).toBe('yes');
  const what = 'sample in to watcher told, while they flow';
  expect(cellsOf({ trends }, `${what}, p50`)[3]).toBe('yes');
  expect(cellsOf({ trends }, `${what}, p99`).slice(2, 4)).toEqual(['6.55 ms', 'no']);
});
