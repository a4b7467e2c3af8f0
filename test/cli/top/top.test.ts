import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { viewCluster } from '../../../cli/output/cluster.ts';
import { plain } from '../../../cli/output/paint.ts';
import { renderTop, summaryOf } from '../../../cli/top/frame.ts';
import { Gauge, type Look } from '../../../cli/top/gauge.ts';
import { TocsinError } from '../../../src/base/errors.ts';
import { logIndex } from '../../../src/base/ids.ts';
import { anAlert, aStatus, CLUSTER, NOW, pageOf, runIn, World } from '../commands/world.ts';

const lookOf = (at: number, commit: number, changes: Partial<Look> = {}): Look => ({
  at,
  readMs: 1,
  alerts: [],
  problem: undefined,
  view: viewCluster(
    CLUSTER,
    [1, 2, 3].map((id) => ({
      id,
      address: `/ip4/10.0.0.${id}/tcp/7400`,
      problem: undefined,
      status: aStatus(id, { commit: logIndex(commit), applied: logIndex(commit) }),
    })),
  ),
  ...changes,
});

describe('the figures', () => {
  test('are rates between looks, whatever time lies between them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (everyMs, perLook) => {
          const gauge = new Gauge();
          for (let i = 0; i < 7; i += 1) gauge.take(lookOf(i * everyMs, 10 + i * perLook));
          const expected = (perLook * 1_000) / everyMs;
          expect(gauge.rates.commitsPerSecond! / expected).toBeCloseTo(1, 6);
        },
      ),
    );
  });

  test('are not made up from one look, and never negative when a member is lost', () => {
    const gauge = new Gauge();
    gauge.take(lookOf(0, 100));
    expect(gauge.rates.commitsPerSecond).toBeUndefined();
    gauge.take(lookOf(1_000, 50));
    expect(gauge.rates.commitsPerSecond).toBe(0);
  });

  test('tell the usual and the slow of the reads, and those without an answer', () => {
    const gauge = new Gauge();
    for (let i = 1; i <= 99; i += 1) gauge.take(lookOf(i, i, { readMs: i === 50 ? 80 : 2 }));
    gauge.take(lookOf(100, 100, { readMs: undefined }));
    expect(gauge.rates).toMatchObject({ read: undefined, unanswered: 1, looks: 100 });
    gauge.take(lookOf(101, 101, { readMs: 3 }));
    expect(gauge.rates.read).toEqual({ now: 3, p50: 2, p99: 80 });
  });
});

describe('the live view', () => {
  const alerts = Array.from({ length: 60 }, (_, at) =>
    anAlert({ id: `A${at + 1}`, text: 'x\u202ey '.repeat(30) }),
  );

  test('fits any terminal, without a line that wraps or scrolls', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 250 }),
        fc.integer({ min: 8, max: 80 }),
        fc.boolean(),
        (columns, rows, isDown) => {
          const look = isDown
            ? lookOf(1, 1, { view: undefined, readMs: undefined, problem: 'away '.repeat(60) })
            : lookOf(1, 1, { alerts });
          const gauge = new Gauge();
          gauge.take(look);
          const frame = { look, rates: gauge.rates, now: NOW };
          const shown = renderTop(frame, { columns, rows }, plain);

          expect(shown.length).toBeLessThan(rows);
          if (columns >= 80) for (const line of shown) expect(line.length).toBeLessThan(columns);
          expect(shown.join('')).not.toContain('\u202e');
        },
      ),
    );
  });

  test('shows replicas and alerts on 80 by 24', () => {
    const gauge = new Gauge();
    const look = lookOf(1, 1, { alerts });
    gauge.take(look);
    const shown = renderTop(
      { look, rates: gauge.rates, now: NOW },
      { columns: 80, rows: 24 },
      plain,
    ).join('\n');

    expect(shown).toMatch(/tocsin top +Ctrl-C ends +03:04:05/);
    expect(shown).toContain('leader 1  members 3/3');
    expect(shown).toContain('read 1.0, p50 1.0, p99 1.0 ms');
    expect(shown).toMatch(/ 1 +\/ip4.* leader/);
    expect(shown).toMatch(/A1 +\*\*\* ACTIVE_UNACK/);
  });
});

describe('open alerts', () => {
  const shownOf = (changes: Partial<Look>): string => {
    const gauge = new Gauge();
    const look = lookOf(1, 1, changes);
    gauge.take(look);
    const frame = { look, rates: gauge.rates, now: NOW };
    return renderTop(frame, { columns: 80, rows: 24 }, plain).join('\n');
  };
  const none = 'no alert is open';

  test('are said to be none only by who can be sure', () => {
    fc.assert(
      fc.property(
        fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
        fc.option(fc.array(fc.constant(anAlert())), { nil: undefined }),
        fc.boolean(),
        (readMs, alerts, isDown) => {
          const shown = shownOf({ readMs, alerts, ...(isDown ? { view: undefined } : {}) });
          expect(shown.includes(none)).toBe(readMs !== undefined && alerts?.length === 0);
          expect(shown.includes('one replica knows')).toBe(readMs === undefined && !!alerts);
          expect(shown.includes('nobody says')).toBe(alerts === undefined);
        },
      ),
    );
  });

  test('are those that a replica has while nobody can be sure', async () => {
    const doubt = new TocsinError('UNAVAILABLE', 'no leader is known');
    const world = new World({ answers: { doubt, pages: [pageOf([anAlert()])] } });
    const { calls } = await world.run('top', '--count', '1');

    const asked = calls.filter(({ method }) => method === 'list').map(({ args }) => args[1]);
    expect(asked).toMatchObject([{}, { consistency: 'local' }]);
  });

  test('stand below figures of which none is cut in two', () => {
    const gauge = new Gauge();
    const look = lookOf(1, 1, { readMs: 12_345 });
    gauge.take(look);
    const whole = summaryOf(look, gauge.rates).split('  ');
    for (let columns = 40; columns < 120; columns += 1) {
      const frame = { look, rates: gauge.rates, now: NOW };
      const shown = renderTop(frame, { columns, rows: 24 }, plain)[1] ?? '';
      const figures = shown.split('  ');
      expect(figures).toEqual(whole.slice(0, figures.length));
    }
  });
});

describe('tocsin top on a terminal', () => {
  test('ends at q, not at other keys, and gives the terminal back', async () => {
    const world = new World({ isTTY: true, columns: 80, answers: { pages: [pageOf([])] } });
    const shown = new Promise<void>((resolve) => {
      world.stdout.onWrite = () => {
        if (world.stdout.text.includes('leader 1')) resolve();
      };
    });
    const ended = world.run('top', '--every', '1h');
    await shown;
    expect(world.listeners).toBe(2);
    world.press('x');
    world.press('q');
    const { status, stdout } = await ended;

    expect(status).toBe(0);
    expect(stdout).toContain('q ends');
    expect(stdout.endsWith('\u001b[?1049l')).toBe(true);
    expect(world.listeners).toBe(0);
  });
});

describe('tocsin top without a terminal', () => {
  test('is a line a look', async () => {
    const { stdout, status } = await runIn({}, 'top', '--every', '1ms', '--count', '3');

    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(3);
    expect(stdout).toMatch(/^2026-03-01T03:04:05Z {2}leader 1 {2}members 3\/3 /);
  });

  test('tells figures as people would write them, for a spreadsheet too', async () => {
    const { stdout } = await runIn({}, 'top', '--every', '1ms', '--count', '2', '-o', 'csv');
    const [, ...rows] = stdout.trim().split(/\r?\n/);
    expect(rows).toHaveLength(2);
    for (const row of rows) expect(row).toMatch(/^[^,]+,1,3,3,\d*,\d*,\d+(\.\d{1,2})?,$/);
  });

  test('goes on while nobody leads, and says so', async () => {
    const away = new TocsinError('UNAVAILABLE', 'nobody there');
    const world = new World({ answers: { status: () => away, pages: [pageOf([])] } });
    const { stdout } = await world.run('top', '--every', '1ms', '--count', '2');

    expect(stdout).toContain('leader none');
    expect(stdout).toContain('nobody there');
  });
});
