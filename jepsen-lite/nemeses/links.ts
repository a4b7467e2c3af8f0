import type { Prng } from '../../src/base/prng.ts';
import { endOf, once } from '../end.ts';
import type { Disturbance } from '../network/network.ts';
import { about, type Fault, needsNetwork } from './fault.ts';

/** Faults of what passes between replicas that reach each other. */
export type LinkFault = 'reset' | 'delay' | 'loss' | 'duplicate' | 'reorder';

const LINKS_STRUCK = 0.7;
const DELAY_MS_MIN = 5;
const DELAY_MS_MAX = 150;

export const LINK_FAULTS: Readonly<Record<LinkFault, Fault>> = {
  reset: {
    lacks: needsNetwork('reset'),
    begin: async ({ cluster }, victim) => {
      await cluster.network.reset(victim.id);
      return { ...about([victim]), end: once(() => {}) };
    },
  },
  delay: disturbing('delay'),
  loss: disturbing('loss'),
  duplicate: disturbing('duplicate'),
  reorder: disturbing('reorder'),
};

/** On most links, both ways, with a strength that is drawn. */
function disturbing(kind: Exclude<LinkFault, 'reset'>): Fault {
  return {
    replicasMin: 2,
    lacks: needsNetwork(kind),
    begin: async ({ cluster, prng }) => {
      const ids = cluster.members.map(({ id }) => id);
      const all = ids.flatMap((one) =>
        ids.filter((other) => one < other).map((other) => [one, other] as const),
      );
      const drawn = all.filter(() => prng.chance(LINKS_STRUCK));
      const links = drawn.length > 0 ? drawn : all;
      const { what, strength } = draw(kind, prng);
      const ways = links.flatMap(([one, other]) => [
        cluster.network.disturb(one, other, what),
        cluster.network.disturb(other, one, what),
      ]);
      return {
        where: `${strength} on ${links.length} of ${all.length} links`,
        sites: ids.filter((id) => links.some((link) => link.includes(id))),
        end: endOf(await Promise.all(ways)),
      };
    },
  };
}

function draw(
  kind: Exclude<LinkFault, 'reset'>,
  prng: Prng,
): { readonly what: Disturbance; readonly strength: string } {
  if (kind === 'delay') {
    const ms = prng.between(DELAY_MS_MIN, DELAY_MS_MAX);
    return { what: { kind, ms }, strength: `${ms} ms` };
  }
  const chance = prng.unit() / 2;
  return { what: { kind, chance }, strength: `${Math.round(chance * 100)} %` };
}
