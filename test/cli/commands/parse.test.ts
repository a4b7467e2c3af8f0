import { describe, expect, test } from 'vitest';
import { must } from '../../../src/base/assert.ts';
import type { WriteOptions } from '../../../src/statemachine/alert-api.ts';
import { CLUSTER, pageOf, runIn, type WorldOptions } from './world.ts';

/** What a command line asks of the client: the method and its first argument. */
async function asked(line: readonly string[], world: WorldOptions = {}): Promise<unknown> {
  const { calls, status, stderr } = await runIn(world, ...line);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const [connect, call, close] = calls;
  expect(connect?.method).toBe('connect');
  expect(close?.method).toBe('close');
  return { [call?.method ?? '']: call?.args[0] };
}

const RAISE = ['alert', 'raise', 'k1', '--condition', 'HR:HI', '--priority', 'high'];
const GIVEN = { actor: 'nurse' };
const RAISED = {
  dedupKey: 'k1',
  condition: 'HR:HI',
  priority: 'high',
  subject: {},
  latching: false,
  acknowledgementRequired: false,
  ...GIVEN,
};

describe('a write asks for what its flags say', () => {
  test.each<readonly [readonly string[], unknown]>([
    [RAISE, { raise: RAISED }],
    [[...RAISE, '--text', 'Heart rate high'], { raise: { ...RAISED, text: 'Heart rate high' } }],
    [[...RAISE, '--text', '-'], { raise: { ...RAISED, text: '-' } }],
    [[...RAISE, '--kind=technical'], { raise: { ...RAISED, kind: 'technical' } }],
    [
      [...RAISE, '--bed', 'B12', '--unit', 'ED', '--patient', 'pt-1', '--device', 'mon-3'],
      {
        raise: {
          ...RAISED,
          subject: { unit: 'ED', bed: 'B12', patient: 'pt-1', device: 'mon-3' },
        },
      },
    ],
    [
      [...RAISE, '--metric', 'HR', '--value', '141', '--unit-of-measure', '/min', '--limit', '131'],
      { raise: { ...RAISED, cause: { metric: 'HR', value: 141, unit: '/min', limit: 131 } } },
    ],
    [
      [...RAISE, '--metric', 'TEMP', '--value', '-1.5', '--rule', 'temp-low@2'],
      { raise: { ...RAISED, cause: { metric: 'TEMP', value: -1.5, rule: 'temp-low@2' } } },
    ],
    [[...RAISE, '--metric', 'HR'], { raise: { ...RAISED, cause: { metric: 'HR', value: null } } }],
    [
      [...RAISE, '--latching', '--ack-required'],
      { raise: { ...RAISED, latching: true, acknowledgementRequired: true } },
    ],
    [
      [...RAISE, '--label', 'a=1', '--label', 'b=2=3'],
      { raise: { ...RAISED, labels: { a: '1', b: '2=3' } } },
    ],
    [[...RAISE, '--expected-revision', '0'], { raise: { ...RAISED, expectedRevision: 0 } }],
    [
      [...RAISE, '--observed-at', '1970-01-01T00:00:01Z', '--actor', 'mon-3'],
      { raise: { ...RAISED, observedAt: 1_000, actor: 'mon-3' } },
    ],
    [['alert', 'clear', 'A1042'], { clear: { target: { id: 'A1042' }, ...GIVEN } }],
    [['alert', 'clear', 'k1'], { clear: { target: { dedupKey: 'k1' }, ...GIVEN } }],
    [['alert', 'ack', 'A1042'], { acknowledge: { target: { id: 'A1042' }, ...GIVEN } }],
    [
      ['alert', 'ack', 'A1042', '--activation', '2', '--note', 'at the bed'],
      { acknowledge: { target: { id: 'A1042' }, ...GIVEN, activation: 2, note: 'at the bed' } },
    ],
  ])('%j', async (line, input) => {
    expect(await asked(line)).toEqual(input);
  });
});

describe('a read asks for what its flags say', () => {
  test.each<readonly [readonly string[], unknown]>([
    [['alert', 'list'], { list: { open: true } }],
    [['alert', 'list', '--open'], { list: { open: true } }],
    [['alert', 'list', '--all'], { list: {} }],
    [
      ['alert', 'list', '--state', 'resolved,latched'],
      { list: { states: ['RESOLVED', 'LATCHED'] } },
    ],
    [
      ['alert', 'list', '--open', '--state', 'RTN_UNACK'],
      { list: { open: true, states: ['RTN_UNACK'] } },
    ],
    [
      ['alert', 'list', '--all', '--priority', 'high', '--priority', 'low,high'],
      { list: { priorities: ['high', 'low'] } },
    ],
    [['alert', 'list', '--all', '--kind', 'technical'], { list: { kinds: ['technical'] } }],
    [
      ['alert', 'list', '--all', '--unit', 'ED', '--bed', 'B12', '--patient', 'p', '--device', 'd'],
      { list: { unit: 'ED', bed: 'B12', patient: 'p', device: 'd' } },
    ],
    [['alert', 'list', '--all', '--key', 'k1'], { list: { dedupKey: 'k1' } }],
  ])('%j', async (line, filter) => {
    expect(await asked(line)).toEqual(filter);
  });

  test('how many, from where, how sure and how long', async () => {
    const line = ['--limit', '7', '--after', 'A5', '--consistency', 'local', '--timeout', '500ms'];
    const { calls } = await runIn({ answers: { pages: [pageOf([])] } }, 'alert', 'list', ...line);

    expect(calls[0]?.args).toMatchObject([{ timeoutMs: 500 }]);
    expect(calls[1]?.args[1]).toMatchObject({
      limit: 7,
      after: 'A5',
      consistency: 'local',
      timeoutMs: 500,
    });
  });
});

describe('where to ask, and who asks', () => {
  test.each<readonly [readonly string[], Readonly<Record<string, string>>, object]>([
    [[], {}, { endpoints: ['/ip4/127.0.0.1/tcp/7400'], name: 'nurse', timeoutMs: 10_000 }],
    [
      [],
      { TOCSIN_ENDPOINTS: '/a,/b', TOCSIN_ACTOR: 'eve' },
      { endpoints: ['/a', '/b'], name: 'eve' },
    ],
    [['--endpoints', '/c'], { TOCSIN_ENDPOINTS: '/a' }, { endpoints: ['/c'] }],
    [['--actor', 'adam'], { TOCSIN_ACTOR: 'eve' }, { name: 'adam' }],
    [[], { TOCSIN_ENDPOINTS: '', TOCSIN_ACTOR: '' }, { endpoints: ['/ip4/127.0.0.1/tcp/7400'] }],
  ])('flags %j, environment %j', async (flags, env, options) => {
    const { calls } = await runIn({ env }, 'alert', 'list', ...flags);

    expect(calls[0]?.args).toMatchObject([options]);
  });

  test('a bad environment is told from a bad flag', async () => {
    const { status, stderr } = await runIn({ env: { TOCSIN_ENDPOINTS: ',' } }, 'alert', 'list');

    expect(status).toBe(2);
    expect(stderr).toContain('USAGE: TOCSIN_ENDPOINTS "," is invalid');
  });
});

test('a transfer to nowhere is refused before anybody is asked', async () => {
  const { status, stderr, calls } = await runIn({}, 'alert', 'transfer', 'A7');

  expect(status).toBe(2);
  expect(stderr).toContain('give --unit, --bed, --patient or --device');
  expect(calls).toEqual([]);
});

describe('a write can be repeated', () => {
  test('because its key is the one given', async () => {
    const { calls } = await runIn({}, ...RAISE, '--idempotency-key', 'k-7');

    expect(calls[1]?.args[1]).toMatchObject({ idempotencyKey: 'k-7', timeoutMs: 10_000 });
  });

  test('or one nobody had before', async () => {
    const keys = await Promise.all(
      [1, 2].map(async () => {
        const { calls } = await runIn({}, ...RAISE);
        return (must(calls[1], 'no call').args[1] as WriteOptions).idempotencyKey;
      }),
    );

    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(keys[0]).not.toBe(keys[1]);
  });
});

describe('format', () => {
  const members = '3=/ip4/10.0.0.3/tcp/7400,1=/ip4/10.0.0.1/tcp/7400,2=/ip4/10.0.0.2/tcp/7400';
  const line = ['format', '--data', './my data', '--replica', '2', '--members', members];

  test('draws a cluster id and says how the others get it', async () => {
    const { calls, stdout, status } = await runIn({}, ...line);

    expect(status).toBe(0);
    expect(calls).toEqual([
      {
        method: 'formatFolder',
        args: [
          './my data',
          {
            clusterId: CLUSTER,
            replicaId: 2,
            incarnation: 7,
            members: [1, 2, 3].map((id) => ({ id, address: `/ip4/10.0.0.${id}/tcp/7400` })),
          },
        ],
      },
    ]);
    expect(stdout).toContain(`replica 2 of cluster ${CLUSTER}\n`);
    expect(stdout).toContain("tocsin serve --data './my data'\n");
    expect(stdout.match(/--replica (1|3) --members \S+ --cluster 3f2a/g)).toHaveLength(2);
  });

  test('with a cluster id has nothing to add', async () => {
    const { stdout } = await runIn({}, ...line, '--cluster', 'ab'.repeat(16));

    expect(stdout).toContain(`of cluster ${'ab'.repeat(16)}\n`);
    expect(stdout).not.toContain('--cluster');
  });

  test('is for programs too', async () => {
    const { stdout } = await runIn({}, ...line, '-o', 'json');

    expect(JSON.parse(stdout)).toMatchObject({ clusterId: CLUSTER, replicaId: 2 });
  });

  test.each([
    ['a member that is not listed', ['--replica', '4'], 'USAGE: replica 4 is not in --members'],
    ['an address that is none', ['--members', '2=tcp://x'], 'BAD_ADDRESS: tcp://x'],
    ['a port nobody finds', ['--members', '2=/ip4/10.0.0.2/tcp/0'], 'BAD_ADDRESS: '],
    ['a cluster id that is none', ['--cluster', 'xyz'], 'USAGE: '],
  ])('refuses %s and writes nothing', async (_what, flags, said) => {
    const { calls, status, stderr } = await runIn({}, ...line, ...flags);

    expect(stderr).toContain(`tocsin: ${said}`);
    expect(status).toBe(2);
    expect(calls).toEqual([]);
  });
});
