import { setTimeout as pause } from 'node:timers/promises';
import { TocsinError } from '../src/base/errors.ts';
import { revision } from '../src/base/ids.ts';
import type { Prng } from '../src/base/prng.ts';
import { type Client, connect } from '../src/client/client.ts';
import type { SeenEvent } from '../src/testing/checkers/history.ts';
import { Caller } from '../src/testing/workload/caller.ts';
import { type Recorder, seenEvent } from '../src/testing/workload/recorder.ts';
import type { Workload } from './workloads.ts';

export interface CallersParts {
  readonly endpoints: readonly string[];
  readonly clusterId: string | undefined;
  readonly recorder: Recorder;
  readonly prng: Prng;
  /** Milliseconds since the run began. */
  readonly now: () => number;
  readonly stop: AbortSignal;
  /** Names what is ours, so that a cluster with other data in it can be tested. */
  readonly run: string;
}

const TIMEOUT_MS = 3_000;
/** New conditions so often, so that the search for an order stays short. */
const EPOCH_MS = 5_000;
const WATCH_MS = 4_000;
const CONNECT_PAUSE_MS = 100;

export async function connected(
  { endpoints, clusterId, stop }: Pick<CallersParts, 'endpoints' | 'clusterId' | 'stop'>,
  name: string,
): Promise<Client | undefined> {
  while (!stop.aborted) {
    try {
      const owner = clusterId === undefined ? {} : { clusterId };
      return await connect({ endpoints, name, timeoutMs: TIMEOUT_MS, ...owner });
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
  workload: Workload,
  everyMs: number,
): Promise<void> {
  const { recorder, now, stop, run } = parts;
  const prng = parts.prng.fork(process);
  // Whatever kind of work meets on a condition, its checkers know it; but each kind keeps to its own.
  const namespace = (): string => `${run}:${workload.name}:${Math.floor(now() / EPOCH_MS)}:`;
  const caller = async (): Promise<{ client: Client; next: () => Promise<void> } | undefined> => {
    const client = await connected(parts, `c${process}`);
    if (client === undefined) return undefined;
    const { mix } = workload;
    known ??= new Caller({
      api: client,
      process,
      prng,
      mix,
      recorder,
      now,
      timeoutMs: TIMEOUT_MS,
      namespace,
    });
    known.use(client);
    const one = known;
    return { client, next: () => one.next() };
  };
  let known: Caller | undefined;
  let at = await caller();
  let due = now();
  for (let count = 1; at !== undefined && !stop.aborted; count += 1) {
    due = Math.max(due + everyMs * 2 * prng.unit(), now() - everyMs * 10);
    await pause(Math.max(0, due - now()));
    await at.next();
    if (workload.reconnectAfter === undefined || count % workload.reconnectAfter !== 0) continue;
    await at.client.close();
    at = await caller();
  }
  await at?.client.close();
}

/** Watches one after another, from now on or from some events ago. */
export async function watchAll(parts: CallersParts, number: number, log: EventLog): Promise<void> {
  const { recorder, stop } = parts;
  const prng = parts.prng.fork(10_000 + number);
  const client = await connected(parts, `w${number}`);
  for (let count = 1; client !== undefined && !stop.aborted; count += 1) {
    const from = prng.chance(0.3)
      ? undefined
      : Math.max(log.base + 1, log.newest - prng.between(-20, 100));
    const take = recorder.watch(`watch ${number}.${count}`, from, undefined);
    const over = AbortSignal.any([stop, AbortSignal.timeout(prng.between(1, 2 * WATCH_MS))]);
    const options = { signal: over, ...(from === undefined ? {} : { from: revision(from) }) };
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
  /** The revision before the first event. */
  base: number;
  /** Events that were replaced by a state: what is missing here cannot be checked. */
  missing = 0;
  /** Why nothing more is told; undefined = nothing is wrong. */
  broke: string | undefined;

  constructor(base: number) {
    this.base = base;
  }

  get newest(): number {
    return this.base + this.events.length;
  }

  /** Resolves at `stop`, or when the watch is told that it cannot go on: `broke` says why. */
  async follow(client: Client, stop: AbortSignal): Promise<void> {
    const from = revision(this.base + 1);
    try {
      for await (const message of client.watch({ from, signal: stop })) {
        if (message.type === 'event') this.events.push(seenEvent(message.event));
        if (message.type === 'compacted') this.missing += message.revision - this.newest;
      }
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.broke = `the watch of all events ended: ${error.code}: ${error.message}`;
    }
  }
}
