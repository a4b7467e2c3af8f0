import { TocsinError } from '../../base/errors.ts';
import { ALERT_SLAB_BYTES, ALERTS_UNPACKED_MAX } from '../../base/limits.ts';
import type { AlertLimits } from '../../statemachine/alert-limits.ts';
import type { Layout, Packing } from '../../statemachine/layout.ts';
import { AlertMachine } from '../../statemachine/machine.ts';
import type { MachineCapture, SnapshotItem } from '../../statemachine/snapshot/capture.ts';
import { MachineRestorer } from '../../statemachine/snapshot/restore.ts';
import type { SnapshotMeta, SnapshotStore, SnapshotWriter } from '../../storage/types.ts';
import { AlertPacker } from '../../wire/log/alert-packer.ts';
import { ChunkPacker, decodeChunk } from '../../wire/log/snapshot-items.ts';
import type { Turns } from '../turns.ts';

/** Between a machine and its snapshot, as far as each turn of the loop has time. */

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

/** Records and policies are few, and can be large. */
const isLong = ({ kind }: SnapshotItem): boolean => kind === 'record' || kind === 'policy';

/** Writes what was captured; `isWanted` is asked in each turn, and false ends it. Whether it got to the end. */
export async function writeImage(
  capture: MachineCapture,
  writer: SnapshotWriter,
  turns: Turns,
  isWanted: () => boolean,
): Promise<boolean> {
  const packer = new ChunkPacker();
  const items = capture.items();
  let isAtEnd = false;
  while (!isAtEnd && isWanted()) {
    let chunk: Uint8Array | undefined;
    await turns.done((isOver) => {
      for (;;) {
        const { done, value } = items.next();
        isAtEnd = done === true;
        chunk = done ? packer.end() : packer.add(value);
        if (done || chunk !== undefined) return false;
        if (isOver(isLong(value))) return isWanted();
      }
    });
    if (chunk !== undefined) await append(chunk, writer, turns);
  }
  return isAtEnd;
}

/** Its hash is a long step: it has a turn's time to itself. */
const append = (chunk: Uint8Array, writer: SnapshotWriter, turns: Turns): Promise<void> =>
  turns.make(() => writer.append(chunk));

/**
 * The machine as it was.
 * @throws TocsinError DATA_CORRUPT, DATA_NEWER_FORMAT, DATA_MISSING, DISK_FAILED
 */
export async function readImage(
  snapshots: Pick<SnapshotStore, 'readChunk'>,
  meta: SnapshotMeta,
  options: MachineOptions,
  turns: Turns,
): Promise<AlertMachine> {
  const restorer = new MachineRestorer(options.limits, layoutOf(options));
  for (const chunk of meta.chunks.keys()) {
    const bytes = await snapshots.readChunk(meta.id, chunk);
    try {
      await restoreChunk(bytes, restorer, turns);
    } catch (error) {
      if (!TocsinError.is(error) || error.code !== 'BODY_MALFORMED') throw error;
      throw corrupt(meta, `chunk ${chunk}: ${error.message}`);
    }
  }
  const machine = await turns.make(() => restorer.finish());
  if (machine.applied !== meta.index || machine.digest !== meta.digest)
    throw corrupt(meta, 'the state in it is another one than it says');
  return machine;
}

function restoreChunk(bytes: Uint8Array, restorer: MachineRestorer, turns: Turns): Promise<void> {
  const items = decodeChunk(bytes)[Symbol.iterator]();
  return turns.done((isOver) => {
    for (;;) {
      const { done, value } = items.next();
      if (done) return false;
      restorer.add(value);
      if (isOver(isLong(value))) return true;
    }
  });
}

const corrupt = ({ id }: SnapshotMeta, what: string): TocsinError =>
  new TocsinError('DATA_CORRUPT', `snapshot ${id}: ${what}`);
