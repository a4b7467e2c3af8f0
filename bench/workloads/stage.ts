import { LocalCluster, type LocalClusterOptions } from '../../cli/local/local-cluster.ts';
import { must } from '../../src/base/assert.ts';
import { type Client, connect } from '../../src/client/client.ts';
import { closedLoop, type LoadResult, type Operation, warmUp } from '../measure/load.ts';
import { type Usage, usageOf } from '../measure/usage.ts';

/** What one workload measured. */
export interface Row {
  readonly workload: string;
  /** One line: what was asked of whom, how much of it at once. */
  readonly asks: string;
  /** What counts as one for `perSecond`: an operation is a batch of so many. */
  readonly size: number;
  readonly load: LoadResult;
  /** Of all replicas together, for each one of `size`. */
  readonly cpuUs: number;
  /** The same of the process that makes the load. */
  readonly loadCpuUs: number;
  readonly writtenBytes: number | undefined;
  /** Anything a workload wants to add, by name. */
  readonly extra?: Readonly<Record<string, number>>;
}

export interface Ask {
  readonly workload: string;
  readonly asks: string;
  readonly size?: number;
}

/** A cluster of real processes and a client of it, for one workload after another. */
export class Stage {
  readonly cluster: LocalCluster;
  readonly client: Client;
  /** Of each measurement. */
  readonly seconds: number;

  private constructor(cluster: LocalCluster, client: Client, seconds: number) {
    this.cluster = cluster;
    this.client = client;
    this.seconds = seconds;
  }

  /** With `trend`, the trend tier runs too, under these rules; `flags` are those of `serve`. */
  static async open(
    replicas: number,
    seconds: number,
    options: Pick<LocalClusterOptions, 'trend' | 'flags'> = {},
  ): Promise<Stage> {
    const cluster = await LocalCluster.start({ size: replicas, ...options });
    try {
      await cluster.leader();
      const client = await connect({ endpoints: cluster.endpoints, name: 'bench' });
      return new Stage(cluster, client, seconds);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async leaderAddress(): Promise<string> {
    const leader = await this.cluster.leader();
    const replica = this.cluster.replicas.find(({ id }) => id === leader);
    return must(replica, `no replica ${leader}`).address;
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.cluster.close();
  }

  get pids(): readonly number[] {
    return this.cluster.replicas.map(({ id, pid }) => must(pid, `replica ${id} does not run`));
  }

  /** A closed loop, after a while to warm up. */
  async closed(ask: Ask, operation: Operation, inFlight: number): Promise<Row> {
    let offset = 0;
    const counted: Operation = (n) => operation(offset + n);
    offset = even((await warmUp(operation, { inFlight, seconds: this.seconds })) + inFlight);
    return await this.measure(ask, () => closedLoop(counted, { inFlight, seconds: this.seconds }));
  }

  async measure(ask: Ask, run: () => Promise<LoadResult>): Promise<Row> {
    const { size = 1 } = ask;
    const before = await this.#usage();
    const load = await run();
    const after = await this.#usage();
    const done = Math.max(1, load.done * size);
    const { replicas, own } = after;
    return {
      ...ask,
      size,
      load: { ...load, perSecond: load.perSecond * size },
      cpuUs: rounded(((replicas.cpuMs - before.replicas.cpuMs) * 1_000) / done),
      loadCpuUs: rounded(((own.cpuMs - before.own.cpuMs) * 1_000) / done),
      writtenBytes:
        replicas.writtenBytes === undefined || before.replicas.writtenBytes === undefined
          ? undefined
          : rounded((replicas.writtenBytes - before.replicas.writtenBytes) / done),
    };
  }

  async #usage(): Promise<{ readonly replicas: Usage; readonly own: Usage }> {
    const [replicas, own] = await Promise.all([usageOf(this.pids), usageOf([process.pid])]);
    return { replicas, own };
  }
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

/** Workloads that take turns by parity begin each run with the first of a pair. */
const even = (n: number): number => n + (n % 2);
