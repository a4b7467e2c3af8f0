import { Caller, type Mix } from '../../src/testing/workload/caller.ts';
import type { Workload } from './workload.ts';

/** New conditions so often, so that the search for an order stays short. */
const EPOCH_MS = 5_000;

/** Callers who raise, clear, acknowledge and read alerts at random; every general checker looks at what they were told. */
export function alertWorkload(
  name: string,
  mix: Mix,
  more: Partial<Pick<Workload, 'watchers' | 'reconnectAfter' | 'session'>> = {},
): Workload {
  const workload: Workload = {
    name,
    watchers: 1,
    ...more,
    open: ({ namespace, ...parts }) => ({
      workload,
      account: undefined,
      work: (client, process, prng) => {
        const space = (): string => `${namespace}${Math.floor(parts.now() / EPOCH_MS)}:`;
        return new Caller({ ...parts, api: client, process, prng, mix, namespace: space });
      },
    }),
  };
  return workload;
}
