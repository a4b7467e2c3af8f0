import type { Prng } from '../../src/base/prng.ts';
import type { TestCluster } from '../cluster.ts';
import type { End } from '../end.ts';
import type { NetworkFault } from '../network/network.ts';
import type { Site } from '../site.ts';

/** What a fault strikes, and with what chance. */
export interface Field {
  readonly cluster: TestCluster;
  readonly prng: Prng;
}

/** What there is to break things with. */
export type Means = Pick<TestCluster, 'network' | 'tools'>;

/** A fault under way. */
export interface Struck {
  /** For people. */
  readonly where: string;
  /** Replicas that it is about. */
  readonly sites: readonly number[];
  readonly end: End;
}

/** One kind of fault. */
export interface Fault {
  /** Fewer replicas have nothing to break. @defaultValue 1 */
  readonly replicasMin?: number;
  /** What is missing here for it, or undefined. @defaultValue nothing is */
  readonly lacks?: (means: Means) => string | undefined;
  /** Strikes, one replica where it is about one; undefined = there was nothing to strike. */
  readonly begin: (field: Field, victim: Site) => Promise<Struck | undefined> | Struck | undefined;
}

export const about = (sites: readonly Site[]): Pick<Struck, 'where' | 'sites'> => {
  const ids = sites.map(({ id }) => id);
  return { where: `replica ${ids.join(', ')}`, sites: ids };
};

/** For `lacks`: a network that does all of this. */
export const needsNetwork =
  (...faults: readonly NetworkFault[]) =>
  ({ network }: Means): string | undefined => {
    const missing = faults.filter((fault) => !network.breaks.has(fault));
    return missing.length === 0 ? undefined : `${network.says} makes no ${missing.join(', no ')}`;
  };
