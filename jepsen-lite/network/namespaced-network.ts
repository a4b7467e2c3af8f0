import { randomInt } from 'node:crypto';
import { must } from '../../src/base/assert.ts';
import type { End } from '../end.ts';
import { system } from '../system.ts';
import {
  CALLERS,
  type Disturbance,
  type Network,
  type NetworkFault,
  type NetworkPlace,
} from './network.ts';
import { findFilter, type PacketFilter } from './packet-filter.ts';
import { Way } from './way.ts';

const PORT = 7_400;
/** The caller's part of an address; replicas have their numbers. */
const CALLERS_HOST = 254;

/**
 * A network namespace for each replica, and a wire between each two of them, and to this process: real packets are lost, and
 * connections learn of it as they would, by silence. Needs to be root.
 */
export class NamespacedNetwork implements Network {
  readonly says: string;
  readonly breaks: ReadonlySet<NetworkFault> = new Set(['cut', 'loss', 'reset'] as const);
  /** Begins every name, and says whose they are. */
  readonly #prefix: string = prefixOf(process.pid);
  readonly #subnet: string = `10.${randomInt(128, 250)}.${randomInt(1, 250)}`;
  readonly #filter: PacketFilter;
  readonly #ways: Map<string, Way> = new Map();
  readonly #places: number[] = [];
  /** Changes of filters, one after the other. */
  #changes: Promise<void> = Promise.resolve();

  private constructor(filter: PacketFilter) {
    this.#filter = filter;
    this.says = `a network namespace for each replica, where ${filter.name} drops packets`;
  }

  /** @throws Error when this machine, or this user, cannot */
  static async open(): Promise<NamespacedNetwork> {
    await removeStale();
    const network = new NamespacedNetwork(await findFilter(prefixOf(process.pid)));
    const trial = `${network.#prefix}-0`;
    await system(['ip', 'netns', 'add', trial]);
    try {
      await network.#filter.set(inside(trial), 'lo', 0.5);
    } finally {
      await system(['ip', 'netns', 'del', trial]);
    }
    return network;
  }

  async join(id: number): Promise<NetworkPlace> {
    const name = this.#nameOf(id);
    await system(['ip', 'netns', 'add', name]);
    await system(['ip', '-n', name, 'link', 'set', 'lo', 'up']);
    await system(['ip', '-n', name, 'addr', 'add', `${this.#hostOf(id)}/32`, 'dev', 'lo']);
    for (const other of [CALLERS, ...this.#places]) await this.#wire(id, other);
    this.#places.push(id);
    const address = `/ip4/${this.#hostOf(id)}/tcp/${PORT}`;
    return { address, listen: address, command: inside(name) };
  }

  async disturb(from: number, to: number, what: Disturbance): Promise<End> {
    const way = this.#wayOf(from, to);
    const end = way.add(what);
    await this.#apply(from, to, way);
    return async () => {
      await end();
      await this.#apply(from, to, way);
    };
  }

  async reset(id: number): Promise<void> {
    await system([...inside(this.#nameOf(id)), 'ss', '-K', 'state', 'connected']);
  }

  async heal(): Promise<void> {
    for (const [name, way] of this.#ways) {
      const [from = 0, to = 0] = name.split('>').map(Number);
      way.clear();
      await this.#apply(from, to, way);
    }
  }

  async close(): Promise<void> {
    await this.#changes;
    for (const id of this.#places.splice(0)) {
      if (this.#ways.has(`${id}>${CALLERS}`))
        await this.#filter.remove([], this.#deviceOf(CALLERS, id)).catch(() => {});
      await system(['ip', 'netns', 'del', this.#nameOf(id)]);
    }
  }

  /** Both ends of a new wire, and the way to what is behind it. */
  async #wire(one: number, other: number): Promise<void> {
    const [near, far] = [this.#deviceOf(one, other), this.#deviceOf(other, one)];
    const peer = other === CALLERS ? [] : ['netns', this.#nameOf(other)];
    const ends = ['link', 'add', near, 'type', 'veth', 'peer', 'name', far, ...peer];
    await system(['ip', '-n', this.#nameOf(one), ...ends]);
    if (other === CALLERS)
      await system(['ip', '-n', this.#nameOf(one), 'link', 'set', far, 'netns', `${process.pid}`]);
    for (const [here, there, device] of [
      [one, other, near],
      [other, one, far],
    ] as const) {
      const ip = here === CALLERS ? ['ip'] : ['ip', '-n', this.#nameOf(here)];
      await system([...ip, 'link', 'set', device, 'up']);
      if (here === CALLERS)
        await system([...ip, 'addr', 'add', `${this.#hostOf(here)}/32`, 'dev', device]);
      const way = [`${this.#hostOf(there)}/32`, 'dev', device, 'src', this.#hostOf(here)];
      await system([...ip, 'route', 'add', ...way]);
    }
  }

  #apply(from: number, to: number, way: Way): Promise<void> {
    const place = to === CALLERS ? [] : inside(this.#nameOf(to));
    const device = this.#deviceOf(to, from);
    const change = async (): Promise<void> => {
      const chance = way.isCut ? 1 : way.chanceOf('loss');
      await this.#filter.set(place, device, chance);
    };
    this.#changes = this.#changes.then(change);
    return this.#changes;
  }

  #wayOf(from: number, to: number): Way {
    const name = `${from}>${to}`;
    if (!this.#ways.has(name)) this.#ways.set(name, new Way());
    return must(this.#ways.get(name), 'it was set');
  }

  #nameOf(id: number): string {
    return `${this.#prefix}-${id}`;
  }

  /** The end at `here` of the wire to `there`. */
  #deviceOf(here: number, there: number): string {
    return here === CALLERS ? this.#nameOf(there) : `to${there}`;
  }

  #hostOf(id: number): string {
    return `${this.#subnet}.${id === CALLERS ? CALLERS_HOST : id}`;
  }
}

const prefixOf = (pid: number): string => `tj${pid}`;

const inside = (name: string): readonly string[] => ['nsenter', `--net=/run/netns/${name}`];

/** Removes what a run left behind that was killed. */
async function removeStale(): Promise<void> {
  const listed = await system(['ip', 'netns', 'list']);
  for (const [name, pid] of listed.matchAll(/^tj(\d+)-\d+/gm))
    if (!isRunning(Number(pid))) await system(['ip', 'netns', 'del', name]).catch(() => {});
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
