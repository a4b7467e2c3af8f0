import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../../src/base/errors.ts';
import { revision, unixMillis } from '../../../src/base/ids.ts';
import type { WatchMessage, WatchOptions } from '../../../src/statemachine/alert-api.ts';
import type { ReplicaStatus } from '../../../src/wire/clients/status.ts';
import {
  anAlert,
  anEvent,
  aStatus,
  CLUSTER,
  fakeReplica,
  messages,
  NOW,
  runIn,
  World,
  type WorldOptions,
} from './world.ts';

/** Runs until it is interrupted, `times` in a row, once something was said. */
async function runUntilInterrupted(
  options: WorldOptions,
  line: readonly string[],
  times = 1,
): Promise<{ status: number; stdout: string; stderr: string; world: World }> {
  const world = new World(options);
  let isDone = false;
  world.stdout.onWrite = () => {
    if (isDone) return;
    isDone = true;
    setImmediate(() => {
      for (let i = 0; i < times; i += 1) world.interrupt();
    });
  };
  const { status, stdout, stderr } = await world.run(...line);
  return { status, stdout, stderr, world };
}

const TOLD: readonly WatchMessage[] = [
  { type: 'progress', revision: revision(1041) },
  { type: 'event', event: anEvent() },
  { type: 'progress', revision: revision(1042) },
];

describe('watch', () => {
  test('tells each event in a line, until it is interrupted', async () => {
    const answers = { watch: messages(TOLD) };
    const { status, stdout, stderr, world } = await runUntilInterrupted({ answers }, [
      ...['alert', 'watch', '--priority', 'high'],
    ]);

    expect(status).toBe(130);
    expect(stdout).toMatch(/^watching from revision 1042\n2026-03-01T03:04:05Z r1042 .*\n$/);
    expect(stderr).toBe('tocsin: to go on from here: --from 1043\n');
    expect(world.listeners).toBe(0);
    expect(world.calls[1]?.args).toMatchObject([{ filter: { priorities: ['high'] } }]);
  });

  test('tells programs everything, a line each', async () => {
    const compacted: WatchMessage = {
      type: 'compacted',
      revision: revision(9),
      alerts: [anAlert({ text: '\u202e' })],
    };
    const answers = { watch: messages([...TOLD, compacted]) };
    const line = ['alert', 'watch', '--from', '1', '-o', 'json'];
    const { status, stdout, stderr, world } = await runUntilInterrupted({ answers }, line);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((one): unknown => JSON.parse(one));

    expect(status).toBe(130);
    expect(stderr).toBe('');
    expect(lines).toMatchObject([
      { type: 'progress', revision: 1041 },
      { type: 'event', event: { revision: 1042, alert: { id: 'A1042', state: 'ACTIVE_UNACK' } } },
      { type: 'progress', revision: 1042 },
      { type: 'compacted', revision: 9, alerts: [{ text: '\u202e', state: 'ACTIVE_UNACK' }] },
    ]);
    expect(world.calls[1]?.args).toMatchObject([{ from: 1 }]);
  });

  test('says the date once a day on a terminal', async () => {
    const next = { ...anEvent(), revision: revision(1043), time: unixMillis(NOW + 86_400_000) };
    const watch = messages([...TOLD, ...TOLD.slice(1, 2), { type: 'event', event: next }]);
    const { stdout } = await runUntilInterrupted({ answers: { watch }, columns: 100 }, [
      ...['alert', 'watch'],
    ]);

    expect(stdout.split('\n').map((line) => line.slice(0, 16))).toEqual([
      'watching from re',
      '2026-03-01',
      '03:04:05Z r1042 ',
      '03:04:05Z r1042 ',
      '2026-03-02',
      '03:04:05Z r1043 ',
      '',
    ]);
  });

  test('says when the history was compacted', async () => {
    const compacted: WatchMessage = {
      type: 'compacted',
      revision: revision(9),
      alerts: [anAlert()],
    };
    const { stdout } = await runUntilInterrupted({ answers: { watch: messages([compacted]) } }, [
      ...['alert', 'watch', '--from', '1'],
    ]);

    expect(stdout).toMatch(/^what led to revision 9 is no longer kept; .*\n {2}A1042 .*\n$/);
  });

  test('leaves at once though the client does not', async () => {
    const watch = async function* (): AsyncGenerator<WatchMessage, void, undefined> {
      yield* TOLD;
      await new Promise(() => {});
    };
    const { status } = await runUntilInterrupted({ answers: { watch } }, ['alert', 'watch']);

    expect(status).toBe(130);
  });

  test('ends quietly when nobody reads any more', async () => {
    const world = new World({ answers: { watch: messages(TOLD) } });
    world.stdout.onWrite = () => world.breakPipe();
    const { status, stdout, stderr } = await world.run('alert', 'watch');

    expect(status).toBe(0);
    expect(stdout).toBe('watching from revision 1042\n');
    expect(stderr).toBe('');
  });

  test('hands the next message over only when the last one is out', async () => {
    let isWriting = false;
    let overlaps = 0;
    const watch = async function* (options: WatchOptions): AsyncGenerator<WatchMessage> {
      for (const message of TOLD) {
        overlaps += isWriting ? 1 : 0;
        yield message;
      }
      yield* messages([])(options);
    };
    const world = new World({ answers: { watch } });
    world.stdout.onWrite = () => {
      isWriting = true;
    };
    world.stdout.flush = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      isWriting = false;
      if (world.stdout.text.includes('r1042')) world.interrupt();
    };
    await world.run('alert', 'watch');

    expect(overlaps).toBe(0);
  });

  test('runs a program for each event, with the event on its standard input', async () => {
    const told = [anEvent(), anEvent({ revision: revision(1043) })];
    const watch = messages(told.map((event) => ({ type: 'event', event })));
    const { world, stdout } = await runUntilInterrupted({ answers: { watch } }, [
      ...['alert', 'watch', '--', './page', '--loud'],
    ]);
    const runs = world.calls.filter(({ method }) => method === 'runProgram');

    expect(runs.length).toBeGreaterThan(0);
    expect(runs[0]?.args[0]).toEqual(['./page', '--loud']);
    expect(JSON.parse(String(runs[0]?.args[1]))).toMatchObject({
      type: 'event',
      event: { revision: 1042, alert: { id: 'A1042' } },
    });
    expect(stdout).toContain('A1042');
  });

  test('says so when it begins with a revision that is far ahead', async () => {
    const late = await runUntilInterrupted({}, ['alert', 'watch', '--from', '5000']);
    const next = await runUntilInterrupted({}, ['alert', 'watch', '--from', '1043']);

    expect(late.stderr).toContain('the newest revision is 1042; nothing is told before 5000');
    expect(next.stderr).not.toContain('newest');
  });

  test('ends when the program fails, so that no event is passed over', async () => {
    const watch = messages([{ type: 'event', event: anEvent() }]);
    const { status, stderr } = await runIn({ answers: { watch } }, 'alert', 'watch', '--', 'false');

    expect(status).toBe(2);
    expect(stderr).toContain('false ended with 1');
  });

  test('fails as what it watches fails', async () => {
    const watch = async function* (): AsyncGenerator<WatchMessage, void, undefined> {
      yield* TOLD;
      await Promise.reject(new TocsinError('CONNECTION_LOST', 'gone'));
    };
    const { status, stderr } = await runIn({ answers: { watch } }, 'alert', 'watch');

    expect(status).toBe(6);
    expect(stderr).toContain('tocsin: CONNECTION_LOST: gone\n');
  });
});

describe('a write that is interrupted', () => {
  test('says what became of it', async () => {
    const world = new World({ answers: { hang: 'until-aborted' } });
    const running = world.run('alert', 'ack', 'A1042');
    setImmediate(() => world.interrupt());
    const { status, stderr } = await running;

    expect(status).toBe(7);
    expect(stderr).toContain('tocsin: OUTCOME_UNKNOWN: ');
    expect(stderr).toContain('--idempotency-key');
  });

  test('is left at the second interrupt, whatever it does', async () => {
    const world = new World({ answers: { hang: 'for-ever' } });
    const running = world.run('alert', 'ack', 'A1042');
    setImmediate(() => {
      world.interrupt();
      world.interrupt();
    });

    expect((await running).status).toBe(130);
    expect(world.listeners).toBe(0);
  });
});

describe('serve', () => {
  test('says where it listens, and ends in order', async () => {
    const line = ['serve', '--data', './r1'];
    const { status, stdout, stderr, world } = await runUntilInterrupted({}, line);

    expect(stdout).toBe(`replica 1 of cluster ${CLUSTER} listens on /ip4/10.0.0.1/tcp/7400\n`);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(world.listeners).toBe(0);
  });

  test('says it to programs too', async () => {
    const { stdout } = await runUntilInterrupted({}, ['serve', '--data', './r1', '-o', 'json']);

    expect(JSON.parse(stdout)).toEqual({
      event: 'listening',
      clusterId: CLUSTER,
      replicaId: 1,
      address: '/ip4/10.0.0.1/tcp/7400',
    });
  });

  test('hands on what it was told', async () => {
    const flags = ['--cluster', CLUSTER, '--listen', '/ip4/0.0.0.0/tcp/0'];
    const { world } = await runUntilInterrupted({}, ['serve', '--data', './r1', ...flags]);

    expect(world.calls[0]?.args).toMatchObject([
      { folder: './r1', clusterId: CLUSTER, listen: '/ip4/0.0.0.0/tcp/0' },
    ]);
  });

  test('is left at the second interrupt though it does not end', async () => {
    const replica = { ...fakeReplica(), close: () => new Promise<void>(() => {}) };
    const { status } = await runUntilInterrupted(
      { answers: { replica } },
      ['serve', '--data', './r1'],
      2,
    );

    expect(status).toBe(130);
  });

  test('ends as the fault that stopped it', async () => {
    const fault = Promise.resolve(new TocsinError('DISK_FAILED', 'sync: EIO'));
    const answers = { replica: fakeReplica(fault) };
    const { status, stderr } = await runIn({ answers }, 'serve', '--data', './r1');

    expect(status).toBe(1);
    expect(stderr).toBe(
      '2026-03-01T03:04:05.000Z this replica ends: DISK_FAILED\ntocsin: DISK_FAILED: sync: EIO\n',
    );
  });

  test('goes on when nobody reads its output', async () => {
    const world = new World();
    world.stdout.onWrite = () => {
      world.breakPipe();
      setImmediate(() => world.interrupt());
    };

    expect((await world.run('serve', '--data', './r1')).status).toBe(0);
  });

  test.each([
    ['an address that is none', ['--listen', 'localhost:7400'], 'BAD_ADDRESS'],
    ['a cluster id that is none', ['--cluster', '3f…'], 'USAGE'],
  ])('refuses %s and starts nothing', async (_what, flags, code) => {
    const { status, stderr, calls } = await runIn({}, 'serve', '--data', './r1', ...flags);

    expect(status).toBe(2);
    expect(stderr).toContain(`tocsin: ${code}: `);
    expect(calls).toEqual([]);
  });
});

const addressOf = (id: number): string => `/ip4/10.0.0.${id}/tcp/7400`;
const lost = new TocsinError('CONNECTION_LOST', 'connection refused');

/** Asks with replica 1 as the endpoint; `others` answer at their addresses. */
const statusWith = (
  answer: (endpoint: string) => ReplicaStatus | Error,
  ...flags: readonly string[]
): ReturnType<typeof runIn> =>
  runIn(
    { answers: { status: answer } },
    'cluster',
    'status',
    '--endpoints',
    addressOf(1),
    ...flags,
  );

const healthy = (endpoint: string): ReplicaStatus =>
  aStatus([1, 2, 3].find((id) => addressOf(id) === endpoint));

describe('cluster status', () => {
  test('asks every member once', async () => {
    const { status, stdout, calls } = await statusWith(healthy);

    expect(status).toBe(0);
    expect(calls.filter(({ method }) => method === 'status').map(({ args }) => args[0])).toEqual([
      addressOf(1),
      addressOf(2),
      addressOf(3),
    ]);
    expect(stdout).toContain(`cluster ${CLUSTER}: replica 1 leads, 3 of 3 reached\n`);
  });

  test('takes an endpoint for the member that answers there, whatever its address', async () => {
    const { stdout, calls } = await runIn(
      {
        answers: { status: (endpoint) => (endpoint === '/here' ? aStatus(1) : healthy(endpoint)) },
      },
      ...['cluster', 'status', '--endpoints', '/here'],
    );

    expect(calls.filter(({ method }) => method === 'status')).toHaveLength(3);
    expect(stdout).toContain('3 of 3 reached');
  });

  test('shows a member that is away, and why', async () => {
    const answer = (endpoint: string): ReplicaStatus | Error =>
      endpoint === addressOf(3) ? lost : healthy(endpoint);
    const { status, stdout } = await statusWith(answer);

    expect(status).toBe(0);
    expect(stdout).toMatch(/\n 3 {2}\/ip4\/10\.0\.0\.3\/tcp\/7400 {2}unreached /);
    expect(stdout).toContain('replica 3: CONNECTION_LOST: connection refused\n');
  });

  test('ends with 6 when a majority knows no leader, and shows the table all the same', async () => {
    const answer = (endpoint: string): ReplicaStatus | Error =>
      endpoint === addressOf(1) ? aStatus(1) : lost;
    const table = await statusWith(answer);
    const json = await statusWith(answer, '-o', 'json');

    expect(table.status).toBe(6);
    expect(table.stdout).toContain('no leader is known to a majority of 3, 1 of 3 reached');
    expect(json.status).toBe(6);
    expect(JSON.parse(json.stdout)).toMatchObject({
      leader: null,
      members: [{ id: 1, reached: true, trailsBy: 0 }, { id: 2, reached: false }, { id: 3 }],
    });
  });

  test('tells a stranger at a member’s address from the member', async () => {
    const answer = (endpoint: string): ReplicaStatus | Error => {
      if (endpoint === addressOf(2)) return aStatus(2, { clusterId: 'ab'.repeat(16) });
      return endpoint === addressOf(3) ? aStatus(2) : aStatus(1);
    };
    const { status, stdout } = await statusWith(answer);

    expect(status).toBe(6);
    expect(stdout).toContain(`replica 2: replica 2 of cluster ${'ab'.repeat(16)} answers at`);
    expect(stdout).toContain(`replica 3: replica 2 of cluster ${CLUSTER} answers at`);
  });

  test('says why each failed when nobody answers', async () => {
    const { status, stderr } = await runIn(
      { answers: { status: () => lost } },
      ...['cluster', 'status', '--endpoints', '/a,/b'],
    );

    expect(status).toBe(6);
    expect(stderr).toContain('/a: CONNECTION_LOST: connection refused; /b: CONNECTION_LOST');
  });
});
