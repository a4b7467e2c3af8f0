import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Prng } from '../../src/base/prng.ts';
import { type End, endOf, once } from '../end.ts';
import { inject } from '../injection.ts';
import type { Site } from '../site.ts';
import { about, type Fault, type Field, type Means, type Struck } from './fault.ts';
import { startedAgain } from './processes.ts';

/** Faults of the disk, as far as a process sees it. */
export type DiskFault = 'disk-error' | 'disk-full' | 'disk-slow' | 'power-cut';

const SYNCS = ['fdatasync', 'fsync'];
const WRITES = ['write', 'pwrite64', 'writev', 'fallocate'];
const SLOW_MS_MIN = 20;
const SLOW_MS_MAX = 1_500;
/** Syncs that hang outlast the moment in which they do, and whatever it takes to look at the disks. */
const HUNG_MS = 10_000;
const HANGING_MS = 300;

const lacks = ({ tools }: Means): string | undefined => tools.noInjection;

export const DISK_FAULTS: Readonly<Record<DiskFault, Fault>> = {
  /** Syncs fail: whoever was promised something by them must not be told yes, then or later. */
  'disk-error': { lacks, begin: (_, victim) => injected(victim, SYNCS, 'error=EIO', 'EIO') },
  'disk-full': {
    lacks,
    begin: async (_, victim) =>
      injected(victim, WRITES, 'error=ENOSPC', 'ENOSPC', await filesOf(victim)),
  },
  'disk-slow': { lacks, begin: slowed },
  'power-cut': { lacks: ({ tools }) => tools.noImages, begin: cutPower },
};

/**
 * One replica, or all at once, lose what they have not synced; often after their syncs have hung for a moment, or there would
 * seldom be much of that. The power is back when the fault ends.
 */
async function cutPower({ cluster, prng }: Field, victim: Site): Promise<Struck> {
  const sites = prng.chance(0.5) ? cluster.running : [victim];
  for (const site of sites) site.isBusy = true;
  const hang = cluster.tools.noInjection === undefined && prng.chance(0.7);
  const detach = hang ? await hungSyncs(sites) : once(() => {});
  // Nobody writes while the disks are looked at, and nobody is told anything more.
  for (const site of sites) site.pause();
  await Promise.all(sites.map(({ disk }) => disk?.catchSynced()));
  await Promise.all(sites.map((site) => site.end('SIGKILL')));
  await detach();
  await Promise.all(sites.map(({ disk }) => disk?.cutPower()));
  const { where, sites: ids } = about(sites);
  const struck = { where: hang ? `${where}: after syncs hung` : where, sites: ids };
  return { ...struck, end: once(() => startedAgain(sites)) };
}

/** Resolves when no sync of them has ended for a moment, in which they were asked to write. */
async function hungSyncs(sites: readonly Site[]): Promise<End> {
  const what = `delay_enter=${HUNG_MS * 1_000}`;
  const detachments = await Promise.all(
    sites.map(({ pid }) => (pid === undefined ? undefined : inject(pid, SYNCS, what))),
  );
  await pause(HANGING_MS);
  return endOf(detachments.flatMap((detach) => detach ?? []));
}

/** One disk, or the storage that all have in common. */
async function slowed({ cluster, prng }: Field, victim: Site): Promise<Struck | undefined> {
  const ms = delayOf(prng);
  const what = `delay_enter=${ms * 1_000}`;
  const victims = prng.chance(0.3) ? cluster.running : [victim];
  const struck = await Promise.all(victims.map((each) => injected(each, SYNCS, what, '')));
  const ends = struck.flatMap((each) => (each === undefined ? [] : [each.end]));
  if (ends.length === 0) return undefined;
  const { where, sites } = about(victims);
  return { where: `${where}: ${ms} ms a sync`, sites, end: endOf(ends) };
}

/** Short ones more often than long ones. */
const delayOf = (prng: Prng): number =>
  Math.round(SLOW_MS_MIN * (SLOW_MS_MAX / SLOW_MS_MIN) ** prng.unit());

async function injected(
  victim: Site,
  calls: readonly string[],
  what: string,
  says: string,
  files?: readonly string[],
): Promise<Struck | undefined> {
  const { pid } = victim;
  if (pid === undefined) return undefined;
  // It may end of that before it is said that all of its threads are held.
  victim.excuse();
  const detach = await inject(pid, calls, what, files);
  if (detach === undefined && victim.isUp) return undefined;
  const { where, sites } = about([victim]);
  const letGo = detach === undefined ? [] : [detach];
  const end = endOf([() => victim.revive(), () => victim.mayEnd(), ...letGo]);
  return { where: `${where}: ${says}`, sites, end };
}

/** As its process names them: it may see a disk that nobody else does. */
async function filesOf({ pid, folder }: Site): Promise<readonly string[]> {
  const seen = join(`/proc/${pid}/root`, resolve(folder));
  const found = await readdir(seen, { recursive: true, withFileTypes: true });
  return found
    .filter((each) => each.isFile())
    .map(({ parentPath, name }) => join(resolve(folder), relative(seen, parentPath), name));
}
