import { randomInt } from 'node:crypto';
import { must } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import { millis, type ReplicaId, replicaId } from '../base/ids.ts';
import { MEMBERS_MAX } from '../base/limits.ts';
import { type Client, connect } from '../client/client.ts';
import type { ClientOptions } from '../client/options.ts';
import { type BroughtUp, bringUp } from '../replica/bring-up.ts';
import { MemoryDisk } from '../storage/log/memory-log-store.ts';
import type { Identity, Member } from '../storage/types.ts';
import { MemoryNetwork } from '../transport/memory-transport.ts';
import { SystemClock } from '../transport/system-clock.ts';
import { asWhole } from '../wire/check.ts';

export interface MemoryClusterOptions {
  /** How many replicas. One is quickest; three can lose one. @defaultValue 1 */
  readonly replicas?: number;
}

interface Machine {
  readonly identity: Identity;
  readonly host: string;
  readonly disk: MemoryDisk;
  running: BroughtUp | undefined;
}

const LOOK_MS = millis(5);
const LEADER_MS_MAX = 10_000;

/**
 * A whole cluster in this process, for the tests of those who build on it: real replicas, a real client, and a network
 * and disks in memory. Nothing is faked but the machine, so what holds here holds outside. Starts in milliseconds, and
 * leaves no file, port or timer when it is closed.
 *
 * @example
 * await using cluster = await MemoryCluster.start({ replicas: 3 });
 * await using alerts = await cluster.connect();
 * await alerts.raise({ dedupKey: 'bed:1:HR', condition: 'HR:HI', priority: 'high' });
 * cluster.kill(await cluster.leader());
 * await alerts.raise({ dedupKey: 'bed:2:HR', condition: 'HR:HI', priority: 'high' });
 */
export class MemoryCluster implements AsyncDisposable {
  readonly clusterId: string;
  /** For `connect`: multiaddr-like names that mean something inside this cluster only. */
  readonly endpoints: readonly string[];
  readonly #clock = new SystemClock();
  readonly #network = new MemoryNetwork();
  readonly #machines: readonly Machine[];
  readonly #clients = new Set<Client>();
  readonly #hosts: string[] = [];

  private constructor(size: number) {
    this.clusterId = Array.from({ length: 4 }, () =>
      randomInt(2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('');
    const members = Array.from(
      { length: size },
      (_, at): Member => ({ id: replicaId(at + 1), address: `/memory/${at + 1}` }),
    );
    this.endpoints = members.map(({ address }) => address);
    this.#machines = members.map(({ id }) => ({
      identity: { clusterId: this.clusterId, replicaId: id, incarnation: 1, members },
      host: `replica-${id}`,
      disk: new MemoryDisk(this.clusterId),
      running: undefined,
    }));
    for (const { host } of this.#machines) this.#hosts.push(host);
  }

  /** Resolves when a leader is there. @throws TocsinError BAD_REQUEST for a number of replicas that cannot be */
  static async start({ replicas = 1 }: MemoryClusterOptions = {}): Promise<MemoryCluster> {
    const size = asWhole('request', 'replicas', replicas, 1, MEMBERS_MAX);
    const cluster = new MemoryCluster(size);
    try {
      for (const { identity } of cluster.#machines) await cluster.restart(identity.replicaId);
      await cluster.leader();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** A client of this cluster; closed with the cluster, if not before. */
  async connect(options: Omit<ClientOptions, 'endpoints' | 'transport'> = {}): Promise<Client> {
    const host = `client-${this.#hosts.length}`;
    this.#hosts.push(host);
    const transport = this.#network.transport(host);
    const client = await connect({ ...options, endpoints: this.endpoints, transport });
    this.#clients.add(client);
    return client;
  }

  /** Who leads, as soon as somebody does. @throws TocsinError UNAVAILABLE after ten seconds without */
  async leader(): Promise<ReplicaId> {
    const deadline = this.#clock.monotonic() + LEADER_MS_MAX;
    for (;;) {
      const led = this.#machines.find(({ running }) => running?.replica.standing.role === 'leader');
      if (led !== undefined) return led.identity.replicaId;
      if (this.#clock.monotonic() >= deadline)
        throw new TocsinError('UNAVAILABLE', `no leader within ${LEADER_MS_MAX} ms`);
      await this.#pause();
    }
  }

  /** Ends a replica without a word, as a power cut would: what it had synced is still there when it comes back. */
  kill(id: number): void {
    const machine = this.#machine(id);
    const { running } = machine;
    if (running === undefined) return;
    machine.running = undefined;
    running.replica.stop();
    for (const other of this.#hosts) this.#network.reset(machine.host, other);
    void running.listener.close();
    machine.disk.crash('lost');
  }

  /** Brings a killed replica back from its disk. */
  async restart(id: number): Promise<void> {
    const machine = this.#machine(id);
    if (machine.running !== undefined) return;
    const transport = this.#network.transport(machine.host);
    const parts = {
      identity: machine.identity,
      store: machine.disk.open(),
      transport,
      clock: this.#clock,
      seed: randomInt(2 ** 47),
      agent: 'tocsin-testing',
      log: () => {},
      onFault: () => this.kill(id),
    };
    machine.running = await bringUp(parts, `/memory/${id}`);
    machine.running.replica.start();
  }

  /** Cuts two replicas off from each other, in both directions, until `heal`. */
  cut(one: number, other: number): void {
    const [from, to] = [this.#machine(one).host, this.#machine(other).host];
    this.#network.cut(from, to);
    this.#network.cut(to, from);
  }

  /** Undoes every cut. */
  heal(): void {
    for (const from of this.#machines)
      for (const to of this.#machines) if (from !== to) this.#network.heal(from.host, to.host);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.close()));
    for (const { identity } of this.#machines) this.kill(identity.replicaId);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #machine(id: number): Machine {
    return must(this.#machines[id - 1], `replica ${id} is not one of ${this.#machines.length}`);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(LOOK_MS, resolve);
    });
  }
}
