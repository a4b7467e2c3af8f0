import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ReplicaProcess } from '../cli/local/replica-process.ts';
import { replicaId } from '../src/base/ids.ts';
import type { Network } from './network/network.ts';
import { Site } from './site.ts';

export interface ClusterOptions {
  readonly size: number;
  /** Where replicas keep their data and what they print. */
  readonly folder: string;
  /** Compiled program. */
  readonly program: string;
  readonly network: Network;
  readonly log: (line: string) => void;
}

const run = promisify(execFile);

/** A cluster of processes over a network that can be broken. */
export class TestCluster {
  readonly clusterId: string = randomBytes(16).toString('hex');
  readonly network: Network;
  readonly program: string;
  readonly sites: Site[] = [];
  /** Replicas that ended though nobody ended them, or did not start again: why, with their last lines. */
  readonly deaths: string[] = [];
  readonly #folder: string;
  readonly #log: (line: string) => void;

  private constructor({ network, program, folder, log }: ClusterOptions) {
    this.network = network;
    this.program = program;
    this.#folder = folder;
    this.#log = log;
  }

  /** Formats and starts `size` replicas. */
  static async start(options: ClusterOptions): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    const ids = Array.from({ length: options.size }, (_, at) => at + 1);
    for (const id of ids) await cluster.#settle(id);
    const members = cluster.sites.map(({ id, place }) => `${id}=${place.address}`).join(',');
    for (const site of cluster.sites) await cluster.#format(site, members);
    await Promise.all(cluster.sites.map((site) => site.start()));
    return cluster;
  }

  /** Where clients dial: every member. */
  get endpoints(): readonly string[] {
    return this.members.map(({ place }) => place.address);
  }

  get members(): readonly Site[] {
    return this.sites.filter(({ isMember }) => isMember);
  }

  get running(): readonly Site[] {
    return this.members.filter(({ isUp }) => isUp);
  }

  /** Runs the command line, and answers with what it printed. @throws Error when it ends with another status than 0 */
  async command(args: readonly string[]): Promise<unknown> {
    const { stdout } = await run(process.execPath, [this.program, ...args, '--output', 'json']);
    return JSON.parse(stdout);
  }

  /** No fault lasts, and every member runs. */
  async heal(): Promise<void> {
    await this.network.heal();
    for (const site of this.members) if (site.pid === undefined) await site.startAgain();
  }

  async close(): Promise<void> {
    await Promise.all(this.sites.map(({ process }) => process.kill()));
    await this.network.close();
  }

  /** A place for one more replica. */
  async #settle(id: number): Promise<Site> {
    const place = await this.network.join(id);
    const processOf = (onDeath: (what: string) => void): ReplicaProcess =>
      new ReplicaProcess({
        id: replicaId(id),
        clusterId: this.clusterId,
        address: place.listen,
        folder: join(this.#folder, `replica-${id}`),
        flags: ['--listen', place.listen],
        command: place.command,
        program: this.program,
        temporaryFolder: undefined,
        onDeath,
      });
    const site = new Site(id, place, processOf, (death) => {
      this.deaths.push(death);
      this.#log(death);
    });
    this.sites.push(site);
    return site;
  }

  async #format({ id, folder }: Site, members: string): Promise<void> {
    const owner = ['--replica', `${id}`, '--cluster', this.clusterId];
    await this.command(['format', '--data', folder, '--members', members, ...owner]);
  }
}
