import { setTimeout as pause } from 'node:timers/promises';
import { endOf, once } from '../end.ts';
import type { Site } from '../site.ts';
import { about, type Fault, type Field, type Struck } from './fault.ts';

/** Faults of processes. */
export type ProcessFault = 'kill' | 'kill-all' | 'restart' | 'rolling' | 'pause' | 'slow';

const SLOW_MS = 40;

export const PROCESS_FAULTS: Readonly<Record<ProcessFault, Fault>> = {
  kill: { begin: (_, victim) => ended([victim], 'SIGKILL') },
  'kill-all': { begin: ({ cluster }) => ended(cluster.running, 'SIGKILL') },
  restart: { begin: (_, victim) => ended([victim], 'SIGTERM') },
  rolling: { begin: ({ cluster }) => rolled(cluster.running) },
  pause: { begin: (_, victim) => ({ ...about([victim]), end: victim.pause() }) },
  slow: { begin: slowed },
};

/** Ends processes; the end of the fault starts them again. */
async function ended(sites: readonly Site[], signal: 'SIGKILL' | 'SIGTERM'): Promise<Struck> {
  for (const site of sites) site.isBusy = true;
  await Promise.all(sites.map((site) => site.end(signal)));
  return { ...about(sites), end: once(() => startedAgain(sites)) };
}

export async function startedAgain(sites: readonly Site[]): Promise<void> {
  await Promise.all(
    sites.map(async (site) => {
      await site.startAgain();
      site.isBusy = false;
    }),
  );
}

/** One after the other, each in order and back before the next: as operators bring in another version. */
function rolled(sites: readonly Site[]): Struck {
  const rolling = (async () => {
    for (const site of sites) {
      if (!site.isUp) continue;
      const { end } = await ended([site], 'SIGTERM');
      await end();
    }
  })();
  return { ...about(sites), end: once(() => rolling) };
}

/** Runs about half of the time. */
function slowed(_: Field, victim: Site): Struck {
  let isOver = false;
  const flutter = async (): Promise<void> => {
    while (!isOver && victim.isUp) {
      const resume = victim.pause();
      await pause(SLOW_MS);
      await resume();
      await pause(SLOW_MS);
    }
  };
  const fluttering = flutter();
  const stop = once(() => {
    isOver = true;
  });
  return { ...about([victim]), end: endOf([() => fluttering, stop]) };
}
