import { millis, replicaId } from '../../../src/base/ids.ts';
import { Prng } from '../../../src/base/prng.ts';
import { connectTrends, type TrendClient } from '../../../src/client/trend/trend-client.ts';
import { type SampleJudge, TrendReplica } from '../../../src/replica/trend/trend-replica.ts';
import { MemoryTrendDisk } from '../../../src/storage/trend/trend-disk.ts';
import { MemoryJournal } from '../../../src/storage/trend/trend-journal.ts';
import type { Member } from '../../../src/storage/types.ts';
import { MemoryNetwork } from '../../../src/transport/memory-transport.ts';
import type { SeriesRegistry } from '../../../src/trend/series.ts';
import { SKETCHES } from '../../../src/wire/trend/sketch.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';

const CLUSTER = 'c0ffee00c0ffee00c0ffee00c0ffee00';

/** What a replica judges by, by its place in the cluster. */
type JudgeOf = (registry: SeriesRegistry, at: number) => SampleJudge;

interface Machine {
  disk: MemoryTrendDisk;
  journal: MemoryJournal;
  replica: TrendReplica | undefined;
}

/** Trend tiers of several members on a virtual clock, network and disks; one seed decides everything. */
export class TrendCluster {
  readonly clock: VirtualClock = new VirtualClock();
  readonly prng: Prng;
  readonly network: MemoryNetwork;
  readonly members: readonly Member[];
  readonly faults: Error[] = [];
  readonly #judge: JudgeOf | undefined;
  readonly #machines: Machine[];
  readonly #clients: TrendClient[] = [];
  readonly #hosts: string[];

  constructor(size: number, seed: number, judge?: JudgeOf) {
    this.#judge = judge;
    this.prng = new Prng(seed);
    const delays = this.prng.fork(1);
    this.network = new MemoryNetwork({
      clock: this.clock,
      delay: () => millis(delays.unit() * 2),
    });
    this.members = Array.from({ length: size }, (_, at) => ({
      id: replicaId(at + 1),
      address: `/memory/${at + 1}`,
    }));
    this.#hosts = this.members.map(({ id }) => `r${id}`);
    this.#machines = this.members.map(() => ({
      disk: new MemoryTrendDisk(),
      journal: new MemoryJournal(),
      replica: undefined,
    }));
  }

  /** `others`: members that it knows of. @defaultValue all */
  async start(at: number, others: readonly number[] = [...this.#machines.keys()]): Promise<void> {
    const judge = this.#judge;
    const machine = this.#machines[at] as Machine;
    const member = this.members[at] as Member;
    machine.replica = new TrendReplica({
      identity: { clusterId: CLUSTER, replicaId: member.id, incarnation: 1 },
      address: member.address,
      others: this.#others(at, others),
      transport: this.network.transport(`r${member.id}`),
      clock: this.clock,
      disk: machine.disk,
      journal: machine.journal,
      sketches: SKETCHES,
      agent: 'test',
      ...(judge === undefined ? {} : { judge: (registry) => judge(registry, at) }),
      log: () => {},
      onFault: (error) => this.faults.push(error),
    });
    await this.clock.settle(machine.replica.start());
  }

  /** It is told that the members are these. */
  tell(at: number, members: readonly number[]): void {
    this.replica(at).follow(this.#others(at, members));
  }

  #others(at: number, members: readonly number[]): readonly Member[] {
    return this.members.filter((_, place) => place !== at && members.includes(place));
  }

  replica(at: number): TrendReplica {
    const { replica } = this.#machines[at] as Machine;
    if (replica === undefined) throw new Error(`replica ${at} does not run`);
    return replica;
  }

  /** What a machine writes on, to be filled and emptied by a test. */
  storage(at: number): Pick<Machine, 'disk' | 'journal'> {
    return this.#machines[at] as Machine;
  }

  /** Dies: what the journal had not synced is gone. */
  async crash(at: number): Promise<void> {
    const machine = this.#machines[at] as Machine;
    for (const host of this.#hosts) if (host !== this.#hosts[at]) this.#reset(at, host);
    const replica = this.replica(at);
    machine.replica = undefined;
    machine.journal.crash();
    await this.clock.settle(replica.abandon());
  }

  /** Gives a machine that is down empty disks. */
  wipe(at: number): void {
    const machine = this.#machines[at] as Machine;
    machine.disk = new MemoryTrendDisk();
    machine.journal = new MemoryJournal();
  }

  #reset(at: number, host: string): void {
    this.network.reset(this.#hosts[at] as string, host);
  }

  /** What a machine that is no member and a member say to each other arrives no more, and nobody is told. */
  part(host: string, at: number): void {
    const own = this.#hosts[at] as string;
    this.network.cut(host, own);
    this.network.cut(own, host);
  }

  /** What they said to each other meanwhile arrives. */
  meet(host: string, at: number): void {
    const own = this.#hosts[at] as string;
    this.network.heal(host, own);
    this.network.heal(own, host);
  }

  /** Breaks the connections between a machine that is no member and a member. */
  reset(host: string, at: number): void {
    this.network.reset(host, this.#hosts[at] as string);
  }

  cut(from: number, to: number): void {
    this.network.cut(this.#hosts[from] as string, this.#hosts[to] as string);
  }

  heal(): void {
    for (const from of this.#hosts)
      for (const to of this.#hosts) if (from !== to) this.network.heal(from, to);
  }

  /** One that knows these machines, in this order. */
  async client(...ats: readonly number[]): Promise<TrendClient> {
    const name = `client${this.#clients.length}`;
    const client = await connectTrends({
      endpoints: ats.map((at) => `/memory/${at + 1}`),
      name,
      transport: this.network.transport(name),
      clock: this.clock,
      seed: this.prng.uint32(),
    });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    this.heal();
    for (const client of this.#clients) await this.clock.settle(client.close());
    for (const { replica } of this.#machines)
      if (replica !== undefined) await this.clock.settle(replica.close());
  }
}
