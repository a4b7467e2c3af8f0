import { assert } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { millis, replicaId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';
import { connectTrends, type TrendClient } from '../../client/trend/trend-client.ts';
import { TrendReplica } from '../../replica/trend/trend-replica.ts';
import { MemoryTrendDisk } from '../../storage/trend/trend-disk.ts';
import { MemoryJournal } from '../../storage/trend/trend-journal.ts';
import { SKETCHES } from '../../wire/trend/sketch.ts';
import { CLUSTER_ID, type SimCluster } from './cluster.ts';
import type { Companion, Machine } from './machine.ts';
import type { Scenario } from './scenario.ts';
import { diskOf, journalOf, Life } from './trend-life.ts';
import { type Held, LOST_MS_MAX, nameOf, type Sample, TrendPromises } from './trend-promises.ts';

/** A replica's trends listen behind its alerts. */
const PORT = 1_000;
const SERIES = ['HR', 'SpO2'].map((metric) => ({ patient: 'p', device: 'd', metric, unit: '' }));
/** Between two samples of a device: they come at whole seconds, and several replicas are brought the same ones. */
const PACE_MS = 1_000;
/** How late a sample is at most that comes late: in a window that may have been written. */
const LATE_MS = 150_000;
/** For all to have the same: a window has to end and be written, and the one after it, before it is compared. */
const CONVERGE_MS = 400_000;
const LOOK_MS = 10_000;

/** What is on the disks of one member. */
interface Store {
  readonly disk: MemoryTrendDisk;
  readonly journal: MemoryJournal;
  life: Life | undefined;
  replica: TrendReplica | undefined;
}

/**
 * The trend tier beside the alerts of the members that a cluster begins with: it dies with their processes and is cut off with
 * their hosts. Devices bring samples all the time, late and twice, and of one time to several replicas.
 */
export class Trends implements Companion {
  readonly #cluster: SimCluster;
  readonly #scenario: Scenario;
  readonly #prng: Prng;
  readonly #stores: Map<number, Store> = new Map();
  readonly #promises: TrendPromises = new TrendPromises();
  readonly #clients: TrendClient[] = [];
  readonly #loops: Promise<void>[] = [];
  #isOver = false;

  constructor(cluster: SimCluster, scenario: Scenario, prng: Prng) {
    this.#cluster = cluster;
    this.#scenario = scenario;
    this.#prng = prng;
    for (const { id } of cluster.machines)
      this.#stores.set(id, {
        ...{ disk: new MemoryTrendDisk(), journal: new MemoryJournal() },
        ...{ life: undefined, replica: undefined },
      });
    cluster.companions.push(this);
  }

  /** Samples that were acknowledged. */
  get taken(): number {
    return this.#promises.taken;
  }

  started(machine: Machine): void {
    const store = this.#stores.get(machine.id);
    if (store === undefined) return;
    const life = new Life(() => this.#sleep(this.#latency()));
    const { id, clock } = machine;
    store.life = life;
    store.replica = new TrendReplica({
      identity: { clusterId: CLUSTER_ID, replicaId: replicaId(id), incarnation: 1 },
      address: addressOf(id),
      others: [...this.#stores.keys()]
        .filter((each) => each !== id)
        .map((each) => ({ id: replicaId(each), address: addressOf(each) })),
      transport: this.#cluster.network.transport(machine.host),
      clock,
      disk: diskOf(store.disk, life),
      journal: journalOf(store.journal, life),
      sketches: SKETCHES,
      agent: 'simulated',
      log: () => {},
      onFault: this.#failed,
    });
    store.replica.start().catch(this.#failed);
  }

  died(machine: Machine): void {
    const store = this.#stores.get(machine.id);
    if (store?.life === undefined) return;
    store.life.end();
    store.journal.crash();
    // It waits for what never comes: a process that died does not end in order.
    void store.replica?.abandon();
    store.life = undefined;
    store.replica = undefined;
    this.#promises.died(machine.id, this.#ranUntil(machine));
  }

  /** While a process stands still it syncs nothing, nor in the moment after. */
  #ranUntil({ clock }: Machine): number {
    const now = this.#cluster.clock.monotonic();
    const { from, to = now } = clock.stood;
    return now - to < LOST_MS_MAX ? Math.min(from, now) : now;
  }

  /** Devices begin, one at each member. */
  begin(): void {
    for (const id of this.#stores.keys()) {
      const loop = this.#feed(id, this.#prng.fork(id));
      loop.catch(this.#failed);
      this.#loops.push(loop);
    }
  }

  /** No device brings anything any more. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#disconnect();
    await Promise.all(this.#loops);
  }

  /** All that live come to hold the same: what they promised to keep, and nothing that nobody sent. */
  async converge(): Promise<void> {
    const living = this.#cluster.present.filter(({ id }) => this.#stores.get(id)?.life);
    const ids = living.map(({ id }) => id);
    const readers = await Promise.all(ids.map((id) => this.#connect('reader', id)));
    for (let waited = 0; ; waited += LOOK_MS) {
      const held: Held[] = [];
      for (const [at, reader] of readers.entries()) {
        const all = await this.#heldBy(reader);
        this.#promises.look(ids[at] ?? 0, all);
        held.push(all);
      }
      const problem = this.#promises.missing(ids, held);
      if (problem === undefined) break;
      assert(waited < CONVERGE_MS, () => `trends: ${problem} after ${waited} ms`);
      await this.#sleep(LOOK_MS);
    }
    await this.#disconnect();
  }

  readonly #failed = (error: unknown): void => {
    this.#cluster.failure ??= error;
  };

  /** One device after the other, at one member: what it brings, and what the member says to that. */
  async #feed(id: number, prng: Prng): Promise<void> {
    const { clock } = this.#cluster;
    const client = await this.#connect('device', id);
    let writer = client.writer();
    for (const series of SERIES) writer.series(series);
    while (!this.#isOver) {
      await this.#sleep(prng.unit() * 2 * PACE_MS);
      const samples = SERIES.map((info, series): Sample => {
        const late = prng.chance(0.1) ? prng.unit() * LATE_MS : 0;
        const time = Math.floor((clock.wall() - late) / PACE_MS) * PACE_MS;
        return { name: nameOf(info, time), series, time, value: prng.between(40, 140) };
      });
      this.#promises.sent(samples);
      const { tooOld, tooNew, noRoom } = writer.taken;
      const before = tooOld + tooNew + noRoom;
      try {
        for (const { series, time, value } of samples) writer.add(series, time, value);
        await writer.drain();
        const { taken } = writer;
        // By a clock that is wrong some are too old, or too new: it is not told which.
        if (taken.tooOld + taken.tooNew + taken.noRoom === before)
          this.#promises.keep(id, clock.monotonic(), samples);
      } catch (error) {
        if (!TocsinError.is(error)) throw error;
        if (this.#isOver) return;
        writer = client.writer();
        for (const series of SERIES) writer.series(series);
      }
    }
  }

  async #heldBy(reader: TrendClient): Promise<Held> {
    const held = new Map<string, number>();
    const query = { what: 'range', series: ['*/*/*'], from: 0, to: this.#cluster.clock.wall() };
    for await (const { series } of reader.queryAll({ ...query, what: 'range' }))
      for (const { key, columns } of series)
        for (const [at, time] of (columns['time'] ?? []).entries())
          held.set(`${key} ${time}`, columns['value']?.[at] ?? Number.NaN);
    return held;
  }

  async #connect(what: string, id: number): Promise<TrendClient> {
    const name = `${what}${id}`;
    const { clock, network, clientHosts } = this.#cluster;
    clientHosts.push(name);
    const transport = network.transport(name);
    const seed = this.#prng.uint32();
    const client = await connectTrends({
      ...{ endpoints: [addressOf(id)], name, transport, clock, seed },
    });
    this.#clients.push(client);
    return client;
  }

  async #disconnect(): Promise<void> {
    for (const client of this.#clients.splice(0)) await client.close();
  }

  #latency(): number {
    return -Math.log(1 - this.#prng.unit()) * this.#scenario.diskMs;
  }

  #sleep(duration: number): Promise<void> {
    return new Promise((resolve) => this.#cluster.clock.after(millis(duration), resolve));
  }
}

const addressOf = (id: number): string => `/memory/${PORT + id}`;
