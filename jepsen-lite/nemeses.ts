import { setTimeout as pause } from 'node:timers/promises';
import type { Prng } from '../src/base/prng.ts';
import type { Site, TestCluster } from './cluster.ts';
import type { LinkProxy, Way } from './proxy.ts';

export const NEMESES = [
  'kill',
  'kill-all',
  'pause',
  'slow',
  'restart',
  'isolate',
  'halves',
  'bridge',
  'ring',
  'one-way',
  'clients',
  'reset',
  'delay',
  'loss',
  'duplicate',
  'reorder',
] as const;
export type NemesisName = (typeof NEMESES)[number];

/** A fault, and when it was there, in milliseconds since the run began. */
export interface Span {
  readonly name: NemesisName;
  readonly where: string;
  readonly from: number;
  to: number;
}

/** Ends what was begun. */
type End = () => Promise<void> | void;

const SLOW_MS = 40;
const NONE: ReadonlySet<number> = new Set();

/** Below so many replicas a fault has nothing to break. */
const REPLICAS_MIN: Readonly<Partial<Record<NemesisName, number>>> = {
  isolate: 2,
  halves: 2,
  'one-way': 2,
  reset: 2,
  delay: 2,
  loss: 2,
  duplicate: 2,
  reorder: 2,
  bridge: 3,
  ring: 4,
};

/** Strikes one fault after another, several at once, until told to stop. */
export class Nemesis {
  readonly spans: Span[] = [];
  readonly counts: Record<string, number> = {};
  readonly #cluster: TestCluster;
  readonly #prng: Prng;
  readonly #now: () => number;
  readonly #log: (line: string) => void;
  readonly #pending: Set<Promise<void>> = new Set();

  constructor(cluster: TestCluster, prng: Prng, now: () => number, log: (line: string) => void) {
    this.#cluster = cluster;
    this.#prng = prng;
    this.#now = now;
    this.#log = log;
  }

  /** Resolves when `stop` was raised and every fault has ended. */
  async run(
    names: readonly NemesisName[],
    intervalMs: number,
    lastsMs: number,
    stop: AbortSignal,
  ): Promise<void> {
    const size = this.#cluster.sites.length;
    const drawn = names.filter((name) => size >= (REPLICAS_MIN[name] ?? 1));
    for (const name of names)
      if (!drawn.includes(name)) this.#log(`${name} breaks nothing of ${size} replicas: left out`);
    while (drawn.length > 0 && !stop.aborted) {
      await sleep(this.#exponential(intervalMs), stop);
      if (stop.aborted) break;
      const striking = this.#strike(this.#prng.pick(drawn), this.#exponential(lastsMs), stop);
      this.#pending.add(striking);
      // One that fails stays, and is told below.
      striking.then(
        () => this.#pending.delete(striking),
        () => {},
      );
    }
    await Promise.all(this.#pending);
  }

  async #strike(name: NemesisName, lastsMs: number, stop: AbortSignal): Promise<void> {
    const stops = name === 'pause' || name === 'slow';
    const victims = this.#cluster.running.filter(({ isPaused }) => !(stops && isPaused));
    if (victims.length === 0) return;
    const victim = this.#prng.pick(victims);
    const span: Span = { name, where: `replica ${victim.id}`, from: this.#now(), to: Infinity };
    this.spans.push(span);
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    this.#log(`${name} (replica ${victim.id}) for ${Math.round(lastsMs)} ms`);
    const end = await this.#begin(name, victim);
    await sleep(lastsMs, stop);
    await end();
    span.to = this.#now();
  }

  async #begin(name: NemesisName, victim: Site): Promise<End> {
    switch (name) {
      case 'kill':
        return await this.#kill([victim], 'SIGKILL');
      case 'kill-all':
        return await this.#kill(this.#cluster.running, 'SIGKILL');
      case 'restart':
        return await this.#kill([victim], 'SIGTERM');
      case 'pause':
        return this.#pause(victim);
      case 'slow':
        return this.#slow(victim);
      case 'reset':
        for (const link of this.#linksOf(victim)) link.reset();
        return () => {};
      case 'clients':
        return this.#cut(this.#prng.pick(this.#cluster.clientLinks), this.#prng.between(0, 2));
      case 'delay':
      case 'loss':
      case 'duplicate':
      case 'reorder':
        return this.#disturb(name);
      default:
        return this.#partition(name, victim);
    }
  }

  /** Ends processes; the end of the fault starts them again. */
  async #kill(sites: readonly Site[], signal: 'SIGKILL' | 'SIGTERM'): Promise<End> {
    for (const site of sites) site.isBusy = true;
    await Promise.all(sites.map((site) => end(site, signal)));
    return async () => {
      await Promise.all(
        sites.map(async (site) => {
          await this.#cluster.startAgain(site);
          site.isBusy = false;
        }),
      );
    };
  }

  #pause(victim: Site): End {
    if (victim.isPaused) return () => {};
    victim.isPaused = true;
    victim.process.pause();
    return () => {
      if (victim.isPaused && victim.process.pid !== undefined) victim.process.resume();
      victim.isPaused = false;
    };
  }

  /** Runs about half of the time. */
  #slow(victim: Site): End {
    let isOver = false;
    const flutter = async (): Promise<void> => {
      while (!isOver && victim.process.pid !== undefined) {
        const resume = this.#pause(victim);
        await pause(SLOW_MS);
        await resume();
        await pause(SLOW_MS);
      }
    };
    const fluttering = flutter();
    return async () => {
      isOver = true;
      await fluttering;
    };
  }

  #disturb(name: 'delay' | 'loss' | 'duplicate' | 'reorder'): End {
    const all = [...this.#cluster.links.values()];
    const chosen = all.filter(() => this.#prng.chance(0.7));
    const links = chosen.length > 0 ? chosen : all;
    const strength = name === 'delay' ? this.#prng.between(5, 150) : this.#prng.unit() / 2;
    const field = name === 'delay' ? 'delayMs' : name;
    const set = (value: number): void => {
      for (const link of links) {
        link.there[field] = value;
        link.back[field] = value;
        link.changed();
      }
    };
    set(strength);
    return () => set(0);
  }

  #partition(name: NemesisName, victim: Site): End {
    const prng = this.#prng;
    const ids = this.#cluster.sites.map(({ id }) => id);
    const others = ids.filter((id) => id !== victim.id);
    const side = name === 'halves' ? prng.part(ids) : name === 'bridge' ? prng.part(others) : NONE;
    const isDeaf = prng.chance(0.5);
    const isCut = (from: number, to: number): boolean => {
      if (name === 'isolate') return from === victim.id || to === victim.id;
      if (name === 'one-way') return isDeaf ? to === victim.id : from === victim.id;
      if (name === 'halves') return side.has(from) !== side.has(to);
      if (name === 'ring') {
        const apart = Math.abs(from - to);
        return Math.min(apart, ids.length - apart) > 1;
      }
      const touches = from === victim.id || to === victim.id;
      return !touches && side.has(from) !== side.has(to); // bridge
    };
    const ends: End[] = [];
    for (const from of ids)
      for (const to of ids) {
        if (from === to) continue;
        const link = this.#cluster.link(from, to);
        if (isCut(from, to)) ends.push(cutWay(link, link.there));
        if (isCut(to, from)) ends.push(cutWay(link, link.back));
      }
    return async () => {
      for (const end of ends) await end();
    };
  }

  #cut(link: LinkProxy, ways: number): End {
    const ends: End[] = [];
    if (ways !== 1) ends.push(cutWay(link, link.there));
    if (ways !== 0) ends.push(cutWay(link, link.back));
    return async () => {
      for (const end of ends) await end();
    };
  }

  #linksOf(victim: Site): readonly LinkProxy[] {
    return [...this.#cluster.links]
      .filter(([name]) => name.startsWith(`${victim.id}>`) || name.endsWith(`>${victim.id}`))
      .map(([, link]) => link);
  }

  #exponential(mean: number): number {
    return -Math.log(1 - this.#prng.unit()) * mean;
  }
}

function cutWay(link: LinkProxy, way: Way): End {
  way.isCut = true;
  return () => {
    way.isCut = false;
    link.changed();
  };
}

async function end(site: Site, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const { process: replica } = site;
  const { pid } = replica;
  if (pid !== undefined && site.isPaused) replica.resume();
  site.isPaused = false;
  if (signal === 'SIGTERM' && pid !== undefined) {
    site.isEnding = true;
    process.kill(pid, signal);
    // What does not end in its time is ended.
    for (let waited = 0; waited < 100 && replica.pid !== undefined; waited += 1) await pause(50);
  }
  await replica.kill();
  site.isEnding = false;
}

async function sleep(ms: number, stop: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal: stop }).catch(() => {});
}
