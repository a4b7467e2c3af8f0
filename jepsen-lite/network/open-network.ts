import type { Prng } from '../../src/base/prng.ts';
import { NamespacedNetwork } from './namespaced-network.ts';
import type { Network } from './network.ts';
import { ProxiedNetwork } from './proxied-network.ts';

export const NETWORKS = ['auto', 'proxy', 'namespaces'] as const;
export type NetworkName = (typeof NETWORKS)[number];

/**
 * The network by this name; `auto` takes namespaces where they can be made and will do.
 * @throws Error when namespaces were asked for and cannot be made
 */
export async function openNetwork(
  name: NetworkName,
  prng: Prng,
  willDo: (network: Network) => boolean,
): Promise<Network> {
  if (name === 'proxy') return new ProxiedNetwork(prng);
  try {
    const network = await NamespacedNetwork.open();
    return name === 'namespaces' || willDo(network) ? network : new ProxiedNetwork(prng);
  } catch (error) {
    if (name === 'namespaces') throw error;
    return new ProxiedNetwork(prng);
  }
}
