import { freePorts } from '../../cli/local/free-ports.ts';
import type { Prng } from '../../src/base/prng.ts';
import type { End } from '../end.ts';
import { FrontProxy } from './front-proxy.ts';
import type { Disturbance, Network, NetworkFault, NetworkPlace } from './network.ts';
import { Way } from './way.ts';

/** The loopback, with a proxy of this process before each replica. */
export class ProxiedNetwork implements Network {
  readonly says = 'a frame-aware proxy in this process before each replica';
  readonly breaks: ReadonlySet<NetworkFault> = new Set([
    'cut',
    'delay',
    'loss',
    'duplicate',
    'reorder',
    'reset',
  ] as const);
  readonly #prng: Prng;
  readonly #proxies: FrontProxy[] = [];
  readonly #ways: Map<string, Way> = new Map();

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  async join(id: number): Promise<NetworkPlace> {
    const [port = 0, target = 0] = await freePorts(2);
    const ways = (from: number, to: number): Way => this.#way(from, to);
    this.#proxies.push(await FrontProxy.open(id, { port, target }, ways, this.#prng.fork(id)));
    return { address: addressOf(port), listen: addressOf(target), command: [] };
  }

  disturb(from: number, to: number, what: Disturbance): Promise<End> {
    return Promise.resolve(this.#way(from, to).add(what));
  }

  async reset(id: number): Promise<void> {
    for (const proxy of this.#proxies) proxy.reset(id);
  }

  async heal(): Promise<void> {
    for (const way of this.#ways.values()) way.clear();
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }

  #way(from: number, to: number): Way {
    const name = `${from}>${to}`;
    let way = this.#ways.get(name);
    if (way === undefined) {
      way = new Way(() => {
        for (const proxy of this.#proxies) proxy.changed();
      });
      this.#ways.set(name, way);
    }
    return way;
  }
}

const addressOf = (port: number): string => `/ip4/127.0.0.1/tcp/${port}`;
