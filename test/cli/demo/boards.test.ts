import { describe, expect, test } from 'vitest';
import { AlertBoard } from '../../../cli/demo/alert-board.ts';
import { ClusterBoard } from '../../../cli/demo/cluster-board.ts';
import type { LocalReplica } from '../../../cli/local/local-cluster.ts';
import { replicaId, revision, term, unixMillis } from '../../../src/base/ids.ts';
import { anAlert, aStatus } from '../commands/world.ts';
import { eventOf } from './scenes.ts';

const METRICS = ['HR', 'SpO2'];
const resolution = { how: 'auto', by: 'demo-ward', at: unixMillis(9) } as const;

describe('AlertBoard', () => {
  test('a bed has its highest priority, and is acknowledged when all its alerts are', () => {
    const board = new AlertBoard();
    const cause = { metric: 'SpO2', value: 84 };
    board.take({ type: 'event', event: eventOf(1, 'raised', { priority: 'medium' }) });
    board.take({
      type: 'event',
      event: eventOf(2, 'raised', { priority: 'high', acknowledged: true, cause }),
    });
    expect(board.beds(METRICS).get('B02')).toEqual({
      alarms: ['medium', 'high'],
      worst: { priority: 'high', acknowledged: false },
    });
    board.take({
      type: 'event',
      event: eventOf(1, 'acknowledged', { priority: 'medium', acknowledged: true }),
    });
    expect(board.beds(METRICS).get('B02')?.worst).toEqual({ priority: 'high', acknowledged: true });
    expect(board.counts).toEqual({ raised: 2, acknowledged: 1, cleared: 0, open: 2 });
  });

  test('an alert whose condition is gone marks the bed and no value; a resolved one neither', () => {
    const board = new AlertBoard();
    board.take({
      type: 'event',
      event: eventOf(1, 'cleared', { presence: 'cleared', latching: true }),
    });
    expect(board.beds(METRICS).get('B02')?.alarms).toEqual([undefined, undefined]);
    expect(board.beds(METRICS).get('B02')?.worst?.priority).toBe('high');
    board.take({
      type: 'event',
      event: eventOf(1, 'acknowledged', { presence: 'cleared', resolution }),
    });
    expect(board.beds(METRICS).size).toBe(0);
    expect(board.get('A1')).toBeUndefined();
  });

  test('a state that takes the place of events replaces what was known', () => {
    const board = new AlertBoard();
    board.take({ type: 'event', event: eventOf(1, 'raised') });
    board.take({ type: 'compacted', revision: revision(9), alerts: [anAlert({ id: 'A5' })] });
    expect(board.get('A1')).toBeUndefined();
    expect(board.get('A5')?.id).toBe('A5');
  });
});

describe('ClusterBoard', () => {
  const replicas = (pids: readonly (number | undefined)[]): LocalReplica[] =>
    pids.map((pid, at) => ({ id: replicaId(at + 1), address: '', folder: '', pid }));

  test('says who leads, once for each new leader', () => {
    const board = new ClusterBoard();
    const first = [1, 2, 3].map((id) => aStatus(id));
    expect(board.take(replicas([1, 2, 3]), first)).toBe('replica 1 leads in term 4');
    expect(board.take(replicas([1, 2, 3]), first)).toBeUndefined();
    const second = [undefined, aStatus(2, { role: 'leader', term: term(5) }), aStatus(3)];
    expect(board.take(replicas([undefined, 2, 3]), second)).toBe('replica 2 leads in term 5');
    // Who led before and has not heard of it is no news.
    const both = [aStatus(1), ...second.slice(1)];
    expect(board.take(replicas([1, 2, 3]), both)).toBeUndefined();
  });

  test('tells a replica that is down from one that starts and one that is silent, and keeps its place', () => {
    const board = new ClusterBoard();
    const states = (): string[] => board.replicas.map(({ state }) => state);
    board.take(replicas([1]), [undefined]);
    expect(states()).toEqual(['starting']);
    board.take(replicas([1]), [aStatus(1)]);
    expect(states()).toEqual(['leader']);
    board.take(replicas([1]), [undefined]);
    expect(states()).toEqual(['silent']);
    board.take(replicas([undefined]), [undefined]);
    expect(board.replicas[0]).toMatchObject({ state: 'down', applied: 1_234, term: 4 });
    board.take(replicas([7]), [undefined]);
    expect(states()).toEqual(['starting']);
  });
});
