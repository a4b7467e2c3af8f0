import { must } from '../../src/base/assert.ts';
import { logIndex, millis, type ReplicaId, replicaId } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import { type Client, type ClientOptions, connect } from '../../src/client/index.ts';
import type { Replica } from '../../src/replica/replica.ts';
import { Residence } from '../../src/replica/residence.ts';
import type { SnapshotPolicy } from '../../src/replica/snapshots/snapshotter.ts';
import type { AlertLimits } from '../../src/statemachine/alert-limits.ts';
import { type BatchFate, MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import type { Identity, Member } from '../../src/storage/types.ts';
import { MemoryNetwork } from '../../src/transport/memory-transport.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { ProcessClock } from './process-clock.ts';

const CLUSTER = 'c0ffee00c0ffee00c0ffee00c0ffee00';

/** From a fault to the end of the process: what was said before arrives. */
const GOODBYE_MS = 10;

interface Machine {
  readonly host: string;
  readonly identity: Identity;
  readonly disk: MemoryDisk;
  readonly clock: ProcessClock;
  replica: Replica | undefined;
  residence: Residence | undefined;
  /** What stopped it, if a fault did. */
  fault: unknown;
}

/** Whole replicas and whole clients on a virtual clock, network and disks; one seed decides everything. */
export class VirtualCluster {
  readonly clock: VirtualClock = new VirtualClock();
  readonly prng: Prng;
  readonly network: MemoryNetwork;
  readonly machines: Machine[];
  readonly hosts: string[] = [];
  /** Milliseconds a write takes, drawn between these. */
  diskMs: readonly [number, number] = [0, 2];
  /** When replicas that are started from now on take snapshots; undefined = as in production, so never in a short story. */
  snapshots: SnapshotPolicy | undefined;
  /** Of the machines of those that are started from now on; undefined = as in production. */
  limits: Partial<AlertLimits> | undefined;
  leases = false;
  readonly #clients: Client[] = [];
  #starts = 0;

  constructor(size: number, seed: number) {
    this.prng = new Prng(seed);
    const delays = this.prng.fork(1);
    this.network = new MemoryNetwork({
      clock: this.clock,
      delay: () => millis(delays.unit() * 2),
    });
    const members: Member[] = Array.from({ length: size }, (_, at) => ({
      id: replicaId(at + 1),
      address: `/memory/${at + 1}`,
    }));
    this.machines = [];
    for (const { id } of members)
      this.#place({ clusterId: CLUSTER, replicaId: id, incarnation: 1, members });
  }

  /** A machine that is formatted to join the cluster; its id is the next one. */
  join(): ReplicaId {
    const id = replicaId(this.machines.length + 1);
    const others = this.machines.map(({ identity }) => identity.replicaId);
    const members = [...others, id].map((each) => ({ id: each, address: `/memory/${each}` }));
    const incarnation = this.#starts + 1_000;
    this.#place({ clusterId: CLUSTER, replicaId: id, incarnation, members, joining: true });
    return id;
  }

  /** Machines that are formatted, by mistake, as founders of this cluster, together with some of its members. */
  found(count: number, beside: readonly number[]): ReplicaId[] {
    const first = this.machines.length + 1;
    const founders = Array.from({ length: count }, (_, at) => replicaId(first + at));
    const members = [...beside.map(replicaId), ...founders].map((id) => ({
      id,
      address: `/memory/${id}`,
    }));
    for (const id of founders)
      this.#place({ clusterId: CLUSTER, replicaId: id, incarnation: 500 + id, members });
    return founders;
  }

  /** Gives a machine that is down an empty disk, formatted anew under the old id. */
  wipe(id: number): void {
    const machine = this.#machine(id);
    const incarnation = machine.identity.incarnation + 1;
    Object.assign(machine, {
      identity: { ...machine.identity, incarnation },
      disk: new MemoryDisk(CLUSTER),
    });
  }

  #place(identity: Identity): void {
    const host = `r${identity.replicaId}`;
    this.hosts.push(host);
    this.machines.push({
      host,
      identity,
      disk: new MemoryDisk(CLUSTER),
      clock: new ProcessClock(this.clock),
      replica: undefined,
      residence: undefined,
      fault: undefined,
    });
  }

  get endpoints(): string[] {
    return this.machines.map((_, at) => `/memory/${at + 1}`);
  }
  get running(): Machine[] {
    return this.machines.filter((machine) => machine.replica !== undefined);
  }

  async start(id: number): Promise<void> {
    const machine = this.#machine(id);
    this.#starts += 1;
    const transport = this.network.transport(machine.host);
    machine.disk.onWrite = (write) => {
      const [low, high] = this.diskMs;
      this.clock.after(millis(low + this.prng.unit() * (high - low)), () => {
        if (machine.disk.freeBytes > 0) write.complete();
        else write.fail(this.prng.pick(['kept', 'lost']));
      });
    };
    const residence = new Residence({
      identity: machine.identity,
      address: `/memory/${id}`,
      open: async () => machine.disk.open(),
      freeBytes: async () => machine.disk.freeBytes,
      transport,
      clock: machine.clock,
      seed: this.prng.uint32() + this.#starts,
      agent: 'test',
      snapshots: this.snapshots,
      limits: this.limits,
      leases: this.leases,
      log: () => {},
      onUp: (replica) => {
        machine.replica = replica;
      },
      onFault: (error: unknown) => {
        machine.fault = error;
        machine.replica = undefined;
        void residence.leave();
        this.clock.after(millis(GOODBYE_MS), () => {
          if (machine.residence === residence) this.crash(id, 'lost');
        });
      },
    });
    machine.residence = residence;
    await this.clock.settle(residence.enter(machine.disk.open()));
  }

  /** Dies without a word: its connections break, and a write under way meets its fate. */
  crash(id: number, fate: BatchFate): void {
    const machine = this.#machine(id);
    for (const other of this.hosts)
      if (other !== machine.host) this.network.reset(machine.host, other);
    void machine.residence?.leave();
    machine.residence = undefined;
    machine.replica = undefined;
    machine.disk.crash(fate);
  }

  /** Stops the process without killing it: nothing of it runs, and what it is sent waits in its sockets. */
  pause(id: number): void {
    this.#machine(id).clock.pause();
    for (const host of this.hosts) if (host !== `r${id}`) this.network.cut(host, `r${id}`);
  }

  resume(id: number): void {
    this.#machine(id).clock.resume();
    for (const host of this.hosts) if (host !== `r${id}`) this.network.heal(host, `r${id}`);
  }

  cut(from: number, to: number): void {
    this.network.cut(`r${from}`, `r${to}`);
  }

  heal(): void {
    for (const from of this.hosts)
      for (const to of this.hosts) if (from !== to) this.network.heal(from, to);
  }

  async client(name: string, options: Partial<ClientOptions> = {}): Promise<Client> {
    this.hosts.push(name);
    const client = await this.clock.settle(
      connect({
        endpoints: this.endpoints,
        name,
        timeoutMs: 5_000,
        transport: this.network.transport(name),
        clock: this.clock,
        seed: this.prng.uint32(),
        ...options,
      }),
    );
    this.#clients.push(client);
    return client;
  }

  /** Lets time pass until all replicas run, agree on a leader, and have applied the same. */
  async converge(limitMs = 30_000): Promise<void> {
    for (let waited = 0; waited < limitMs; waited += 50) {
      await this.clock.run(50);
      const states = this.machines.map((machine) => machine.replica?.status());
      const [first] = states;
      const same = states.every(
        (state) =>
          state !== undefined &&
          state.leader !== undefined &&
          state.leader === first?.leader &&
          state.applied === first.applied &&
          state.applied === state.lastIndex &&
          state.applied > logIndex(0),
      );
      if (same) return;
    }
    const seen = this.machines.map((machine) => machine.replica?.status() ?? machine.fault);
    throw new Error(`the replicas did not converge: ${JSON.stringify(seen)}`);
  }

  #machine(id: number): Machine {
    return must(this.machines[id - 1], `no machine ${id}`);
  }

  /** The replica that all take for the leader. */
  get leader(): Replica {
    const id = this.running[0]?.replica?.standing.leader;
    return must(this.#machine(must(id, 'no leader is known')).replica, 'the leader is down');
  }

  async close(): Promise<void> {
    this.heal();
    for (const machine of this.machines) machine.clock.resume();
    const closing = Promise.all(this.#clients.map((client) => client.close()));
    await this.clock.settle(closing);
    for (const machine of this.machines) this.crash(machine.identity.replicaId, 'lost');
    await this.clock.run(10_000);
  }
}
