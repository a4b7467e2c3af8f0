import { setTimeout as pause } from 'node:timers/promises';
import { Latencies, type LatencySummary } from './latencies.ts';

/** One operation, the `n`th; rejects when it fails. */
export type Operation = (n: number) => Promise<unknown>;

export interface LoadResult {
  /** Operations that succeeded, and a second. */
  readonly done: number;
  readonly perSecond: number;
  readonly failed: number;
  /** Why the first of them failed. */
  readonly firstFailure: string | undefined;
  readonly seconds: number;
  readonly latencyMs: LatencySummary;
}

/** Counts what became of operations, and how long each took. */
class Tally {
  readonly #latencies = new Latencies();
  #done = 0;
  #failed = 0;
  #firstFailure: string | undefined;

  /** Runs one operation that was due at `due`. Never rejects. */
  async run(operation: Operation, n: number, due: number): Promise<void> {
    try {
      await operation(n);
      this.#done += 1;
      this.#latencies.add(performance.now() - due);
    } catch (error) {
      this.#failed += 1;
      this.#firstFailure ??= String(error);
    }
  }

  result(began: number): LoadResult {
    const seconds = (performance.now() - began) / 1_000;
    return {
      done: this.#done,
      perSecond: Math.round(this.#done / seconds),
      failed: this.#failed,
      firstFailure: this.#firstFailure,
      seconds: Math.round(seconds * 100) / 100,
      latencyMs: this.#latencies.summary(),
    };
  }
}

/** A closed loop: `inFlight` callers, each of whom asks again as soon as it is answered. Shows what is possible. */
export async function closedLoop(
  operation: Operation,
  { inFlight, seconds }: { readonly inFlight: number; readonly seconds: number },
): Promise<LoadResult> {
  const tally = new Tally();
  const began = performance.now();
  const end = began + seconds * 1_000;
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let now = performance.now(); now < end; now = performance.now()) {
      next += 1;
      await tally.run(operation, next - 1, now);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return tally.result(began);
}

/** Calls after which code that runs once a call is compiled as well as it ever will be. */
const WARM_UP_CALLS = 5_000;
const WARM_UP_SECONDS_MAX = 15;

/**
 * Runs a closed loop that does not count, first: a fifth of the time; but with one caller alone, who gives a process little
 * to do, until it has done what compiles its code. Answers how many operations that took.
 */
export async function warmUp(
  operation: Operation,
  { inFlight, seconds }: { readonly inFlight: number; readonly seconds: number },
): Promise<number> {
  const calls = inFlight === 1 ? WARM_UP_CALLS : 0;
  const end = performance.now() + WARM_UP_SECONDS_MAX * 1_000;
  let used = 0;
  do {
    const from = used;
    const { done, failed } = await closedLoop((n) => operation(from + n), {
      inFlight,
      seconds: seconds / 5,
    });
    used += done + failed;
  } while (used < calls && performance.now() < end);
  return used;
}

const OPEN_LOOP_STEP_MS = 1;

/**
 * An open loop: operations are due at a fixed rate, whether or not earlier ones were answered, and the wait of those
 * that could not be sent in time counts (no coordinated omission). Shows what a user would see.
 */
export async function openLoop(
  operation: Operation,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<LoadResult> {
  const tally = new Tally();
  const began = performance.now();
  const total = Math.round(perSecond * seconds);
  const running = new Set<Promise<void>>();
  for (let n = 0; n < total; ) {
    const dueCount = Math.min(total, ((performance.now() - began) * perSecond) / 1_000);
    for (; n < dueCount; n += 1) {
      const one = tally.run(operation, n, began + (n * 1_000) / perSecond);
      running.add(one);
      void one.then(() => running.delete(one));
    }
    await pause(OPEN_LOOP_STEP_MS);
  }
  await Promise.all(running);
  return tally.result(began);
}
