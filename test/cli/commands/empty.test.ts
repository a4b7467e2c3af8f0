import { describe, expect, test } from 'vitest';
import { A_TREND, trendsOf } from '../trend/fake-trends.ts';
import { A_FOLDER } from './operator-world.ts';
import { type Answers, aStatus, CLUSTER, runIn } from './world.ts';

/** Titles with nothing under them could as well be an answer that was cut off: what is empty says so. */

describe('a list of what there is none of', () => {
  test.each([
    ['silence list', 'no silences'],
    ['maintenance list', 'no maintenance windows'],
    ['policy list', 'no escalation policies'],
    ['schedule list', 'no on-call schedules'],
    ['notification list', 'no notifications'],
    ['source list', 'no sources'],
    ['incident list', 'no incidents'],
    ['inhibition list', 'no rules of inhibition'],
    ['session list', 'no sessions of clients'],
    ['tally list', 'no counts'],
    ['bed list', 'no beds'],
    ['patient list', 'no patients'],
    ['device list', 'no devices'],
  ])('tocsin %s says: %s', async (line, says) => {
    const bare: Answers = { isBare: true };
    const { stdout, status } = await runIn({ answers: bare }, ...line.split(' '));
    expect({ stdout, status }).toEqual({ stdout: `${says} at revision 1042\n`, status: 0 });
    const later = await runIn({ answers: bare }, ...line.split(' '), '--after', '7');
    expect(later.stdout).toBe(`${says} after 7 at revision 1042\n`);
    const { stdout: json } = await runIn({ answers: bare }, ...line.split(' '), '-o', 'json');
    expect(JSON.parse(json)).toEqual({ revision: 1042, records: [] });
  });

  test.each<readonly [string, string, Answers]>([
    ['schedule who', 'no on-call schedules', { isBare: true }],
    ['rule list', 'no rules in force', { isBare: true }],
    ['trend latest', 'no series match', { trends: trendsOf({ ...A_TREND, series: [] }) }],
    ['log dump --data ./r1', 'no entries there', { operator: { entries: [] } }],
    [
      'snapshot status --data ./r1',
      'no snapshots yet',
      { operator: { folder: { ...A_FOLDER, snapshots: [] } } },
    ],
  ])('tocsin %s says: %s', async (line, says, answers) => {
    const { stdout } = await runIn({ answers }, ...line.split(' '));
    expect(stdout.split('\n')[0]).toMatch(new RegExp(`^${says}`));
  });
});

describe('a replica that waits to be added', () => {
  const waits = (endpoint: string): ReturnType<typeof aStatus> =>
    endpoint.includes('.4/')
      ? aStatus(4, { members: [], role: 'follower', leader: undefined })
      : aStatus(Number(/\.([123])\//.exec(endpoint)?.[1] ?? 1));
  const line = (command: string, endpoints: string): Promise<{ readonly stdout: string }> =>
    runIn(
      { answers: { status: (endpoint) => waits(endpoint || endpoints) } },
      ...command.split(' '),
      '--endpoints',
      endpoints,
    );
  const [fourth, both] = [
    '/ip4/10.0.0.4/tcp/7400',
    '/ip4/10.0.0.4/tcp/7400,/ip4/10.0.0.1/tcp/7400',
  ];

  test('alone knows of no members, and the answer says why', async () => {
    const says = 'who answered knows no members: it waits until tocsin cluster add adds it\n';
    expect((await line('cluster members', fourth)).stdout).toBe(says);
    expect((await line('cluster status', fourth)).stdout).toBe(`cluster ${CLUSTER}: ${says}`);
  });

  test('does not hide the members of whom another one tells', async () => {
    const { stdout } = await line('cluster status', both);
    expect(stdout).toContain('replica 1 leads, 3 of 3 reached');
  });
});
