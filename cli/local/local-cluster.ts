import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { assert, must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { type ReplicaId, replicaId } from '../../src/base/ids.ts';
import {
  LOCAL_CATCH_UP_MS_MAX,
  LOCAL_LEADER_MS_MAX,
  LOCAL_STATUS_MS_MAX,
  MEMBERS_MAX,
} from '../../src/base/limits.ts';
import { type Client, connect } from '../../src/client/client.ts';
import { formatFolder } from '../../src/storage/data-folder.ts';
import { newClusterId, newIncarnation } from '../../src/storage/identity.ts';
import type { Member } from '../../src/storage/types.ts';
import type { ReplicaStatus } from '../../src/wire/clients/status.ts';
import { freePorts } from './free-ports.ts';
import { TEMPORARY_FOLDER_PREFIX } from './parent-guard.ts';
import { programPath } from './program.ts';
import { folderIsGone, reapFolder } from './reaper.ts';
import { ReplicaProcess } from './replica-process.ts';

export interface LocalClusterOptions {
  /** How many replicas. @defaultValue 3 */
  readonly size?: number;
  /** An empty or missing folder, kept on close. @defaultValue a temporary one, removed on close */
  readonly folder?: string;
  /** Told, a line each, when a replica ends though nobody ended it. */
  readonly log?: (line: string) => void;
  /** Runs the trend tier too; judged by this rules file, if one is named. */
  readonly trend?: { readonly rules?: string };
  /** More flags of `serve`, for every replica. */
  readonly flags?: readonly string[];
  /** Gives up starting; means nothing afterwards. */
  readonly signal?: AbortSignal;
}

export interface LocalReplica {
  readonly id: ReplicaId;
  readonly address: string;
  /** Its data; what it printed stands beside it, in `….out` and `….err`. */
  readonly folder: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
}

const PORT_TRIES_MAX = 5;
const LEADER_LOOK_MS = 10;

/**
 * A cluster of child processes on this machine, on free ports of the loopback, for demonstrations and tests. However
 * this process ends, its children end with it.
 */
export class LocalCluster {
  readonly clusterId: string;
  readonly folder: string;
  readonly #isTemporary: boolean;
  readonly #processes: readonly ReplicaProcess[];
  readonly #log: (line: string) => void;
  #client: Promise<Client> | undefined;
  #trendEndpoints: readonly string[] = [];
  #closing: Promise<void> | undefined;

  private constructor(
    clusterId: string,
    folder: string,
    isTemporary: boolean,
    processes: readonly ReplicaProcess[],
    log: (line: string) => void,
  ) {
    this.clusterId = clusterId;
    this.folder = folder;
    this.#isTemporary = isTemporary;
    this.#processes = processes;
    this.#log = log;
  }

  /**
   * Resolves when all replicas listen; they may not have elected a leader yet.
   * @throws TocsinError INTERNAL when the program is not built; the code with which a replica ended; CANCELLED
   */
  static async start(options: LocalClusterOptions = {}): Promise<LocalCluster> {
    const { size = 3, log = () => {} } = options;
    assert(Number.isInteger(size) && size >= 1 && size <= MEMBERS_MAX, `${size} replicas`);
    const program = programPath();
    const isTemporary = options.folder === undefined;
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), TEMPORARY_FOLDER_PREFIX)));
    if (isTemporary) reapFolder(folder);
    for (let attempt = 1; ; attempt += 1) {
      const clusterId = newClusterId();
      const processes: ReplicaProcess[] = [];
      const cluster = new LocalCluster(clusterId, folder, isTemporary, processes, log);
      try {
        await mkdir(folder, { recursive: true });
        const members = await drawMembers(size);
        const { trend, flags = [] } = options;
        const more = trend && (await cluster.#drawTrends(size, trend));
        for (const [at, member] of members.entries()) {
          const all = [...flags, ...(more?.[at] ?? [])];
          processes.push(await cluster.#format(member, members, program, attempt, all));
        }
        await cluster.#startAll(options.signal);
        return cluster;
      } catch (error) {
        await cluster.#endAll();
        // Somebody took a port between choosing and listening.
        const isPort = TocsinError.is(error) && error.code === 'ADDRESS_IN_USE';
        if (isPort && attempt < PORT_TRIES_MAX) continue;
        await cluster.close();
        throw error;
      }
    }
  }

  /** Of the trend tier; empty when it does not run. */
  get trendEndpoints(): readonly string[] {
    return this.#trendEndpoints;
  }

  get endpoints(): readonly string[] {
    return this.#processes.map(({ options }) => options.address);
  }

  get replicas(): readonly LocalReplica[] {
    return this.#processes.map(({ pid, options: { id, address, folder } }) => ({
      id,
      address,
      folder,
      pid,
    }));
  }

  /** Ends a replica with SIGKILL; the signal is sent before this returns. Resolves when the process is gone. */
  async kill(id: ReplicaId): Promise<void> {
    await this.#processOf(id).kill();
  }

  /**
   * Starts a replica that does not run, from its data. Resolves when it listens.
   * @throws TocsinError with the code with which it ended
   */
  async restart(id: ReplicaId): Promise<void> {
    this.#mustBeOpen();
    await this.#processOf(id).start();
  }

  /** Stops a replica with SIGSTOP: it keeps its connections and says nothing. */
  async pause(id: ReplicaId): Promise<void> {
    this.#processOf(id).pause();
  }

  /** Lets a paused replica go on. */
  async resume(id: ReplicaId): Promise<void> {
    this.#processOf(id).resume();
  }

  /**
   * Whom a majority takes for the leader, itself included.
   * @throws TocsinError UNAVAILABLE when there is nobody within LOCAL_LEADER_MS_MAX
   */
  async leader(): Promise<ReplicaId> {
    const deadline = performance.now() + LOCAL_LEADER_MS_MAX;
    for (;;) {
      const leader = leaderBy(await this.statuses(), this.#processes.length);
      if (leader !== undefined) return leader;
      if (performance.now() > deadline)
        throw new TocsinError('UNAVAILABLE', `no leader within ${LOCAL_LEADER_MS_MAX} ms`);
      await pause(LEADER_LOOK_MS);
    }
  }

  /** What each replica tells of itself; undefined for one that does not answer in time. */
  async statuses(): Promise<readonly (ReplicaStatus | undefined)[]> {
    const client = await this.#connect();
    if (client === undefined) return this.#processes.map(() => undefined);
    return await Promise.all(
      this.#processes.map(async ({ pid, options }) => {
        if (pid === undefined) return undefined;
        const status = client.status(options.address, { timeoutMs: LOCAL_STATUS_MS_MAX });
        return await status.catch(unlessOurs);
      }),
    );
  }

  /**
   * Waits until all replicas run and have applied everything, and tells whether they came to the same state.
   * @throws TocsinError UNAVAILABLE naming who did not come along within LOCAL_CATCH_UP_MS_MAX; CANCELLED
   */
  async converge(signal?: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + LOCAL_CATCH_UP_MS_MAX;
    for (;;) {
      const statuses = await this.statuses();
      const newest = Math.max(...statuses.map((status) => status?.lastIndex ?? 0));
      const behind = this.#processes.filter((_, at) => statuses[at]?.applied !== newest);
      if (behind.length === 0) return new Set(statuses.map((one) => one?.digest)).size === 1;
      if (signal?.aborted) throw new TocsinError('CANCELLED', 'interrupted');
      if (performance.now() > deadline) {
        const names = behind.map(({ options }) => options.id).join(', ');
        throw new TocsinError('UNAVAILABLE', `not caught up: replica ${names}`);
      }
      await pause(LEADER_LOOK_MS);
    }
  }

  /** Kills what runs, and removes the folder if it is temporary. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
    await this.#endAll();
    if (!this.#isTemporary) return;
    await rm(this.folder, { recursive: true, force: true });
    folderIsGone(this.folder);
  }

  async #endAll(): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.kill()));
  }

  /** Waits for all, so that none is left starting when one has failed. */
  async #startAll(signal: AbortSignal | undefined): Promise<void> {
    const giveUp = (): void => void this.#endAll();
    const isGivenUp = (): boolean => signal?.aborted === true;
    signal?.addEventListener('abort', giveUp);
    const started = isGivenUp()
      ? []
      : await Promise.allSettled(this.#processes.map((one) => one.start()));
    signal?.removeEventListener('abort', giveUp);
    // What was ended while it started would look like a fault of its own.
    if (isGivenUp()) throw new TocsinError('CANCELLED', 'interrupted');
    for (const one of started) if (one.status === 'rejected') throw one.reason;
  }

  async #format(
    { id, address }: Member,
    members: readonly Member[],
    program: string,
    attempt: number,
    flags: readonly string[],
  ): Promise<ReplicaProcess> {
    const { clusterId } = this;
    const name = attempt === 1 ? `replica-${id}` : `replica-${id}-${attempt}`;
    const folder = join(this.folder, name);
    await formatFolder(folder, {
      clusterId,
      replicaId: id,
      incarnation: newIncarnation(),
      members,
    });
    return new ReplicaProcess({
      id,
      clusterId,
      address,
      folder,
      program,
      flags,
      temporaryFolder: this.#isTemporary ? this.folder : undefined,
      onDeath: (what) => this.#log(`replica ${id} ended by itself: ${what}; see ${folder}.err`),
    });
  }

  /** Flags of `serve` for the trend tier of each. */
  async #drawTrends(size: number, { rules }: { readonly rules?: string }): Promise<string[][]> {
    this.#trendEndpoints = (await drawMembers(size)).map(({ address }) => address);
    const judged = rules === undefined ? [] : ['--rules', rules];
    return this.#trendEndpoints.map((address) => ['--trend', address, ...judged]);
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw new TocsinError('CLOSED', 'the cluster is closed');
  }

  #processOf(id: ReplicaId): ReplicaProcess {
    const found = this.#processes.find(({ options }) => options.id === id);
    return must(found, `no replica ${id} in this cluster`);
  }

  async #connect(): Promise<Client | undefined> {
    this.#mustBeOpen();
    const { endpoints, clusterId } = this;
    this.#client ??= connect({ endpoints, clusterId, name: 'local-cluster', timeoutMs: 2_000 });
    try {
      return await this.#client;
    } catch (error) {
      this.#client = undefined;
      return unlessOurs(error);
    }
  }
}

async function drawMembers(size: number): Promise<readonly Member[]> {
  const ports = await freePorts(size);
  return ports.map((port, at) => ({
    id: replicaId(at + 1),
    address: `/ip4/127.0.0.1/tcp/${port}`,
  }));
}

function leaderBy(
  statuses: readonly (ReplicaStatus | undefined)[],
  size: number,
): ReplicaId | undefined {
  for (const status of statuses) {
    if (status?.role !== 'leader') continue;
    const agreeing = statuses.filter(
      (other) => other?.leader === status.replicaId && other.term === status.term,
    );
    if (agreeing.length * 2 > size) return status.replicaId;
  }
  return undefined;
}

/** A replica that cannot be reached is no news; anything else is a bug. */
function unlessOurs(error: unknown): undefined {
  if (!TocsinError.is(error)) throw error;
  return undefined;
}
