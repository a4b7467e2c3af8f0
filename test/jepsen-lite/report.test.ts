import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseOptions } from '../../jepsen-lite/options.ts';
import { writeReport } from '../../jepsen-lite/report/report.ts';
import type { Run } from '../../jepsen-lite/run.ts';
import { Prng } from '../../src/base/prng.ts';
import { checkHistory } from '../../src/testing/checkers/check-history.ts';
import { type History, isWrite } from '../../src/testing/checkers/history.ts';
import { RULES } from '../../src/testing/checkers/rules.ts';
import { makeHistory } from '../testing/checkers/made-histories.ts';
import { MUTATORS } from '../testing/checkers/mutators.ts';

/** A run that ended with this history. */
function runWith(history: History, folder: string): Run {
  const checks = checkHistory(history);
  const why = checks.findings.map(({ rule, says }) => `${rule}: ${says}`);
  return {
    options: parseOptions(['--seed', '7', '--time', '20']),
    folder,
    commit: 'abc1234',
    verdict: why.length === 0 ? 'valid' : 'INVALID',
    why,
    checks,
    counts: { done: 9, refused: 1, none: 0, unknown: 2, reads: 4, readsFailed: 0 },
    codes: { UNAVAILABLE: 2 },
    faults: { kill: 1 },
    leftOut: { clock: 'libfaketime is <not> installed' },
    spans: [{ name: 'kill', where: 'replica 2', sites: [2], from: 100, to: 900 }],
    stretches: [
      { site: 1, role: 'leader', term: 3, from: 0, to: 2_000 },
      { site: 2, role: 'silent', term: 0, from: 100, to: 950 },
    ],
    seconds: 2,
    figures: { escalation: { steps: 12 } },
    timings: [{ call: 5, end: Number.POSITIVE_INFINITY, kind: 'unknown' }],
    history,
    seenAt: history.events.map((_, at) => at),
    times: history.events.map((_, at) => at),
  };
}

async function written(history: History): Promise<{ run: Run; page: string; lines: object[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-report-'));
  try {
    const run = runWith(history, folder);
    await writeReport(run);
    const text = await readFile(join(folder, 'history.jsonl'), 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    return { run, page: await readFile(join(folder, 'report.html'), 'utf8'), lines };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('a report is one file that needs nothing else, with everything that was seen', async () => {
  const history = makeHistory(1);
  const { page, lines } = await written(history);
  expect(page).not.toMatch(/(?:src|href|url)\s*[=(]|@import|<script/);
  for (const said of ['Every check passed.', 'kill (replica 2), 0.1 s to 0.9 s', 'in term 3'])
    expect(page).toContain(said);
  expect(page).toContain('libfaketime is &lt;not&gt; installed');
  expect(page).not.toContain('What is wrong');
  const { operations, events, watches } = history;
  expect(lines).toHaveLength(operations.length + events.length + watches.length);
});

test.each(Object.entries(MUTATORS))(
  'a report of %s says what it means, and shows what happened to the same condition',
  async (_name, mutate) => {
    const seeds = Array.from({ length: 100 }, (_, at) => at + 1);
    const bad = seeds.map((seed) => mutate(makeHistory(seed), new Prng(seed)));
    const history = bad.find((each) => each !== undefined);
    if (history === undefined) throw new Error('no history has a place for it');
    const { run, page } = await written(history);
    expect(run.verdict).toBe('INVALID');
    for (const { rule } of run.checks.findings) expect(page).toContain(RULES[rule]);
    const [named] = run.why.flatMap((line) => line.match(/\bc\d+\.\d+\b/g) ?? []);
    for (const write of history.operations.filter(isWrite))
      if (write.id === named) expect(page).toContain(`${write.kind} ${write.id}`);
  },
);
