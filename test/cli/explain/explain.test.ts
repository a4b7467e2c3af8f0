import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainCluster } from '../../../cli/explain/cluster.ts';
import { type MemberView, majorityOf, viewCluster } from '../../../cli/output/cluster.ts';
import { isCode, TocsinError } from '../../../src/base/errors.ts';
import { replicaId, unixMillis } from '../../../src/base/ids.ts';
import type { ListedAlert } from '../../../src/statemachine/alert-api.ts';
import type { Badges } from '../../../src/statemachine/beside/suppression.ts';
import { anAlert, aStatus, CLUSTER, NOW, runIn } from '../commands/world.ts';

const PROBLEMS = ['UNAVAILABLE: connect ECONNREFUSED', 'no answer in time', 'of another kind'];

const member = (id: number): fc.Arbitrary<MemberView> => {
  const address = `/ip4/10.0.0.${id}/tcp/7400`;
  return fc.oneof(
    fc.constantFrom(...PROBLEMS).map((problem) => ({ id, address, status: undefined, problem })),
    fc.record({ leads: fc.boolean(), follows: fc.boolean() }).map(({ leads, follows }) => ({
      id,
      address,
      problem: undefined,
      status: aStatus(1, {
        replicaId: replicaId(id),
        role: leads ? 'leader' : 'follower',
        leader: follows ? replicaId(1) : undefined,
      }),
    })),
  );
};

describe('a cluster is explained', () => {
  test('truly, whatever its members say: what works, who is away, and what to do about it', () => {
    const clusters = fc
      .integer({ min: 1, max: 5 })
      .chain((size) => fc.tuple(...Array.from({ length: size }, (_, at) => member(at + 1))));
    fc.assert(
      fc.property(clusters, (members) => {
        const view = viewCluster(CLUSTER, members);
        const { verdict, because, next } = explainCluster(view);
        const away = members.filter(({ status }) => status === undefined);
        const isDown = members.length - away.length < majorityOf(members.length);

        expect(verdict.includes('is down')).toBe(isDown);
        expect(/works|is well/.test(verdict)).toBe(!isDown && view.leader !== undefined);
        for (const { id } of away)
          expect(because.some((line) => line.startsWith(`replica ${id} at `))).toBe(true);
        if (!verdict.includes('is well')) expect(next.length).toBeGreaterThan(0);
      }),
    );
  });

  test('in words for somebody who was woken up', async () => {
    const refused = new TocsinError('UNAVAILABLE', 'connect ECONNREFUSED 10.0.0.3:7400');
    const status = (endpoint: string) => (endpoint.includes('0.0.1/') ? aStatus(1) : refused);
    const { stdout } = await runIn(
      { answers: { status } },
      ...['explain', '--endpoints', '/ip4/10.0.0.1/tcp/7400'],
    );

    expect(stdout).toBe(
      [
        'The cluster is down: nothing can be written, and nothing can be read for sure. Nothing that was answered is lost.',
        '',
        'Because:',
        '  1 of 3 members answer, and 2 have to agree before anything is answered',
        ...[2, 3].map(
          (id) =>
            `  replica ${id} at /ip4/10.0.0.${id}/tcp/7400 does not answer: the machine is there, but nothing listens at that port; is tocsin serve running? (UNAVAILABLE: connect ECONNREFUSED 10.0.0.3:7400)`,
        ),
        '',
        'Next:',
        '  bring back 1 of replicas 2, 3; each needs its own disk as it was',
        '  do not format anything: a disk that is wiped holds no vote',
        '',
      ].join('\n'),
    );
  });

  test.each([
    ['FRAME_MALFORMED: the checksum is wrong', 'something answers there that does not speak'],
    ['VERSION_UNSUPPORTED: 1 to 1 here, 2 to 3 there', 'a version of tocsin answers there'],
    ['WRONG_CLUSTER: it belongs to 5eed', 'somebody of another cluster answers there'],
  ])('%s is said in plain words', async (problem, plain) => {
    const [code = '', message] = problem.split(': ');
    const refused = new TocsinError(isCode(code) ? code : 'INTERNAL', message ?? '');
    const status = (endpoint: string) => (endpoint.includes('0.0.1/') ? aStatus(1) : refused);
    const line = ['explain', '--endpoints', '/ip4/10.0.0.1/tcp/7400'];
    const { stdout } = await runIn({ answers: { status } }, ...line);
    expect(stdout).toContain(`does not answer: ${plain}`);
    expect(stdout).toContain(problem);
  });

  test('also when nobody answers', async () => {
    const message =
      'no replica could be reached: /ip4/10.0.0.1/tcp/7400: UNAVAILABLE: connect ECONNREFUSED';
    const connect = new TocsinError('UNAVAILABLE', message);
    const { status, stdout } = await runIn({ answers: { connect } }, 'explain');

    expect(status).toBe(0);
    expect(stdout).toContain('No replica answers from here');
    expect(stdout).toContain('nothing listens at that port');
  });

  test('also when nobody answers in time', async () => {
    const connect = new TocsinError('DEADLINE_EXCEEDED', 'no answer within 3 s');
    const { status, stdout } = await runIn({ answers: { connect } }, 'explain');

    expect(status).toBe(0);
    expect(stdout).toContain('No replica answers from here');
    expect(stdout).toContain('nothing comes back in time');
  });
});

const badges = (some: Partial<Badges>): Badges => ({
  silencedBy: [],
  inhibitedBy: [],
  maintenanceBy: [],
  ...some,
});

describe('an alert is explained', () => {
  const ack = { by: 'kim', at: unixMillis(NOW - 60_000), activation: 1 };
  test.each([
    ['unacknowledged', anAlert(), 'A1042 is ACTIVE_UNACK', 'tocsin alert ack A1042 --activation 1'],
    [
      'acknowledged',
      anAlert({ acknowledged: true, acknowledgements: [ack] }),
      'A1042 is ACTIVE_ACK',
      'it ends when its source',
    ],
    [
      'annunciated again',
      anAlert({ activation: 2, acknowledgements: [ack] }),
      'A1042 is ACTIVE_UNACK',
      'annunciated again since: this is activation 2',
    ],
    [
      'latched',
      anAlert({ latching: true, presence: 'cleared', clearedAt: unixMillis(NOW - 5_000) }),
      'A1042 is LATCHED',
      'to end it: tocsin alert ack',
    ],
  ])('that is %s', async (_what, alert, verdict, next) => {
    const { stdout, status } = await runIn({ answers: { alert } }, 'explain', 'A1042');

    expect(status).toBe(0);
    expect(stdout).toContain(verdict);
    expect(stdout).toContain(next);
  });

  test.each<readonly [string, Partial<ListedAlert>, string]>([
    ['silenced', { badges: badges({ silencedBy: ['S7', 'S9'] }) }, 'silenced: S7, S9'],
    ['inhibited', { badges: badges({ inhibitedBy: ['A3'] }) }, 'A3 explains it'],
    ['worked on', { badges: badges({ maintenanceBy: ['M2'] }) }, 'is worked on: M2'],
    ['paused', { pausedUntil: unixMillis(NOW + 90_000) }, 'its sound is off for 1m30s'],
    ['stale', { staleSince: unixMillis(NOW - 5_000) }, 'nobody has known for 5s'],
    ['without its acknowledgement', { acknowledgements: [ack] }, 'that holds no longer'],
    [
      'on its way up',
      {
        escalation: {
          policy: 'icu',
          version: 2,
          loop: 0,
          step: 1,
          dueAt: unixMillis(NOW + 30_000),
          exhausted: false,
        },
      },
      'policy icu (version 2): step 1 of round 1, next in 30s',
    ],
  ])('also why one is %s', async (_what, changes, says) => {
    const alert = { ...anAlert(), ...changes };
    const { stdout } = await runIn({ answers: { alert } }, 'explain', 'A1042');
    const plain = await runIn({ answers: { alert: anAlert() } }, 'explain', 'A1042');

    expect(stdout.replace(/\s+/g, ' ')).toContain(says);
    expect(plain.stdout.replace(/\s+/g, ' ')).not.toContain(says);
  });

  test('as one replica knows it where nobody can say for sure, and that is said', async () => {
    const doubt = new TocsinError('UNAVAILABLE', 'replica 3 knows no leader now');
    const answers = { alert: anAlert(), doubt };
    const { status, stdout } = await runIn({ answers }, 'explain', 'A1042');

    expect(status).toBe(0);
    expect(stdout).toContain('As far as one replica knows, A1042 is ACTIVE_UNACK');
    expect(stdout).toContain(
      'nobody can say whether it is still so: UNAVAILABLE: replica 3 knows no leader now',
    );
    expect((await runIn({ answers: { alert: anAlert() } }, 'explain', 'A1042')).stdout).not.toMatch(
      /one replica|whether/,
    );
  });

  test('and is not called missing by a replica that may be behind', async () => {
    const doubt = new TocsinError('UNAVAILABLE', 'replica 3 knows no leader now');
    const { status, stderr } = await runIn({ answers: { doubt } }, 'explain', 'A9');

    expect(status).toBe(6);
    expect(stderr).toContain('tocsin: UNAVAILABLE: replica 3 knows no leader now');
  });

  test('and one that is not there is not found', async () => {
    expect((await runIn({}, 'explain', 'A9')).status).toBe(3);
  });
});
