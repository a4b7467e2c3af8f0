import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERT_SLAB_BYTES, ALERTS_UNPACKED_MAX } from '../../base/limits.ts';
import type { AlertLimits } from '../../statemachine/alert-limits.ts';
import type { Layout, Packing } from '../../statemachine/layout.ts';
import { AlertMachine } from '../../statemachine/machine.ts';
import type { MachineCapture } from '../../statemachine/snapshot/capture.ts';
import { MachineRestorer } from '../../statemachine/snapshot/restore.ts';
import type { SnapshotMeta, SnapshotStore, SnapshotWriter } from '../../storage/types.ts';
import { AlertPacker } from '../../wire/log/alert-packer.ts';
import { ChunkPacker, decodeChunk } from '../../wire/log/snapshot-items.ts';
import { Slices } from '../slices.ts';

/** Between a machine and its snapshot, in slices that leave the loop to others. */

/** How a replica's machine is made: in production with a secret seed, and the limits as they are. */
export interface MachineOptions {
  readonly seed: number;
  readonly limits?: Partial<AlertLimits> | undefined;
  /** @defaultValue the limits */
  readonly packing?: Omit<Packing, 'codec'> | undefined;
}

/** A machine in which nothing has happened. */
export const newMachine = (options: MachineOptions): AlertMachine =>
  new AlertMachine(options.limits, layoutOf(options));

/** Where such a machine keeps things. */
export const layoutOf = ({ seed, packing = PACKING }: MachineOptions): Layout => ({
  seed,
  packing: { ...packing, codec: new AlertPacker() },
});

const PACKING = { unpackedMax: ALERTS_UNPACKED_MAX, slabBytes: ALERT_SLAB_BYTES };

/** Writes what was captured; `isWanted` is asked between slices, and false ends it. Whether it got to the end. */
export async function writeImage(
  capture: MachineCapture,
  writer: SnapshotWriter,
  clock: Clock,
  isWanted: () => boolean,
): Promise<boolean> {
  const packer = new ChunkPacker();
  const slices = new Slices(clock);
  for (const item of capture.items()) {
    const full = packer.add(item);
    if (full !== undefined) await writer.append(full);
    if (!slices.step()) continue;
    await slices.next();
    if (!isWanted()) return false;
  }
  const last = packer.end();
  if (last !== undefined) await writer.append(last);
  return true;
}

/**
 * The machine as it was.
 * @throws TocsinError DATA_CORRUPT, DATA_NEWER_FORMAT, DATA_MISSING, DISK_FAILED
 */
export async function readImage(
  snapshots: Pick<SnapshotStore, 'readChunk'>,
  meta: SnapshotMeta,
  options: MachineOptions,
  clock: Clock,
): Promise<AlertMachine> {
  const restorer = new MachineRestorer(options.limits, layoutOf(options));
  const slices = new Slices(clock);
  for (const chunk of meta.chunks.keys()) {
    const bytes = await snapshots.readChunk(meta.id, chunk);
    try {
      for (const item of decodeChunk(bytes)) {
        restorer.add(item);
        if (slices.step()) await slices.next();
      }
    } catch (error) {
      if (!TocsinError.is(error) || error.code !== 'BODY_MALFORMED') throw error;
      throw corrupt(meta, `chunk ${chunk}: ${error.message}`);
    }
  }
  // What makes a machine of many chunks, and what is done with it, are each long enough for a turn of their own.
  const isLong = meta.chunks.length > 1;
  if (isLong) await slices.next();
  const machine = restorer.finish();
  if (machine.applied !== meta.index || machine.digest !== meta.digest)
    throw corrupt(meta, 'the state in it is another one than it says');
  if (isLong) await slices.next();
  return machine;
}

const corrupt = ({ id }: SnapshotMeta, what: string): TocsinError =>
  new TocsinError('DATA_CORRUPT', `snapshot ${id}: ${what}`);
