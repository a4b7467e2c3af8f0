import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../cli/local/free-ports.ts';
import { ReplicaProcess } from '../cli/local/replica-process.ts';
import { must } from '../src/base/assert.ts';
import { TocsinError } from '../src/base/errors.ts';
import { replicaId } from '../src/base/ids.ts';
import type { Prng } from '../src/base/prng.ts';
import { LinkProxy } from './proxy.ts';

export interface ClusterOptions {
  readonly size: number;
  /** Where replicas keep their data and what they print. */
  readonly folder: string;
  /** Compiled program. */
  readonly program: string;
  readonly prng: Prng;
  readonly log: (line: string) => void;
}

/** One replica: a process of its own, formatted and served by the public command line. */
export interface Site {
  readonly id: number;
  readonly process: ReplicaProcess;
  isPaused: boolean;
  /** Somebody is ending or starting it. */
  isBusy: boolean;
  /** It was asked to end by itself, in order. */
  isEnding: boolean;
}

/** How a replica ends that does what SIGTERM asks; with the signal itself where it came before anybody listened. */
const ORDERLY: readonly string[] = ['exit 0', 'SIGTERM'];
const LAST_LINES = 5;

/**
 * A cluster of processes. Each replica reaches each other one through a proxy of its own, and clients reach it through
 * another; so every direction of every link can be broken by itself.
 */
export class TestCluster {
  readonly clusterId: string;
  readonly sites: readonly Site[];
  /** Where clients dial, in the order of the replicas. */
  readonly endpoints: readonly string[];
  /** By `from>to`, in the direction of the dialler. */
  readonly links: ReadonlyMap<string, LinkProxy>;
  readonly clientLinks: readonly LinkProxy[];
  /** Replicas that ended though nobody ended them, or did not start again: why, with their last lines. */
  readonly deaths: string[] = [];
  readonly #log: (line: string) => void;

  private constructor(
    clusterId: string,
    sites: readonly Site[],
    links: ReadonlyMap<string, LinkProxy>,
    clientLinks: readonly LinkProxy[],
    endpoints: readonly string[],
    log: (line: string) => void,
  ) {
    this.clusterId = clusterId;
    this.sites = sites;
    this.links = links;
    this.clientLinks = clientLinks;
    this.endpoints = endpoints;
    this.#log = log;
  }

  static async start(options: ClusterOptions): Promise<TestCluster> {
    const { size, folder, program, prng, log } = options;
    const ids = Array.from({ length: size }, (_, at) => at + 1);
    const ports = await freePorts(size + size * size);
    const portOf = (id: number): number => must(ports[id - 1], `no port for ${id}`);
    const links = new Map<string, LinkProxy>();
    const linkPorts = new Map<string, number>();
    const clientLinks: LinkProxy[] = [];
    let next = size;
    for (const from of [0, ...ids])
      for (const to of ids) {
        if (from === to) continue;
        const port = must(ports[next], 'a port');
        next += 1;
        const proxy = await LinkProxy.open(portOf(to), prng.fork(next), port);
        if (from === 0) clientLinks.push(proxy);
        else links.set(`${from}>${to}`, proxy);
        linkPorts.set(`${from}>${to}`, port);
      }
    let clusterId: string | undefined;
    const sites: Site[] = [];
    for (const id of ids) {
      const seenBy = (to: number): number =>
        to === id ? portOf(id) : must(linkPorts.get(`${id}>${to}`), 'a link');
      const members = ids.map((to) => `${to}=${addressOf(seenBy(to))}`).join(',');
      const data = join(folder, `replica-${id}`);
      clusterId = await format(program, data, id, members, clusterId);
      const process = new ReplicaProcess({
        id: replicaId(id),
        clusterId,
        address: addressOf(portOf(id)),
        folder: data,
        program,
        temporaryFolder: undefined,
        onDeath: (what) => cluster.#died(id, what),
      });
      sites.push({ id, process, isPaused: false, isBusy: false, isEnding: false });
    }
    const endpoints = ids.map((id) => addressOf(must(linkPorts.get(`0>${id}`), 'a client link')));
    const cluster = new TestCluster(
      must(clusterId, 'an id'),
      sites,
      links,
      clientLinks,
      endpoints,
      log,
    );
    await Promise.all(sites.map(({ process }) => process.start()));
    return cluster;
  }

  get running(): readonly Site[] {
    return this.sites.filter(({ process, isBusy }) => process.pid !== undefined && !isBusy);
  }

  link(from: number, to: number): LinkProxy {
    return must(this.links.get(`${from}>${to}`), `no link from ${from} to ${to}`);
  }

  get allLinks(): readonly LinkProxy[] {
    return [...this.links.values(), ...this.clientLinks];
  }

  /** No fault lasts, and every replica runs. */
  async heal(): Promise<void> {
    for (const link of this.allLinks) link.heal();
    for (const site of this.sites) {
      if (site.isPaused && site.process.pid !== undefined) site.process.resume();
      site.isPaused = false;
      if (site.process.pid === undefined) await this.startAgain(site);
    }
  }

  /** Resolves when it listens, or when it was noted that it does not. */
  async startAgain({ id, process }: Site): Promise<void> {
    try {
      await process.start();
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.#note(`replica ${id} did not start again: ${error.code}: ${error.message}`);
    }
  }

  #died(id: number, what: string): void {
    const site = must(this.sites[id - 1], `no replica ${id}`);
    if (site.isEnding && ORDERLY.includes(what)) return;
    this.#note(`replica ${id} ended by itself: ${what}: ${lastLines(site)}`);
  }

  #note(death: string): void {
    this.deaths.push(death);
    this.#log(death);
  }

  async close(): Promise<void> {
    await Promise.all(this.sites.map(({ process }) => process.kill()));
    await Promise.all(this.allLinks.map((link) => link.close()));
  }
}

const lastLines = ({ process }: Site): string =>
  readFileSync(`${process.options.folder}.err`, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(-LAST_LINES)
    .join('\n');

const addressOf = (port: number): string => `/ip4/127.0.0.1/tcp/${port}`;

/** Formats a data folder by the command line; answers with the cluster's id. */
async function format(
  program: string,
  data: string,
  id: number,
  members: string,
  clusterId: string | undefined,
): Promise<string> {
  const owner = clusterId === undefined ? [] : ['--cluster', clusterId];
  const args = [
    'format',
    '--data',
    data,
    '--replica',
    `${id}`,
    '--members',
    members,
    '--output',
    'json',
  ];
  const child = spawn(process.execPath, [program, ...args, ...owner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += String(chunk);
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  const said: unknown = status === 0 ? JSON.parse(printed) : undefined;
  const found =
    typeof said === 'object' && said !== null ? Reflect.get(said, 'clusterId') : undefined;
  if (typeof found !== 'string') throw new Error(`tocsin format ended with ${status}: ${printed}`);
  return found;
}
