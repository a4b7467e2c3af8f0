import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../../src/base/errors.ts';
import { logIndex } from '../../../src/base/ids.ts';
import type { ReplicaStatus } from '../../../src/wire/clients/status.ts';
import { aStatus, runIn } from '../commands/world.ts';

const AWAY = new TocsinError('UNAVAILABLE', 'connect ECONNREFUSED');
const ENDPOINTS = ['--endpoints', '/ip4/10.0.0.1/tcp/7400,/ip4/10.0.0.2/tcp/7400'];

const check = (answer: (id: number) => ReplicaStatus | Error, ...flags: readonly string[]) => {
  const status = (endpoint: string): ReplicaStatus | Error =>
    answer(Number(/\.(\d)\/tcp/.exec(endpoint)?.[1] ?? 1));
  return runIn({ answers: { status } }, 'check', ...ENDPOINTS, ...flags);
};

const leaderless = (id: number): ReplicaStatus =>
  aStatus(id, { role: 'follower', leader: undefined, leaderAddress: undefined });

describe('tocsin check', () => {
  test.each<
    readonly [string, number, (id: number) => ReplicaStatus | Error, readonly string[], string]
  >([
    ['all is well', 0, (id) => aStatus(id), [], 'TOCSIN OK - replica 1 leads, 3 of 3 members'],
    [
      'one is away',
      1,
      (id) => (id === 3 ? AWAY : aStatus(id)),
      [],
      'TOCSIN WARNING - 1 of 3 members cannot be reached',
    ],
    ['most are away', 2, (id) => (id === 1 ? aStatus(id) : AWAY), [], 'TOCSIN CRITICAL - '],
    ['nobody leads', 2, leaderless, [], 'TOCSIN CRITICAL - no leader is known to a majority of 3'],
    [
      'states differ',
      2,
      (id) => aStatus(id, id === 2 ? { digest: '11c0ffee00beef' } : {}),
      [],
      'hold different states',
    ],
    [
      'one trails',
      1,
      (id) => aStatus(id, id === 2 ? { applied: logIndex(1) } : {}),
      [],
      'replica 2 trails by 1233',
    ],
    [
      'one trails much',
      2,
      (id) => aStatus(id, id === 2 ? { applied: logIndex(1) } : {}),
      ['--trail-critical', '1000'],
      'CRITICAL - replica 2 trails',
    ],
    [
      'alerts are open',
      1,
      (id) => aStatus(id),
      ['--open-warning', '11'],
      'WARNING - open alerts: 12',
    ],
    ['many are', 2, (id) => aStatus(id), ['--open-critical', '11'], 'CRITICAL - open alerts: 12'],
    [
      'a replica raised an alarm',
      1,
      (id) => aStatus(id, { alarms: id === 2 ? [{ name: 'disk', says: 'nearly full' }] : [] }),
      [],
      'replica 2: disk: nearly full',
    ],
    ['nobody answers', 2, () => AWAY, [], 'TOCSIN CRITICAL - UNAVAILABLE'],
  ])(
    'when %s ends with %i and says so in its first line',
    async (_what, exit, answer, flags, said) => {
      const { status, stdout, stderr } = await check(answer, ...flags);
      const [first = ''] = stdout.split('\n');

      expect(stderr).toBe('');
      expect(first).toContain(said);
      expect(first).toMatch(/^TOCSIN \w+ - [^|]+ \| members=\d;;;0/);
      expect(status).toBe(exit);
    },
  );

  test('gives its figures with their thresholds, to Prometheus as gauges', async () => {
    const nagios = await check((id) => aStatus(id), '--open-warning', '50');
    const prometheus = await check((id) => aStatus(id), '--prometheus');
    const json = await check((id) => aStatus(id), '-o', 'json');

    expect(nagios.stdout).toContain(
      '| members=3;;;0 trailing=0;1000;100000;0 open=12;50;;0 commit=1234;;;0\n',
    );
    expect(prometheus.stdout).toContain('# TYPE tocsin_check_open gauge\ntocsin_check_open 12\n');
    expect(prometheus.stdout).toContain('tocsin_check_status 0\n');
    expect(JSON.parse(json.stdout)).toMatchObject({ level: 'OK', findings: [] });
  });

  test('is UNKNOWN for what is no fault of the cluster', async () => {
    const connect = new TocsinError('BAD_ADDRESS', 'nonsense');
    const { status, stdout } = await runIn({ answers: { connect } }, 'check');

    expect(status).toBe(3);
    expect(stdout).toMatch(/^TOCSIN UNKNOWN - nonsense/);
  });
});
