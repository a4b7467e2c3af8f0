import { TocsinError } from '../base/errors.ts';
import { AlertMachine } from '../statemachine/machine.ts';
import { describeDamage } from '../storage/log-repair.ts';
import { readImage } from './machine-image.ts';
import type { ReplicaParts } from './parts.ts';
import { Replica } from './replica.ts';

/**
 * Brings a replica up from its disk: the log, and the machine out of the newest snapshot. What the log holds beyond the
 * snapshot is applied when the replica runs.
 * @throws TocsinError DATA_CORRUPT, DATA_NEWER_FORMAT, DISK_FAILED
 */
export async function bringUp(parts: Omit<ReplicaParts, 'restored' | 'machine'>): Promise<Replica> {
  const { store, clock, seed } = parts;
  const restored = await store.load();
  const { snapshot, damage } = restored;
  if (damage !== undefined)
    throw new TocsinError('DATA_CORRUPT', `lost: ${describeDamage(damage)}`);
  const machine =
    snapshot === undefined
      ? new AlertMachine({}, seed)
      : await readImage(store.snapshots, snapshot, seed, clock);
  return new Replica({ ...parts, restored, machine });
}
