import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../../src/base/errors.ts';
import { logIndex } from '../../../src/base/ids.ts';
import type { ReplicaStatus } from '../../../src/wire/clients/status.ts';
import { anAlert, aStatus, runIn } from './world.ts';

const idOf = (endpoint: string): number => Number(/\.(\d)\/tcp/.exec(endpoint)?.[1] ?? 1);

/** Statuses by the number of the round in which they are asked for. */
const inRounds =
  (...rounds: readonly ((id: number) => ReplicaStatus | Error)[]) =>
  () => {
    let asked = 0;
    return (endpoint: string): ReplicaStatus | Error => {
      const round = Math.min(rounds.length - 1, Math.floor(asked / 3));
      asked += 1;
      return rounds[round]!(idOf(endpoint));
    };
  };

const AWAY = new TocsinError('UNAVAILABLE', 'nobody there');
const leaderless = (id: number): ReplicaStatus =>
  aStatus(id, { role: 'follower', leader: undefined, leaderAddress: undefined });

describe('tocsin wait', () => {
  test.each<readonly [string, (id: number) => ReplicaStatus | Error, string]>([
    ['leader', leaderless, 'replica 1 leads'],
    ['quorum', (id) => (id === 1 ? aStatus(1) : AWAY), '3 of 3 answer'],
    [
      'ready',
      (id) => aStatus(id, id === 3 ? { applied: logIndex(7) } : {}),
      '3 of 3 hold everything up to entry 1234',
    ],
    ['open=12', (id) => aStatus(id, { openAlerts: 13 }), '12 open'],
  ])('--for %s goes on until it is so', async (condition, before, says) => {
    const status = inRounds(before, (id) => aStatus(id))();
    const args = ['wait', '--for', condition, '--timeout', '20s'];
    const { stdout, stderr, ...ended } = await runIn({ answers: { status } }, ...args);

    expect(stderr).toBe('');
    expect(stdout).toBe(`${says}\n`);
    expect(ended.status).toBe(0);
  });

  test('tells what it saw last when the time is up', async () => {
    const status = inRounds(leaderless)();
    const args = ['wait', '--for', 'leader', '--timeout', '300ms'];
    const { stderr, ...ended } = await runIn({ answers: { status } }, ...args);

    expect(ended.status).toBe(6);
    expect(stderr).toContain('DEADLINE_EXCEEDED: leader is not so after 300 ms');
    expect(stderr).toContain('no leader is known to a majority of 3');
  });

  test('does not mind that nobody can be reached yet', async () => {
    const args = ['wait', '--for', 'leader', '--timeout', '300ms'];
    const { stderr, status } = await runIn({ answers: { connect: AWAY } }, ...args);

    expect(status).toBe(6);
    expect(stderr).toContain('UNAVAILABLE: nobody there');
  });

  test('for an alert ends at its state; the key of an alert that is over has none open', async () => {
    const alert = anAlert({ acknowledged: true });
    const acknowledged = ['wait', '--for', 'alert/A1042=ACTIVE_ACK'];
    const over = ['wait', '--for', 'alert/bed:B12:HR:HI=RESOLVED'];

    expect((await runIn({ answers: { alert } }, ...acknowledged)).stdout).toBe(
      'A1042 is ACTIVE_ACK\n',
    );
    expect((await runIn({}, ...over)).stdout).toBe('none is open\n');
  });

  test.each(['leader=1', 'open', 'revision=0', 'alert/A1', 'alert/A1=GONE', 'toString'])(
    '--for %s is refused',
    async (condition) => {
      const { status, stderr } = await runIn({}, 'wait', '--for', condition);

      expect(status).toBe(2);
      expect(stderr).toMatch(/^tocsin: USAGE: /);
    },
  );
});
