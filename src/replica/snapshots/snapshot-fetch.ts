import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, type Millis, millis, type ReplicaId } from '../../base/ids.ts';
import { SNAPSHOT_BYTES_PER_SECOND } from '../../base/limits.ts';
import type { AlertMachine } from '../../statemachine/machine.ts';
import type { SnapshotMeta, SnapshotStore, StagedSnapshot } from '../../storage/types.ts';
import { FrameType } from '../../wire/frame.ts';
import { decodeSnapshotMeta } from '../../wire/log/snapshot-meta.ts';
import { encodeSnapshotFetch } from '../../wire/peers/bulk-messages.ts';
import type { BulkLane } from '../peers/bulk-lane.ts';
import type { Turns } from '../turns.ts';
import { type MachineOptions, readImage } from './machine-image.ts';

export interface SnapshotFetchParts {
  readonly lane: Pick<BulkLane, 'ask'>;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly snapshots: SnapshotStore;
  readonly machine: MachineOptions;
  readonly log: (line: string) => void;
}

/** A snapshot that is complete and durable here, and the machine that is in it. */
export interface FetchedSnapshot {
  readonly meta: SnapshotMeta;
  readonly machine: AlertMachine;
}

/** Fetches snapshots from peers: chunk by chunk, each verified, resumed where it was broken off. */
export class SnapshotFetch {
  readonly #parts: SnapshotFetchParts;
  #isBusy = false;
  #stopped = false;
  /** No chunk is asked for before. */
  #dueAt: Millis = millis(0);

  constructor(parts: SnapshotFetchParts) {
    this.#parts = parts;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  stop(): void {
    this.#stopped = true;
  }

  /**
   * The newest snapshot of a peer that reaches `reaching`. One at a time: undefined when one is under way, or when it
   * did not come to an end; asking again goes on from there.
   * @throws TocsinError DISK_FAILED: the disk of this replica, for what the lane throws is never that
   */
  async fetch(peer: ReplicaId, reaching: LogIndex): Promise<FetchedSnapshot | undefined> {
    if (this.#isBusy || this.#stopped) return undefined;
    this.#isBusy = true;
    try {
      return await this.#fetch(peer, reaching);
    } catch (error) {
      if (!TocsinError.is(error) || error.code === 'DISK_FAILED') throw error;
      this.#parts.log(`snapshot of replica ${peer}: ${error.code}: ${error.message}`);
      return undefined;
    } finally {
      this.#isBusy = false;
    }
  }

  async #fetch(peer: ReplicaId, reaching: LogIndex): Promise<FetchedSnapshot | undefined> {
    const { lane, snapshots, turns, log } = this.#parts;
    const ask = encodeSnapshotFetch({ what: 'newest', reaching });
    const meta = decodeSnapshotMeta(await lane.ask(peer, FrameType.SNAPSHOT_FETCH, [ask]));
    if (meta.index < reaching)
      throw new TocsinError('BODY_MALFORMED', `it ends at ${meta.index}, not at ${reaching}`);
    const staged = await snapshots.stage(meta);
    log(`fetching snapshot ${meta.id} of replica ${peer} from chunk ${staged.missing ?? 'none'}`);
    await this.#fill(peer, staged);
    if (this.#stopped) return undefined;
    await staged.finish();
    const machine = await readImage(snapshots, meta, this.#parts.machine, turns);
    return this.#stopped ? undefined : { meta, machine };
  }

  async #fill(peer: ReplicaId, staged: StagedSnapshot): Promise<void> {
    const { lane, clock } = this.#parts;
    const { id } = staged.meta;
    for (let at = staged.missing; at !== undefined; at = staged.missing) {
      await this.#untilDue();
      if (this.#stopped) return;
      // Time in which nothing was asked for, or came, is not made up for.
      const from = Math.max(this.#dueAt, clock.monotonic());
      const ask = encodeSnapshotFetch({ what: 'chunk', id, chunk: at });
      const chunk = await lane.ask(peer, FrameType.SNAPSHOT_FETCH, [ask]);
      this.#dueAt = millis(from + (chunk.byteLength * 1_000) / SNAPSHOT_BYTES_PER_SECOND);
      await staged.put(at, chunk);
    }
  }

  async #untilDue(): Promise<void> {
    const { clock } = this.#parts;
    const early = this.#dueAt - clock.monotonic();
    if (early <= 0) return;
    await new Promise<void>((resolve) => {
      clock.after(millis(early), resolve);
    });
  }
}
