import { openSync, readSync } from 'node:fs';
import type { Collection } from './collections.ts';

/** Something that this process's main thread did. Milliseconds, by `performance.now`. */
export interface Span {
  readonly began: number;
  readonly ended: number;
  /** That the thread ran on a core. */
  readonly ran: number;
}

/** Milliseconds that it ran, without the collector. */
export function ownOf({ began, ended, ran }: Span, collections: readonly Collection[]): number {
  let collecting = 0;
  for (const one of collections) if (one.began < ended && one.ended > began) collecting += one.ran;
  return Math.max(0, ran - collecting);
}

/** How long the process ran, all its threads. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/**
 * How long this thread ran: the first number of schedstat, in nanoseconds. The kernel brings it up to date at each of its own ticks only, 4 ms
 * apart, and when it is asked what the process took: so it is asked that first.
 */
const ranMs: () => number = (() => {
  let file: number;
  try {
    file = openSync('/proc/thread-self/schedstat', 'r');
  } catch {
    return cpuMs;
  }
  const bytes = Buffer.alloc(128);
  return () => {
    cpuMs();
    const length = readSync(file, bytes, 0, bytes.length, 0);
    return Number(bytes.toString('latin1', 0, length).split(' ')[0]) / 1e6;
  };
})();

/**
 * How long the thread ran by now. To look takes memory too: what the collector runs meanwhile may have been counted or not, so the time that
 * the look took belongs to what was before it and to what comes after.
 */
export function lookNow(): Span {
  const began = performance.now();
  const ran = ranMs();
  return { began, ran, ended: performance.now() };
}

/** What was between two looks. */
export const between = (one: Span, other: Span): Span => ({
  began: one.began,
  ended: other.ended,
  ran: other.ran - one.ran,
});
