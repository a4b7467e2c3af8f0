import type { Prng } from '../../src/base/prng.ts';
import { type End, endOf } from '../end.ts';
import { CALLERS, type Network } from '../network/network.ts';
import type { Site } from '../site.ts';
import { about, type Fault, type Field, needsNetwork, type Struck } from './fault.ts';

/** Faults of who reaches whom. */
export type Partition = 'isolate' | 'halves' | 'bridge' | 'ring' | 'one-way' | 'clients';

/** Whether what `from` sends to `to` is lost. */
type Cut = (from: number, to: number) => boolean;

/** Draws a cut, and says what it is. */
type Drawing = (
  prng: Prng,
  ids: readonly number[],
  victim: number,
) => { readonly isCut: Cut; readonly where: string };

export const PARTITIONS: Readonly<Record<Partition, Fault>> = {
  isolate: between(2, (_prng, _ids, victim) => ({
    isCut: (from, to) => from === victim || to === victim,
    where: `replica ${victim}`,
  })),
  halves: between(2, (prng, ids) => {
    const side = prng.part(ids);
    return {
      isCut: (from, to) => side.has(from) !== side.has(to),
      where: `${[...side].join(' ')} | ${ids.filter((id) => !side.has(id)).join(' ')}`,
    };
  }),
  bridge: between(3, (prng, ids, victim) => {
    const side = prng.part(ids.filter((id) => id !== victim));
    return {
      isCut: (from, to) => from !== victim && to !== victim && side.has(from) !== side.has(to),
      where: `halves that meet in replica ${victim}`,
    };
  }),
  ring: between(4, (_prng, ids) => {
    const apart = (from: number, to: number): number =>
      Math.abs(ids.indexOf(from) - ids.indexOf(to));
    return {
      isCut: (from, to) => Math.min(apart(from, to), ids.length - apart(from, to)) > 1,
      where: 'each with its neighbours',
    };
  }),
  'one-way': between(2, (prng, _ids, victim) => {
    const isDeaf = prng.chance(0.5);
    return {
      isCut: (from, to) => (isDeaf ? to : from) === victim,
      where: isDeaf ? `replica ${victim} hears nobody` : `nobody hears replica ${victim}`,
    };
  }),
  clients: { lacks: needsNetwork('cut'), begin: cutClients },
};

/** A partition between so many replicas, or more. */
function between(replicasMin: number, draw: Drawing): Fault {
  return {
    replicasMin,
    lacks: needsNetwork('cut'),
    begin: async ({ cluster: { members, network }, prng }, victim) => {
      const ids = members.map(({ id }) => id);
      const { isCut, where } = draw(prng, ids, victim.id);
      const pairs = ids.flatMap((from) =>
        ids.filter((to) => to !== from && isCut(from, to)).map((to) => [from, to] as const),
      );
      const sites = ids.filter((id) => pairs.some((pair) => pair.includes(id)));
      const isAboutOne = where.includes(`replica ${victim.id}`);
      return { where, sites: isAboutOne ? [victim.id] : sites, end: await cut(network, pairs) };
    },
  };
}

async function cutClients({ cluster, prng }: Field, victim: Site): Promise<Struck> {
  const way = prng.between(0, 2);
  const pairs: (readonly [number, number])[] = [];
  if (way !== 1) pairs.push([CALLERS, victim.id]);
  if (way !== 0) pairs.push([victim.id, CALLERS]);
  return { ...about([victim]), end: await cut(cluster.network, pairs) };
}

async function cut(
  network: Network,
  pairs: readonly (readonly [from: number, to: number])[],
): Promise<End> {
  const cuts = pairs.map(([from, to]) => network.disturb(from, to, { kind: 'cut' }));
  return endOf(await Promise.all(cuts));
}
