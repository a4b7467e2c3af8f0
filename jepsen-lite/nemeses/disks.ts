import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Prng } from '../../src/base/prng.ts';
import { endOf } from '../end.ts';
import { inject } from '../injection.ts';
import type { Site } from '../site.ts';
import { about, type Fault, type Field, type Means, type Struck } from './fault.ts';

/** Faults of the disk, as far as a process sees it. */
export type DiskFault = 'disk-error' | 'disk-full' | 'disk-slow';

const SYNCS = ['fdatasync', 'fsync'];
const WRITES = ['write', 'pwrite64', 'writev', 'fallocate'];
const SLOW_MS_MIN = 20;
const SLOW_MS_MAX = 1_500;

const lacks = ({ tools }: Means): string | undefined => tools.noInjection;

export const DISK_FAULTS: Readonly<Record<DiskFault, Fault>> = {
  /** Syncs fail: whoever was promised something by them must not be told yes, then or later. */
  'disk-error': { lacks, begin: (_, victim) => injected(victim, SYNCS, 'error=EIO', 'EIO') },
  'disk-full': {
    lacks,
    begin: async (_, victim) =>
      injected(victim, WRITES, 'error=ENOSPC', 'ENOSPC', await filesBelow(victim.folder)),
  },
  'disk-slow': { lacks, begin: slowed },
};

function slowed({ prng }: Field, victim: Site): Promise<Struck | undefined> {
  const ms = delayOf(prng);
  return injected(victim, SYNCS, `delay_enter=${ms * 1_000}`, `${ms} ms a sync`);
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
  const detach = pid === undefined ? undefined : await inject(pid, calls, what, files);
  if (detach === undefined) return undefined;
  const { where, sites } = about([victim]);
  const end = endOf([() => victim.revive(), victim.excuse(), detach]);
  return { where: `${where}: ${says}`, sites, end };
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((each) => each.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}
