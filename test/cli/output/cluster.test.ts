import { describe, expect, test } from 'vitest';
import { type ClusterView, type MemberView, viewCluster } from '../../../cli/output/cluster.ts';
import { renderCluster } from '../../../cli/output/cluster-table.ts';
import { plain } from '../../../cli/output/paint.ts';
import { logIndex, replicaId, term } from '../../../src/base/ids.ts';
import type { ReplicaStatus } from '../../../src/wire/clients/status.ts';
import { aStatus, CLUSTER } from '../commands/world.ts';

const member = (id: number, status: ReplicaStatus | undefined): MemberView => ({
  id,
  address: `/ip4/10.0.0.${id}/tcp/7400`,
  status,
  problem: status === undefined ? 'CONNECTION_LOST: refused' : undefined,
});

const view = (...statuses: readonly (ReplicaStatus | undefined)[]): ClusterView =>
  viewCluster(
    CLUSTER,
    statuses.map((status, at) => member(at + 1, status)),
  );

const LAGGING = aStatus(2, { applied: logIndex(1_200), digest: 'ffffffffffffff' });
const draw = (width: number | undefined): string =>
  `\n${renderCluster(view(aStatus(1), LAGGING, undefined), { width, paint: plain })}`;

describe('the table of the members', () => {
  test('at 80 columns', () => {
    expect(draw(80)).toMatchInlineSnapshot(`
      "
      ID  ADDRESS                 ROLE       TERM  LEADER  APPLIED  TRAILS BY  OPEN
       1  /ip4/10.0.0.1/tcp/7400  leader        4       1     1234          0    12
       2  /ip4/10.0.0.2/tcp/7400  follower      4       1     1200         34    12
       3  /ip4/10.0.0.3/tcp/7400  unreached     -       -        -          -     -

      cluster 3f2a9c0d4b5e6f708192a3b4c5d6e7f8: replica 1 leads, 2 of 3 reached
      replica 3: CONNECTION_LOST: refused
      "
    `);
  });

  test('at 120 columns', () => {
    expect(draw(120)).toMatchInlineSnapshot(`
      "
      ID  ADDRESS                 ROLE       TERM  LEADER  COMMIT  APPLIED  TRAILS BY  REVISION  DIGEST    OPEN  UPTIME
       1  /ip4/10.0.0.1/tcp/7400  leader        4       1    1234     1234          0      1042  00c0ffee    12   5h02m
       2  /ip4/10.0.0.2/tcp/7400  follower      4       1    1234     1200         34      1042  ffffffff    12   5h02m
       3  /ip4/10.0.0.3/tcp/7400  unreached     -       -       -        -          -         -  -            -       -

      cluster 3f2a9c0d4b5e6f708192a3b4c5d6e7f8: replica 1 leads, 2 of 3 reached
      replica 3: CONNECTION_LOST: refused
      "
    `);
  });

  test('without a terminal', () => {
    expect(draw(undefined)).toMatchInlineSnapshot(`
      "
      ID  ADDRESS                 ROLE       TERM  LEADER  COMMIT  APPLIED  TRAILS BY  REVISION  DIGEST    OPEN  UPTIME
       1  /ip4/10.0.0.1/tcp/7400  leader        4       1    1234     1234          0      1042  00c0ffee    12   5h02m
       2  /ip4/10.0.0.2/tcp/7400  follower      4       1    1234     1200         34      1042  ffffffff    12   5h02m
       3  /ip4/10.0.0.3/tcp/7400  unreached     -       -       -        -          -         -  -            -       -

      cluster 3f2a9c0d4b5e6f708192a3b4c5d6e7f8: replica 1 leads, 2 of 3 reached
      replica 3: CONNECTION_LOST: refused
      "
    `);
  });
});

/** Status of member `id`, who takes `leader` for the leader of term `inTerm`. */
const believing = (id: number, leader: number | undefined, inTerm: number): ReplicaStatus =>
  aStatus(id, { term: term(inTerm), leader: leader === undefined ? undefined : replicaId(leader) });

describe('a leader', () => {
  test.each<readonly [string, readonly (ReplicaStatus | undefined)[], number | undefined]>([
    ['is known to all', [believing(1, 1, 4), believing(2, 1, 4), believing(3, 1, 4)], 1],
    ['is known to a majority', [believing(1, 1, 4), believing(2, 1, 4), undefined], 1],
    ['is not who calls itself so alone', [believing(1, 1, 4), undefined, undefined], undefined],
    [
      'is not who led an older term',
      [believing(1, 1, 4), believing(2, 1, 4), believing(3, undefined, 5)],
      undefined,
    ],
    ['is the newer one', [believing(1, 1, 4), believing(2, 3, 5), believing(3, 3, 5)], 3],
    [
      'is nobody while they vote',
      [believing(1, undefined, 5), believing(2, undefined, 5), undefined],
      undefined,
    ],
    ['is nobody in silence', [undefined, undefined, undefined], undefined],
    ['of two that live needs two', [believing(1, 1, 4), undefined], undefined],
    ['of one is itself', [believing(1, 1, 4)], 1],
  ])('%s', (_claim, statuses, leader) => {
    expect(view(...statuses).leader).toBe(leader);
  });
});

describe('digests', () => {
  const at = (id: number, applied: number, digest: string): ReplicaStatus =>
    aStatus(id, { applied: logIndex(applied), digest });

  test('that differ at the same entry are a fault, and named', () => {
    const broken = view(at(1, 9, 'aaaa'), at(2, 9, 'bbbb'), at(3, 8, 'cccc'));

    expect(broken.differing).toEqual([1, 2]);
    expect(renderCluster(broken, { width: 80, paint: plain })).toContain(
      'replicas 1 and 2 hold different states at the same entry',
    );
  });

  test('that differ at different entries say nothing', () => {
    expect(view(at(1, 9, 'aaaa'), at(2, 8, 'bbbb'), undefined).differing).toEqual([]);
  });
});
