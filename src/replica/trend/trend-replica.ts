import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { millis } from '../../base/ids.ts';
import { TREND_GRACE_MS, TREND_SYNC_MS, TREND_WINDOW_MS } from '../../base/trend-limits.ts';
import type { TrendDisk } from '../../storage/trend/trend-disk.ts';
import type { TrendJournal } from '../../storage/trend/trend-journal.ts';
import type { Identity } from '../../storage/types.ts';
import type { Listener, Transport } from '../../transport/types.ts';
import type { SeriesRegistry } from '../../trend/series.ts';
import type { SketchMaker } from '../../trend/sketch.ts';
import { VERDICT } from '../../trend/store.ts';
import type { Hello } from '../../wire/handshake.ts';
import type { TrendStanding } from '../../wire/trend/trend-query.ts';
import { FrameRoom, type SampleBatch, type Taken } from '../../wire/trend/trend-samples.ts';
import { isFull } from '../room-again.ts';
import { type OnSample, TrendKeeper } from './keeper.ts';
import type { ChunkPress } from './press.ts';
import { TrendQueries } from './queries.ts';
import { Reconciler } from './reconciler.ts';
import { Retention } from './retention.ts';
import { type TrendPeer, TrendPeers } from './trend-peers.ts';
import { TrendRoom } from './trend-room.ts';
import { type FrameMeter, TrendSession } from './trend-session.ts';

export interface TrendReplicaOptions {
  readonly identity: Pick<Identity, 'clusterId' | 'replicaId' | 'incarnation'>;
  /** Where it listens. */
  readonly address: string;
  /** Those of the other members that are known when it starts. */
  readonly others: readonly TrendPeer[];
  readonly transport: Transport;
  readonly clock: Clock;
  readonly disk: TrendDisk;
  readonly journal: TrendJournal;
  readonly sketches: SketchMaker;
  /** Where windows become bytes. @defaultValue where the replica runs */
  readonly press?: ChunkPress;
  readonly agent: string;
  /** Judges samples as they come, by the places of this registry. */
  readonly judge?: (registry: SeriesRegistry) => SampleJudge;
  /** Told of each frame of samples. */
  readonly meter?: FrameMeter | undefined;
  readonly log: (line: string) => void;
  /** The disk failed: what this tier promises to keep it can keep no more. */
  readonly onFault: (error: Error) => void;
}

/** Sees each sample; places are those of the keeper's registry. */
export interface SampleJudge {
  /** `isOwn`: a client brought it here; else a peer passed it on, and that peer speaks for it. */
  judge(place: number, time: number, value: number, quality: number, isOwn: boolean): void;
  /** A client brought a sample that comes behind another one, or was refused, being too old or too new to be kept. */
  astray(place: number, time: number, value: number, quality: number, isRefused: boolean): void;
  /** What follows was received now. */
  receive(now: number): void;
}

/** Counts of what passed through, for metrics and tests. */
export interface TrendCounts {
  readonly series: number;
  readonly samplesInMemory: number;
  readonly forwardsLeftOut: number;
  readonly chunksFetched: number;
  readonly chunksDamaged: number;
  /** Let go of unwritten while the disk was full. */
  readonly samplesShed: number;
}

/**
 * The trend tier of one member: takes samples, passes them on, keeps them, compares what it has with the others, answers.
 * Shares nothing with the alerts but the process or not even that.
 */
export class TrendReplica {
  readonly keeper: TrendKeeper;
  readonly #options: TrendReplicaOptions;
  readonly #queries: TrendQueries;
  readonly #peers: TrendPeers;
  readonly #reconciler: Reconciler;
  readonly #retention: Retention;
  readonly #diskRoom: TrendRoom;
  readonly #judge: SampleJudge | undefined;
  readonly #room: FrameRoom = new FrameRoom();
  readonly #timers: Timer[] = [];
  readonly #work: Set<Promise<void>> = new Set();
  #listener: Listener | undefined;
  #checkpointed = 0;

  constructor(options: TrendReplicaOptions) {
    const { clock, transport, log } = options;
    this.#options = options;
    this.keeper = new TrendKeeper(options);
    this.#queries = new TrendQueries(this.keeper, options.sketches, () => this.#standing());
    const { registry } = this.keeper;
    this.#peers = new TrendPeers({ self: this.#hello('peer'), transport, clock, registry });
    this.#reconciler = new Reconciler(this.keeper, clock, this.#peers, log);
    this.#retention = new Retention(this.keeper, options.sketches, clock);
    this.#diskRoom = new TrendRoom(this.keeper, log);
    this.#judge = options.judge?.(registry);
  }

  get counts(): TrendCounts {
    return {
      series: this.keeper.registry.size,
      samplesInMemory: this.keeper.store.held,
      forwardsLeftOut: this.#peers.leftOut,
      chunksFetched: this.#reconciler.fetched,
      chunksDamaged: this.keeper.disk.damaged,
      samplesShed: this.keeper.samplesShed,
    };
  }

  get address(): string | undefined {
    return this.#listener?.address;
  }

  /**
   * Takes up what an earlier run left, then listens.
   * @throws TocsinError DATA_CORRUPT, DISK_FAILED, BAD_ADDRESS, ADDRESS_IN_USE
   */
  async start(): Promise<void> {
    const { clock, address, others, transport, meter } = this.#options;
    await this.#diskRoom.look();
    await this.#unlessFull(this.keeper.load());
    this.#listener = await transport.listen(address, this.#hello('peer'), {
      judge: (remote) => this.#admit(remote),
      open: (channel) => {
        if (channel.remote.role === 'peer') this.#peers.welcome(channel);
        new TrendSession(channel, {
          keeper: this.keeper,
          queries: this.#queries,
          room: this.#room,
          now: () => clock.wall(),
          take: (batch, isFromPeer) => this.#take(batch, isFromPeer),
          forward: (batch) => this.#peers.forward(batch),
          meter,
        });
      },
    });
    this.#peers.sync(others);
    this.#reconciler.start();
    this.#checkpointed = this.#dueCheckpoint();
    this.#timers.push(clock.every(millis(TREND_SYNC_MS), () => this.#tick()));
  }

  /** The trend tiers of the other members are these from now on. To be told of while it runs. */
  follow(others: readonly TrendPeer[]): void {
    this.#peers.sync(others);
  }

  /** Writes out what memory holds, and stops. */
  async close(): Promise<void> {
    await this.#stop();
    await this.#unlessFull(this.keeper.close());
  }

  /** Stops as a crash would: nothing more is written. */
  async abandon(): Promise<void> {
    await this.#stop();
    await this.keeper.disk.close();
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#listener?.close();
    // A comparison that is under way may wait for a peer that is silent.
    const compared = this.#reconciler.close();
    await this.#peers.close();
    await compared;
    await Promise.all(this.#work);
  }

  #take(batch: SampleBatch, isFromPeer: boolean): Taken {
    const judge = this.#judge;
    judge?.receive(this.#options.clock.wall());
    const onSample: OnSample | undefined =
      judge &&
      ((place, time, value, quality, verdict) => {
        if (verdict === VERDICT.inOrder) judge.judge(place, time, value, quality, !isFromPeer);
        else if (!isFromPeer) judge.astray(place, time, value, quality, verdict !== VERDICT.behind);
      });
    return this.keeper.ingest(batch, onSample);
  }

  #tick(): void {
    this.#run(() => this.#diskRoom.look());
    this.#run(() => this.keeper.sync());
    const due = this.#dueCheckpoint();
    if (due === this.#checkpointed) return;
    this.#checkpointed = due;
    this.#run(async () => {
      await this.keeper.checkpoint();
      await this.#retention.sweep();
    });
  }

  /** Changes a little after each window has ended. */
  #dueCheckpoint(): number {
    return Math.floor((this.#options.clock.wall() - TREND_GRACE_MS) / TREND_WINDOW_MS);
  }

  #run(task: () => Promise<void>): void {
    const work: Promise<void> = this.#unlessFull(task())
      .catch((error: Error) => this.#options.onFault(error))
      .finally(() => this.#work.delete(work));
    this.#work.add(work);
  }

  /** That the disk is full is no fault: it goes on without, and comes back. */
  async #unlessFull(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#diskRoom.ranOut();
    }
  }

  #standing(): TrendStanding {
    const { identity, clock } = this.#options;
    return {
      replica: identity.replicaId,
      at: clock.wall(),
      completeTo: this.#reconciler.completeTo,
    };
  }

  #hello(role: 'peer'): Hello {
    const { identity, agent } = this.#options;
    const { clusterId, replicaId, incarnation } = identity;
    return { role, lane: 'bulk', clusterId, replicaId, incarnation, agent };
  }

  #admit(remote: Hello): void {
    const { identity } = this.#options;
    const isNamed = remote.role === 'peer' || remote.clusterId !== '';
    if (isNamed && remote.clusterId !== identity.clusterId)
      throw new TocsinError('WRONG_CLUSTER', `this is cluster ${identity.clusterId}`);
    if (remote.role === 'client') return;
    this.#peers.judge(remote.replicaId);
  }
}
