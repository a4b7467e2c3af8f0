import { expect, test } from 'vitest';
import { showProgress } from '../../../cli/replay/progress.ts';
import type { ReplayResult } from '../../../cli/replay/replay.ts';
import { isSound, renderSummary, summaryOf } from '../../../cli/replay/summary.ts';
import { replicaId } from '../../../src/base/ids.ts';

const good: ReplayResult = {
  runId: 'replay-1',
  transitions: [],
  rows: 12_987,
  samples: 51_547,
  raised: 27,
  cleared: 25,
  failed: 0,
  unknown: 0,
  audit: { lost: 0, duplicated: 0, unknownHeld: 0, findings: [] },
  failover: { killed: replicaId(1), leader: replicaId(2), failoverMs: 73.456 },
  digestsEqual: true,
  seconds: 0.5,
  findings: [],
};

test.each<[string, Partial<ReplayResult>]>([
  ['something is lost', { audit: { ...good.audit, lost: 1 } }],
  ['something is there twice', { audit: { ...good.audit, duplicated: 1 } }],
  ['a command failed', { failed: 1 }],
  ['nobody knows what became of a command', { unknown: 1 }],
  ['replicas differ', { digestsEqual: false }],
])('a run in which %s is not sound', (_, changes) => {
  expect(isSound({ ...good, ...changes })).toBe(false);
});

test('a run is sound when all is well, also when the replicas were not ours to ask', () => {
  expect(isSound(good)).toBe(true);
  expect(isSound({ ...good, digestsEqual: undefined, failover: undefined })).toBe(true);
});

test('the summary of a good run fits one line, and each finding has one more', () => {
  expect(renderSummary(good)).toBe(
    '12987 rows, 51547 samples: 27 raised, 25 cleared; lost 0, duplicated 0; failover 73 ms; ' +
      'digests equal; 0.5 s, 25974 rows/s\n',
  );
  const bad = { ...good, failed: 1, findings: ['phys:1:x:HR:HI: OVERLOADED: full'] };
  expect(renderSummary(bad)).toContain('failed 1, unknown 0');
  expect(renderSummary(bad)).toContain('\n  phys:1:x:HR:HI: OVERLOADED: full\n');
});

test('the summary for programs says null where a field does not apply', () => {
  expect(summaryOf(good)).toMatchObject({ failoverMs: 73.5, digestsEqual: true, seconds: 0.5 });
  const plain = { ...good, failover: undefined, digestsEqual: undefined };
  expect(summaryOf(plain)).toMatchObject({ failoverMs: null, digestsEqual: null });
});

test('without a terminal progress is a line for each tenth', async () => {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  const progress = await showProgress({ total: 25, isTTY: false, write });
  for (let rows = 1; rows <= 25; rows += 1) progress.rows(rows);
  progress.say('done');
  progress.end();
  expect(text.split('\n')).toHaveLength(12);
  expect(text).toMatch(/^3 of 25 rows\n.*25 of 25 rows\ndone\n$/s);
});
