import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { TrendsFeed } from '../../src/replica/peers/trends-feed.ts';
import type { TrendPeer } from '../../src/replica/trend/trend-peers.ts';
import type { Hello } from '../../src/wire/handshake.ts';

const hello = (id: number, trend?: string): Hello => ({
  ...{ role: 'peer', lane: 'control', clusterId: 'c0ffee00c0ffee00c0ffee00c0ffee00' },
  ...{ replicaId: replicaId(id), incarnation: id, agent: 'test', trend },
});

function followed(): { readonly feed: TrendsFeed; readonly told: (readonly TrendPeer[])[] } {
  const feed = new TrendsFeed();
  const told: (readonly TrendPeer[])[] = [];
  feed.follow((others) => told.push(others));
  return { feed, told };
}

test('a member that was not met is one whose trends nobody knows; who says that it has none has none', () => {
  const { feed, told } = followed();
  feed.belong([2, 3].map(replicaId));
  expect(feed.others).toEqual([
    { id: 2, address: undefined },
    { id: 3, address: undefined },
  ]);
  feed.meet(hello(3));
  feed.meet(hello(2, '/memory/2'));
  expect(feed.others).toEqual([{ id: 2, address: '/memory/2' }]);
  expect(told.at(-1)).toEqual(feed.others);
});

test('what changes nothing is not told, however often it is said', () => {
  const { feed, told } = followed();
  feed.belong([replicaId(2)]);
  feed.meet(hello(2, '/memory/2'));
  const before = told.length;
  feed.meet(hello(2, '/memory/2'));
  feed.belong([replicaId(2)]);
  expect(told).toHaveLength(before);
  feed.meet(hello(2, '/memory/22'));
  expect(told.at(-1)).toEqual([{ id: 2, address: '/memory/22' }]);
});

test('who is no member is none of them, and one that comes back has to say again where it is', () => {
  const { feed } = followed();
  feed.meet(hello(4, '/memory/4'));
  feed.belong([replicaId(2)]);
  expect(feed.others).toEqual([{ id: 2, address: undefined }]);
  feed.meet(hello(2, '/memory/2'));
  feed.belong([]);
  expect(feed.others).toEqual([]);
  feed.belong([replicaId(2)]);
  expect(feed.others).toEqual([{ id: 2, address: undefined }]);
});
