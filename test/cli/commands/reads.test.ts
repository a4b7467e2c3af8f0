import { describe, expect, test } from 'vitest';
import { logIndex, revision, unixMillis } from '../../../src/base/ids.ts';
import type { AlertEvent } from '../../../src/statemachine/types.ts';
import { anAlert, anEvent, DONE, NOW, pageOf, runIn } from './world.ts';

describe('how old an answer may be', () => {
  const consistencies = async (...line: readonly string[]): Promise<unknown[]> => {
    const pages = [pageOf([anAlert()])];
    const { calls } = await runIn({ answers: { pages, alert: anAlert() } }, ...line);
    const asked = calls.filter(({ method }) => ['get', 'list'].includes(method));
    return asked.map(({ args }) => (args[1] as { consistency: unknown }).consistency);
  };

  test('that need not be the newest is said to people, and only then', async () => {
    const page = pageOf([anAlert()]);
    const says = async (ageMs: number | undefined, ...flags: string[]): Promise<string> => {
      const answer = ageMs === undefined ? page : { ...page, ageMs };
      const { stdout } = await runIn({ answers: { pages: [answer] } }, 'alert', 'list', ...flags);
      return stdout.trimEnd().split('\n').at(-1) ?? '';
    };
    const local = ['--consistency', 'local'];

    expect(await says(72_000, ...local)).toBe(
      'as one replica has it; nothing is missing that was answered 1m12s ago',
    );
    expect(await says(undefined, ...local)).toBe(
      'as one replica has it; it does not know how old that is',
    );
    expect(await says(0, '--max-age', '2s')).toContain('as one replica has it');
    for (const flags of [[], ['--consistency', 'lease'], [...local, '-o', 'jsonl']])
      expect(await says(0, ...flags)).not.toContain('as one replica');
  });

  test('is said by --max-age and --min-revision, together or each alone', async () => {
    const list = ['alert', 'list'];
    expect(await consistencies(...list)).toEqual(['linearizable']);
    expect(await consistencies(...list, '--max-age', '2s')).toEqual([{ maxAgeMs: 2_000 }]);
    expect(await consistencies(...list, '--min-revision', '7')).toEqual([{ minRevision: 7 }]);
    const both = ['--max-age', '500ms', '--min-revision', '7'];
    expect(await consistencies('alert', 'get', 'A1', ...both)).toEqual([
      { maxAgeMs: 500, minRevision: 7 },
    ]);
  });

  test.each([
    'alert history A1042',
    'alert get A1042',
    'alert list',
    'silence list',
    'schedule get icu',
    'schedule who',
    'schedule who icu',
    'schedule preview icu',
    'rule list',
    'rule get hr-high',
  ])('is what tocsin %s asks for by these flags', async (line) => {
    const history = { events: [anEvent()], next: undefined, isCompacted: false };
    const answers = { alert: anAlert(), history };
    const { status, calls } = await runIn({ answers }, ...line.split(' '), '--max-age', '2s');
    expect(status).toBe(0);
    const reads = calls.filter(({ method }) => /^(get|list|history|records)$/.test(method));
    expect(reads).not.toEqual([]);
    for (const { args } of reads)
      expect(args[1]).toMatchObject({ consistency: { maxAgeMs: 2_000 } });
  });

  test('does not go with a level', async () => {
    const line = ['alert', 'list', '--consistency', 'local', '--max-age', '2s'];
    const { status, stderr, calls } = await runIn({}, ...line);
    expect(status).toBe(2);
    expect(stderr).toContain('--consistency');
    expect(calls).toEqual([]);
  });
});

describe('list', () => {
  test('is refused where nothing can match, and not where something can', async () => {
    const raised = (from: string, until: string) =>
      runIn({}, ...['alert', 'list', '--raised-from', from, '--raised-until', until]);
    const [noon, one] = ['2026-03-01T12:00:00Z', '2026-03-01T13:00:00Z'];
    const statuses = await Promise.all([raised(one, noon), raised(noon, noon), raised(noon, one)]);
    expect(statuses.map(({ status }) => status)).toEqual([2, 2, 0]);
  });

  test('asks on until the list is full, for what is missing only', async () => {
    const pages = [
      pageOf([anAlert({ id: 'A1' })], 'A5'),
      pageOf([], 'A9'),
      pageOf([anAlert({ id: 'A10' }), anAlert({ id: 'A11' })], 'A11'),
      pageOf([anAlert({ id: 'A99' })]),
    ];
    const { calls, stdout } = await runIn({ answers: { pages } }, 'alert', 'list', '--limit', '3');
    const asked = calls.filter(({ method }) => method === 'list').map(({ args }) => args[1]);

    expect(asked).toMatchObject([
      { limit: 3 },
      { limit: 2, after: 'A5@1042' },
      { limit: 2, after: 'A9@1042' },
    ]);
    expect(stdout).toMatch(/^ID .*\nA1 .*\nA10 .*\nA11 .*\n\nthere are more: --after A11@1042\n$/);
  });

  test('says so when there is nothing', async () => {
    const { stdout, status } = await runIn({}, 'alert', 'list');

    expect(status).toBe(0);
    expect(stdout).toBe('no alerts match at revision 1042\n');
  });

  test('is one JSON document, with the state people are shown', async () => {
    const pages = [pageOf([anAlert()], 'A1042')];
    const { stdout } = await runIn(
      { answers: { pages } },
      'alert',
      'list',
      '-o',
      'json',
      '--limit',
      '1',
    );

    expect(JSON.parse(stdout)).toMatchObject({
      revision: 1042,
      alerts: [{ id: 'A1042', state: 'ACTIVE_UNACK', raisedAt: NOW - 192_000 }],
      next: 'A1042@1042',
    });
  });

  test('is as wide as the terminal, or as COLUMNS says, or as it needs', async () => {
    const alerts = [anAlert({ text: 'x'.repeat(200) })];
    const world = { answers: { pages: [pageOf(alerts)] } };
    const widest = (text: string): number =>
      Math.max(...text.split('\n').map((line) => line.length));
    const terminal = await runIn(
      { ...world, columns: 90, env: { COLUMNS: '70' } },
      'alert',
      'list',
    );
    const wished = await runIn({ ...world, env: { COLUMNS: '70' } }, 'alert', 'list');
    const piped = await runIn(world, 'alert', 'list');

    expect(widest(terminal.stdout)).toBe(90);
    expect(widest(wished.stdout)).toBe(70);
    expect(piped.stdout).toContain('x'.repeat(200));
  });

  test('is in colour on a terminal only, and never in JSON', async () => {
    const world = { answers: { pages: [pageOf([anAlert()])] } };
    const terminal = await runIn({ ...world, isTTY: true }, 'alert', 'list');
    const refused = await runIn({ ...world, isTTY: true }, 'alert', 'list', '--no-color');
    const json = await runIn({ ...world, isTTY: true }, 'alert', 'list', '-o', 'json');

    expect(terminal.stdout).toContain('\u001b[31m***');
    expect(refused.stdout).not.toContain('\u001b');
    expect(json.stdout).not.toContain('\u001b');
  });
});

describe('get', () => {
  test.each([
    ['A1042', { id: 'A1042' }],
    ['bed:B12:HR:HI', { dedupKey: 'bed:B12:HR:HI' }],
  ])('%s', async (text, ref) => {
    const line = ['alert', 'get', text, '--consistency', 'local', '-o', 'json'];
    const { calls, stdout } = await runIn({ answers: { alert: anAlert() } }, ...line);

    expect(calls[1]?.args).toMatchObject([ref, { consistency: 'local' }]);
    expect(JSON.parse(stdout)).toMatchObject({ revision: 1042, alert: { id: 'A1042' } });
  });
});

describe('what a write did', () => {
  test('is told in a line', async () => {
    const done = { ...DONE, effect: 'escalated', revision: revision(1050) } as const;
    const { stdout } = await runIn({ answers: { done } }, 'alert', 'ack', 'A1042');

    expect(stdout).toBe('A1042 escalated: ACTIVE_UNACK, activation 1, revision 1050\n');
  });

  test('or as JSON', async () => {
    const { stdout } = await runIn({}, 'alert', 'ack', 'A1042', '-o', 'json');

    expect(JSON.parse(stdout)).toEqual(DONE);
  });
});

describe('history', () => {
  const step = (at: number, effect: AlertEvent['effect']): AlertEvent => ({
    revision: revision(at),
    index: logIndex(at),
    time: unixMillis(NOW),
    observedAt: unixMillis(NOW),
    effect,
    actor: 'anna',
    alert: anAlert({ revision: revision(at) }),
  });

  test('tells the steps of an alert, and that older ones are no longer kept', async () => {
    const history = {
      events: [step(1043, 'acknowledged'), step(1050, 'cleared')],
      next: undefined,
      isCompacted: true,
    };
    const { stdout, calls } = await runIn({ answers: { history } }, 'alert', 'history', 'A1042');
    expect(stdout).toMatch(
      /^what was before is no longer kept\n.*acknowledged .*\n.*cleared .*\n$/,
    );
    expect(calls.find(({ method }) => method === 'history')?.args[0]).toBe('A1042');
  });

  test('of an alert that is not there is an error', async () => {
    const { status, stderr } = await runIn({}, 'alert', 'history', 'A7');
    expect(status).toBe(3);
    expect(stderr).toContain('ALERT_NOT_FOUND');
  });
});
