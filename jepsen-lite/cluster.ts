import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ReplicaProcess } from '../cli/local/replica-process.ts';
import { TocsinError } from '../src/base/errors.ts';
import { replicaId } from '../src/base/ids.ts';
import { connect } from '../src/client/client.ts';
import type { ReplicaStatus } from '../src/wire/clients/status.ts';
import { DiskImage } from './disk-image.ts';
import { clockEnvironment } from './nemeses/clocks.ts';
import type { Network } from './network/network.ts';
import { Site } from './site.ts';
import { system } from './system.ts';
import type { Tools } from './tools.ts';

export interface ClusterOptions {
  readonly size: number;
  /** Where replicas keep their data and what they print. */
  readonly folder: string;
  /** Compiled program. */
  readonly program: string;
  readonly network: Network;
  readonly tools: Tools;
  /** Replicas read the time of day from files that can be changed, where there is a tool for it. */
  readonly fakesClocks: boolean;
  /** Each replica has a disk of its own, where there are tools for it. */
  readonly hasImages: boolean;
  readonly log: (line: string) => void;
}

const STATUS_MS = 2_000;

/** A cluster of processes over a network that can be broken. */
export class TestCluster {
  readonly clusterId: string = randomBytes(16).toString('hex');
  readonly network: Network;
  readonly program: string;
  readonly tools: Tools;
  readonly sites: Site[] = [];
  /** Replicas that ended though nobody ended them, or did not start again: why, with their last lines. */
  readonly deaths: string[] = [];
  readonly #options: ClusterOptions;

  private constructor(options: ClusterOptions) {
    this.network = options.network;
    this.program = options.program;
    this.tools = options.tools;
    this.#options = options;
  }

  /** Formats and starts `size` replicas. */
  static async start(options: ClusterOptions): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    const ids = Array.from({ length: options.size }, (_, at) => at + 1);
    for (const id of ids) await cluster.#settle(id);
    const members = cluster.sites.map(({ id, place }) => `${id}=${place.address}`).join(',');
    for (const site of cluster.sites) await cluster.#format(site, ['--members', members]);
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

  /** Every line that replicas wrote for their operators. */
  get printed(): readonly string[] {
    return this.sites.flatMap((site) => site.printed);
  }

  /** Runs the command line, and answers with what it printed. @throws Error when it ends with another status than 0 */
  async command(args: readonly string[], before: readonly string[] = []): Promise<unknown> {
    const words = [...before, process.execPath, this.program, ...args, '--output', 'json'];
    return JSON.parse(await system(words));
  }

  /** A replica that runs and is to be let in; it has no part in the cluster yet. */
  async enlist(): Promise<Site> {
    const site = await this.#settle(this.sites.length + 1);
    site.isMember = false;
    const members = `${site.id}=${site.place.address}`;
    await this.#format(site, ['--members', members, '--join', this.endpoints.join(',')]);
    await site.start();
    return site;
  }

  /** Asks every replica who takes part, and believes the one that has applied most. Answers whether any said so. */
  async learnMembers(): Promise<boolean> {
    if (!this.isChanged) return true;
    const up = this.sites.filter(({ isUp }) => isUp);
    const states = await Promise.all(up.map(({ place }) => statusOf(place.address)));
    const known = states.flatMap((state) => state ?? []).sort((a, b) => b.applied - a.applied);
    const [newest] = known;
    if (newest === undefined) return false;
    const ids = new Set<number>(newest.members.map(({ id }) => id));
    for (const site of this.sites) site.isMember = ids.has(site.id);
    return true;
  }

  /** It may have other members than at first. */
  get isChanged(): boolean {
    return this.sites.length > this.#options.size;
  }

  /** No fault lasts, every member runs, and nobody else. */
  async heal(): Promise<void> {
    await this.network.heal();
    for (const site of this.members) await site.revive();
    await this.learnMembers();
    await this.settleMembers();
  }

  /** Every member runs, and nobody else. */
  async settleMembers(): Promise<void> {
    for (const site of this.sites)
      if (site.isMember) await site.revive();
      else await site.end('SIGKILL');
  }

  async close(): Promise<void> {
    await Promise.all(this.sites.map(({ process }) => process.kill()));
    await this.network.close();
  }

  /** A place for one more replica. */
  async #settle(id: number): Promise<Site> {
    const place = await this.network.join(id);
    const folder = join(this.#options.folder, `replica-${id}`);
    const { faketime } = this.tools;
    const fakes = this.#options.fakesClocks && faketime !== undefined;
    const environment = fakes ? clockEnvironment(faketime, folder) : {};
    const images = this.#options.hasImages && this.tools.noImages === undefined;
    const disk = images ? await DiskImage.make(folder) : undefined;
    const processOf = (onDeath: (what: string) => void): ReplicaProcess =>
      new ReplicaProcess({
        id: replicaId(id),
        clusterId: this.clusterId,
        address: place.listen,
        folder,
        environment,
        flags: ['--listen', place.listen, '--send', 'role=log'],
        command: [...place.command, ...(disk?.command ?? [])],
        program: this.program,
        temporaryFolder: undefined,
        onDeath,
      });
    const site = new Site(id, { place, disk }, processOf, (death) => {
      this.deaths.push(death);
      this.#options.log(death);
    });
    this.sites.push(site);
    return site;
  }

  async #format({ id, folder, disk }: Site, more: readonly string[]): Promise<void> {
    const owner = ['--replica', `${id}`, '--cluster', this.clusterId];
    await this.command(['format', '--data', folder, ...owner, ...more], disk?.command);
  }
}

/** What a replica says of itself, or undefined when it cannot be asked. */
async function statusOf(address: string): Promise<ReplicaStatus | undefined> {
  try {
    const client = await connect({ endpoints: [address], timeoutMs: STATUS_MS });
    try {
      return await client.status(address);
    } finally {
      await client.close();
    }
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    return undefined;
  }
}
