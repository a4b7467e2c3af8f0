import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { type Millis, millis } from '../base/ids.ts';
import {
  CLOSE_MS_MAX,
  CONNECTIONS_MAX,
  HANDSHAKE_MS_MAX,
  UNFINISHED_BYTES_MAX,
} from '../base/limits.ts';
import type { Hello } from '../wire/handshake.ts';
import { Doorman, type Room } from './doorman.ts';
import { cancelled, type IntroductionOptions, introduce } from './introduction.ts';
import { type MemoryLink, memoryLinkPair, type Path } from './memory-link.ts';
import { SystemClock } from './system-clock.ts';
import type { Accept, Channel, Expected, Listener, Transport } from './types.ts';

export interface MemoryNetworkOptions {
  /** Carries the bytes and counts the time-outs. Default: bytes travel in microtasks, time-outs run on the machine's clock. */
  readonly clock?: Clock;
  /** How long bytes travel, asked for each write; order is kept. Needs a clock. @defaultValue 0 */
  readonly delay?: (from: string, to: string) => Millis;
  readonly handshakeMsMax?: number;
  readonly closeMsMax?: number;
  readonly connectionsMax?: number;
}

interface Connection {
  readonly hosts: readonly [string, string];
  readonly links: readonly [MemoryLink, MemoryLink];
}

interface Service {
  readonly host: string;
  readonly doorman: Doorman;
}

/**
 * A network in memory: hosts by name, addresses `/memory/N` (0 = any free number), channels, framing and introductions
 * the very same as over TCP. Each direction between two hosts can be cut and healed; what was sent into a cut arrives
 * after it is healed, as with TCP, unless the connections were reset meanwhile.
 */
export class MemoryNetwork {
  readonly #options: IntroductionOptions;
  readonly #room: Room;
  readonly #clock: Clock | undefined;
  readonly #delay: (from: string, to: string) => Millis;
  readonly #services = new Map<number, Service>();
  readonly #paths = new Map<string, MemoryPath>();
  readonly #connections = new Set<Connection>();
  /** Dials that wait for a direction to be healed. */
  readonly #waiting = new Set<() => void>();

  constructor(options: MemoryNetworkOptions = {}) {
    this.#clock = options.clock;
    this.#delay = options.delay ?? (() => millis(0));
    this.#room = {
      connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
      unfinishedBytesMax: UNFINISHED_BYTES_MAX,
    };
    this.#options = {
      clock: options.clock ?? new SystemClock(),
      handshakeMsMax: millis(options.handshakeMsMax ?? HANDSHAKE_MS_MAX),
      closeMsMax: millis(options.closeMsMax ?? CLOSE_MS_MAX),
    };
  }

  /** The network as one host sees it. */
  transport(host: string): Transport {
    return {
      listen: (address, self, accept) => this.#listen(host, address, self, accept),
      dial: (address, self, signal, expect = {}) => this.#dial(host, address, self, signal, expect),
    };
  }

  /** Connections not yet let go by both ends. */
  get connectionCount(): number {
    this.#forget();
    return this.#connections.size;
  }

  /** What `from` sends to `to` waits. Nobody is told. */
  cut(from: string, to: string): void {
    this.#path(from, to).cut = true;
  }

  heal(from: string, to: string): void {
    this.#path(from, to).cut = false;
    for (const { links } of this.#connections) for (const link of links) link.retry();
    for (const wake of this.#waiting) wake();
  }

  /** Breaks every connection between two hosts; both ends are told, cut or not, and what was on its way is lost. */
  reset(one: string, other: string): void {
    for (const connection of this.#connections) {
      const { hosts, links } = connection;
      const [a, b] = hosts;
      if (!(a === one && b === other) && !(a === other && b === one)) continue;
      this.#connections.delete(connection);
      for (const link of links) link.sever();
    }
  }

  async #listen(host: string, address: string, self: Hello, accept: Accept): Promise<Listener> {
    let number = parseMemoryAddress(address);
    if (number === 0)
      do number += 1;
      while (this.#services.has(number));
    if (this.#services.has(number))
      throw new TocsinError('ADDRESS_IN_USE', `${address} is taken by another host`);
    const doorman = new Doorman(self, accept, this.#room, this.#options);
    this.#services.set(number, { host, doorman });
    return {
      address: `/memory/${number}`,
      close: async () => {
        if (this.#services.get(number)?.doorman === doorman) this.#services.delete(number);
        await doorman.close();
      },
    };
  }

  async #dial(
    host: string,
    address: string,
    self: Hello,
    signal: AbortSignal,
    expect: Expected,
  ): Promise<Channel> {
    const number = parseMemoryAddress(address);
    const service = await this.#reach(host, number, signal);
    if (service === undefined)
      throw new TocsinError('CONNECTION_LOST', `nobody listens on ${address}`);
    const paths = [this.#path(host, service.host), this.#path(service.host, host)] as const;
    const links = memoryLinkPair([`/memory/${host}`, address], paths);
    this.#forget();
    this.#connections.add({ hosts: [host, service.host], links });
    const [near, far] = links;
    paths[0].carry(() => service.doorman.meet(far));
    return introduce(near, self, expect, signal, this.#options);
  }

  /** The service behind an address, once both directions let a first packet through. */
  async #reach(host: string, number: number, signal: AbortSignal): Promise<Service | undefined> {
    const { clock, handshakeMsMax } = this.#options;
    let late = false;
    let wake: () => void = () => {};
    const wakeUp = (): void => wake();
    const timer = clock.after(handshakeMsMax, () => {
      late = true;
      wake();
    });
    signal.addEventListener('abort', wakeUp);
    this.#waiting.add(wakeUp);
    try {
      for (;;) {
        if (signal.aborted) throw cancelled(signal);
        if (late) throw new TocsinError('CONNECTION_LOST', `/memory/${number} does not answer`);
        const service = this.#services.get(number);
        if (service === undefined || !this.#blocked(host, service.host)) return service;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', wakeUp);
      this.#waiting.delete(wakeUp);
    }
  }

  #blocked(one: string, other: string): boolean {
    return this.#path(one, other).cut || this.#path(other, one).cut;
  }

  #path(from: string, to: string): MemoryPath {
    const key = JSON.stringify([from, to]);
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const path = new MemoryPath(this.#clock, () => this.#delay(from, to));
    this.#paths.set(key, path);
    return path;
  }

  #forget(): void {
    for (const connection of this.#connections)
      if (connection.links.every((link) => link.released)) this.#connections.delete(connection);
  }
}

/** One direction between two hosts. */
class MemoryPath implements Path {
  cut = false;
  readonly #clock: Clock | undefined;
  readonly #delay: () => Millis;
  #lastDue = 0;

  constructor(clock: Clock | undefined, delay: () => Millis) {
    this.#clock = clock;
    this.#delay = delay;
  }

  readonly isCut = (): boolean => this.cut;

  readonly carry = (task: () => void): void => {
    const clock = this.#clock;
    if (clock === undefined) {
      queueMicrotask(task);
      return;
    }
    const now = clock.monotonic();
    this.#lastDue = Math.max(this.#lastDue, now + this.#delay());
    const left = this.#lastDue - now;
    if (left > 0) clock.after(millis(left), task);
    else clock.soon(task);
  };
}

function parseMemoryAddress(text: string): number {
  const digits = /^\/memory\/(0|[1-9][0-9]{0,8})$/.exec(text)?.[1];
  if (digits === undefined)
    throw new TocsinError('BAD_ADDRESS', `${JSON.stringify(text)} is not /memory/<number>`);
  return Number(digits);
}
