import { setTimeout as pause } from 'node:timers/promises';
import { TocsinError } from '../src/base/errors.ts';
import { revision } from '../src/base/ids.ts';
import type { Prng } from '../src/base/prng.ts';
import { type Client, connect } from '../src/client/client.ts';
import type { SessionOptions } from '../src/client/write-session.ts';
import type { AlertEvent } from '../src/statemachine/types.ts';
import type { SeenEvent } from '../src/testing/checkers/history.ts';
import { type Recorder, seenEvent } from '../src/testing/workload/recorder.ts';
import type { Account, Opened, Work } from './workloads/workload.ts';

export interface CallersParts {
  readonly endpoints: readonly string[];
  readonly clusterId: string | undefined;
  readonly recorder: Recorder;
  readonly prng: Prng;
  /** Milliseconds since the run began. */
  readonly now: () => number;
  readonly stop: AbortSignal;
}

export const TIMEOUT_MS = 3_000;
const WATCH_MS = 4_000;
const CONNECT_PAUSE_MS = 100;

async function connected(
  { endpoints, clusterId, stop }: Pick<CallersParts, 'endpoints' | 'clusterId' | 'stop'>,
  name: string,
  session: SessionOptions | undefined,
): Promise<Client | undefined> {
  while (!stop.aborted) {
    try {
      const owner = clusterId === undefined ? {} : { clusterId };
      const more = session === undefined ? owner : { ...owner, session };
      return await connect({ endpoints, name, timeoutMs: TIMEOUT_MS, ...more });
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      await pause(CONNECT_PAUSE_MS);
    }
  }
  return undefined;
}

/** One caller at its own pace, until told to stop. */
export async function call(
  parts: CallersParts,
  process: number,
  opened: Opened,
  everyMs: number,
): Promise<void> {
  const { now, stop } = parts;
  const prng = parts.prng.fork(process);
  const { session, reconnectAfter } = opened.workload;
  let work: Work | undefined;
  const begin = async (): Promise<Client | undefined> => {
    const client = await connected(parts, `c${process}`, session);
    if (client === undefined) return undefined;
    work ??= opened.work(client, process, prng);
    work.use(client);
    return client;
  };
  let client = await begin();
  let due = now();
  for (let count = 1; client !== undefined && !stop.aborted; count += 1) {
    due = Math.max(due + everyMs * 2 * prng.unit(), now() - everyMs * 10);
    await pause(Math.max(0, due - now()));
    await work?.next();
    if (reconnectAfter === undefined || count % reconnectAfter !== 0) continue;
    await client.close();
    client = await begin();
  }
  await client?.close();
}

/** Watches one after another, from now on or from some events ago, all alerts or open ones. */
export async function watchAll(parts: CallersParts, number: number, log: EventLog): Promise<void> {
  const { recorder, stop } = parts;
  const prng = parts.prng.fork(10_000 + number);
  const client = await connected(parts, `w${number}`, undefined);
  for (let count = 1; client !== undefined && !stop.aborted; count += 1) {
    const from = prng.chance(0.3)
      ? undefined
      : Math.max(log.base + 1, log.newest - prng.between(-20, 100));
    // Of alerts that were there before, it is not known which were open.
    const open = log.base === 0 && prng.chance(0.4);
    const take = recorder.watch(`watch ${number}.${count}`, from, undefined, open);
    const signal = AbortSignal.any([stop, AbortSignal.timeout(prng.between(1, 2 * WATCH_MS))]);
    const begin = from === undefined ? {} : { from: revision(from) };
    const options = { signal, ...begin, ...(open ? { filter: { open } } : {}) };
    try {
      for await (const message of client.watch(options)) take(message);
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      recorder.told(error.code);
    }
  }
  await client?.close();
}

/** All events, as one watch from beginning to end tells them. */
export class EventLog {
  readonly events: SeenEvent[] = [];
  /** When each was told, in milliseconds since the run began. */
  readonly seenAt: number[] = [];
  /** When each happened, by the time in the log. */
  readonly times: number[] = [];
  /** The revision before the first event. */
  base: number;
  /** Events that were replaced by a state: what is missing here cannot be checked. */
  missing = 0;
  /** Why nothing more is told; undefined = nothing is wrong. */
  broke: string | undefined;

  /** Revisions that an account explains. */
  readonly elsewhere: Set<number> = new Set();
  readonly #accounts: readonly Account[];
  readonly #now: () => number;

  constructor(base: number, accounts: readonly Account[], now: () => number) {
    this.base = base;
    this.#accounts = accounts;
    this.#now = now;
  }

  get newest(): number {
    return this.base + this.events.length;
  }

  /** Resolves at `stop`, or when the watch is told that it cannot go on: `broke` says why. */
  async follow(client: Client, stop: AbortSignal): Promise<void> {
    const from = revision(this.base + 1);
    try {
      for await (const message of client.watch({ from, signal: stop })) {
        if (message.type === 'event') this.#take(message.event);
        if (message.type === 'compacted') this.missing += message.revision - this.newest;
      }
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.broke = `the watch of all events ended: ${error.code}: ${error.message}`;
    }
  }

  #take(event: AlertEvent): void {
    this.events.push(seenEvent(event));
    this.times.push(event.time);
    const seenAt = this.#now();
    this.seenAt.push(seenAt);
    for (const account of this.#accounts)
      if (account.take(event, seenAt)) this.elsewhere.add(event.revision);
  }
}
