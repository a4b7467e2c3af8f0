import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../../src/base/errors.ts';
import type { ChangeReport, MemberChange } from '../../../src/wire/clients/admin-messages.ts';
import { A_FOLDER, aReport } from './operator-world.ts';
import { aStatus, CLUSTER, runIn, World } from './world.ts';

const calls = (result: Awaited<ReturnType<typeof runIn>>, method: string) =>
  result.calls.filter((call) => call.method === method).map(({ args }) => args);

describe('remove', () => {
  const line = ['cluster', 'remove', '3'];

  test('asks what it would do first, and does nothing when nobody confirms it', async () => {
    const result = await runIn({}, ...line);
    expect(result.status).toBe(2);
    expect(calls(result, 'change')).toEqual([[{ op: 'remove', id: 3 }, true]]);
    expect(result.stderr).toContain('--confirm 3');
  });

  test('is done when the number is typed, or given', async () => {
    const given = await runIn({}, ...line, '--confirm', '3');
    const typed = await runIn({ isTTY: true, typed: ['3'] }, ...line);
    for (const result of [given, typed]) {
      expect(result.status).toBe(0);
      expect(calls(result, 'change')).toHaveLength(2);
      expect(result.stdout).toContain('done: it is committed');
    }
    const wrong = await runIn({ isTTY: true, typed: ['2'] }, ...line);
    expect(wrong.status).toBe(2);
    expect(calls(wrong, 'change')).toHaveLength(1);
  });

  test('is not done when Ctrl-C is the answer', async () => {
    const world = new World({ isTTY: true, isSilent: true });
    const { onWrite } = world.stderr;
    world.stderr.onWrite = () => {
      world.stderr.onWrite = onWrite;
      queueMicrotask(() => world.interrupt());
    };
    const result = await world.run(...line);

    expect(result.status).toBe(130);
    expect(result.stderr).toMatch(
      /to go on: \ntocsin: CANCELLED: interrupted: nothing was done\n$/,
    );
    expect(calls(result, 'change')).toHaveLength(1);
    expect(world.listeners).toBe(0);
  });

  test('a dry run says what the cluster could lose before and after', async () => {
    const { status, stdout } = await runIn({}, ...line, '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toContain('before: 3 voters, 2 needed, 3 there: 1 more may fail');
    expect(stdout).toContain('after:  2 voters, 2 needed, 2 there: 0 more may fail');
  });
});

test('a replica that is not there to be let in is what the hint is about, not our addresses', async () => {
  const away = new TocsinError('CONNECTION_LOST', 'cannot reach /ip4/10.0.0.4/tcp/7400');
  const status = (at: string) => (at.includes('0.0.4/') ? away : aStatus(1));
  const line = ['cluster', 'add', '/ip4/10.0.0.4/tcp/7400'];
  const { stderr } = await runIn({ answers: { status } }, ...line);

  expect(stderr).toContain('it has to run before it is let in');
  expect(stderr).not.toContain('--endpoints');
});

test('a change that nobody knows is refused, with the one that is meant', async () => {
  const { status, stderr } = await runIn({}, 'cluster', 'plan', 'remov', '3');
  expect(status).toBe(2);
  expect(stderr).toContain('remov is not a change (did you mean "remove"?); there are promote');
});

test('a change that is refused says why and ends with status 5', async () => {
  const change = (): ChangeReport => aReport('refused', 'a change is under way');
  const { status, stdout } = await runIn(
    { answers: { operator: { change } } },
    'cluster',
    'plan',
    'remove',
    '2',
  );
  expect(status).toBe(5);
  expect(stdout).toContain('refused: a change is under way');
});

test('a change after which too few would be left says how many lack', async () => {
  const change = (): ChangeReport => ({
    ...aReport('refused', 'nobody would be left to vote'),
    before: { voters: 1, needed: 1, alive: 1 },
    after: { voters: 0, needed: 1, alive: 0 },
  });
  const { stdout } = await runIn({ answers: { operator: { change } } }, 'cluster', 'remove', '1');
  expect(stdout).toContain('before: 1 voter, 1 needed, 1 there: 0 more may fail\n');
  expect(stdout).toContain('after:  0 voters, 1 needed, 0 there: 1 too few\n');
});

test('a change of what is so already says that once', async () => {
  const change = (): ChangeReport => aReport('unchanged', 'that is how it is');
  const { status, stdout } = await runIn(
    { answers: { operator: { change } } },
    ...['cluster', 'promote', '2'],
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(/^nothing to do: that is how it is$/m);
});

describe('drain', () => {
  /** So many are there without it, each time it is asked; the last number stays. */
  const alive = (...counts: [number, ...number[]]) => ({
    answers: {
      operator: {
        change: (): ChangeReport => ({
          ...aReport('planned'),
          before: { voters: 3, needed: 2, alive: 2 },
          after: {
            voters: 2,
            needed: 2,
            alive: counts.length > 1 ? (counts.shift() ?? 0) : counts[0],
          },
        }),
      },
    },
  });

  test('asks the replica itself, and says that it can be stopped while enough others are there', async () => {
    const result = await runIn(alive(2), 'cluster', 'drain', '2');
    expect(result.status).toBe(0);
    expect(calls(result, 'drain')).toEqual([['/ip4/10.0.0.2/tcp/7400', false]]);
    expect(calls(result, 'change')).toEqual([[{ op: 'remove', id: 2 }, true]]);
    expect(result.stdout).toContain('2 of 3 voters are there, and 2 are needed: it can be stopped');
  });

  test('ends with status 5 when the others could not do without it', async () => {
    const words = ['cluster', 'drain', '2', '-o', 'json', '--timeout', '100ms'];
    const result = await runIn(alive(1), ...words);
    expect(result.status).toBe(5);
    expect(JSON.parse(result.stdout)).toMatchObject({ drained: 2, alive: 1, safe: false });
  });

  test('waits until whoever has just begun to lead has heard from the others', async () => {
    const result = await runIn(alive(0, 1, 2), 'cluster', 'drain', '2');
    expect(result.status).toBe(0);
    expect(calls(result, 'change')).toHaveLength(3);
  });

  test('is undone, and refused for whoever is not a member', async () => {
    const undone = await runIn({}, 'cluster', 'drain', '2', '--undo');
    expect(calls(undone, 'drain')).toEqual([['/ip4/10.0.0.2/tcp/7400', true]]);
    expect((await runIn({}, 'cluster', 'drain', '9')).status).toBe(5);
  });
});

test('promote asks again until the learner has caught up', async () => {
  let asked = 0;
  const change = (_change: MemberChange): ChangeReport => {
    asked += 1;
    return asked < 3 ? aReport('refused', '4 has not caught up yet') : aReport('done');
  };
  const { status } = await runIn({ answers: { operator: { change } } }, 'cluster', 'promote', '4');
  expect([status, asked]).toEqual([0, 3]);
});

describe('a backup', () => {
  const line = ['snapshot', 'restore', 'monday.tocsin', '--data', './r1', '--replica', '1'];
  const members = ['--members', '1=/ip4/10.0.0.1/tcp/7400,2=/ip4/10.0.0.2/tcp/7400'];

  test('is copied from the replica that took it', async () => {
    const result = await runIn({}, 'snapshot', 'save', 'monday.tocsin');
    expect(result.status).toBe(0);
    expect(calls(result, 'writeBackup')).toEqual([['monday.tocsin', CLUSTER, 100]]);
    expect(calls(result, 'snapshotPart')).toMatchObject([
      [expect.any(String), '9-1-ab', undefined],
    ]);
    expect(calls(await runIn({}, 'snapshot', 'save'), 'writeBackup')).toEqual([]);
  });

  test('is looked at first, and restored when its id is typed or given', async () => {
    const dry = await runIn({}, ...line, ...members, '--dry-run');
    expect(dry.stdout).toContain('3 open alerts at revision 8');
    const unsure = await runIn({}, ...line, ...members);
    expect(unsure.status).toBe(2);
    for (const result of [dry, unsure]) expect(calls(result, 'restoreFolder')).toEqual([]);
    const given = await runIn({}, ...line, ...members, '--confirm', '9-1-ab');
    expect(given.status).toBe(0);
    expect(calls(given, 'restoreFolder')).toMatchObject([
      ['./r1', 'monday.tocsin', { replicaId: 1 }],
    ]);
    expect(given.stdout).toContain('--replica 2');
  });
});

describe('recover', () => {
  const line = ['recover', '--data', './r1'];
  const damaged = {
    answers: { operator: { folder: { ...A_FOLDER, damage: 'entries 21 to 22' } } },
  };

  test('tells what is lost, and goes no further without being told that it is accepted', async () => {
    const dry = await runIn(damaged, ...line, '--dry-run');
    expect(dry.stdout).toBe(
      'replica 1 would go on alone, after entry 42; lost: entries 21 to 22\n',
    );
    const bare = await runIn(damaged, ...line);
    const unconfirmed = await runIn(damaged, ...line, '--accept-loss');
    for (const result of [dry, bare, unconfirmed])
      expect(calls(result, 'recoverFolder')).toEqual([]);
    expect([bare.status, unconfirmed.status]).toEqual([2, 2]);
  });

  test('is done for the cluster whose id is given', async () => {
    const result = await runIn(damaged, ...line, '--accept-loss', '--confirm', CLUSTER);
    expect(calls(result, 'recoverFolder')).toEqual([['./r1', CLUSTER]]);
    expect(result.stdout).toContain('tocsin serve --data ./r1');
  });
});

test('verify ends with status 1 when something is lost', async () => {
  const folder = { ...A_FOLDER, damage: 'entries 21 to 22' };
  const result = await runIn(
    { answers: { operator: { folder } } },
    'log',
    'verify',
    '--data',
    './r1',
  );
  expect(result.status).toBe(1);
  expect(result.stdout).toMatch(/^lost +entries 21 to 22$/m);
});

test('who joins is formatted with the members that are there, and must be new', async () => {
  const join = ['format', '--data', './r4', '--join', '/ip4/10.0.0.1/tcp/7400'];
  const own = (id: number) => ['--replica', `${id}`, '--members', `${id}=/ip4/10.0.0.4/tcp/7400`];
  const fresh = await runIn({}, ...join, ...own(4));
  expect(calls(fresh, 'formatFolder')[0]?.[1]).toMatchObject({
    clusterId: CLUSTER,
    replicaId: 4,
    joining: true,
  });
  expect(fresh.stdout).toContain('tocsin cluster add /ip4/10.0.0.4/tcp/7400 --promote');
  const twin = await runIn({}, ...join, ...own(1));
  expect(twin.status).toBe(2);
  expect(calls(twin, 'formatFolder')).toEqual([]);
});
