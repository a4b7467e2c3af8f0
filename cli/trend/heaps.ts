import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { FRAME_TIMES_VARIABLE } from './handling.ts';

const EVERY_MS = 5_000;
const MIB = 2 ** 20;

/** To a process whose threads tell of their heaps: each collects all that it can and tells what is left. */
export const COLLECT_SIGNAL = 'SIGUSR2';
const CHANNEL = 'tocsin:collect';

/**
 * For a benchmark that asks for it (FRAME_TIMES_VARIABLE): tells now and then what the thread that calls has for objects, and
 * for arrays of numbers and bytes; and what of it lives, when the process is sent COLLECT_SIGNAL. Keeps no thread alive.
 */
export function tellHeap(thread: string, log: (line: string) => void): void {
  if (process.env[FRAME_TIMES_VARIABLE] !== '1') return;
  setInterval(() => log(heapLine(thread)), EVERY_MS).unref();
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  channel.onmessage = () => log(livesLine(thread));
  // Signals come to the main thread alone.
  if (isMainThread)
    process.on(COLLECT_SIGNAL, () => {
      channel.postMessage(undefined);
      log(livesLine(thread));
    });
}

export function heapLine(thread: string): string {
  const { heapTotal, arrayBuffers } = process.memoryUsage();
  return lineOf('heap', thread, heapTotal, arrayBuffers);
}

/** Without what nothing refers to any more, which V8 leaves where it is until there is much of it. */
export function livesLine(thread: string): string {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What became of arrays is known once they were swept up, at the next time.
  for (let times = 0; times < 2; times += 1) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return lineOf('lives', thread, heapUsed, arrayBuffers);
}

const lineOf = (what: string, thread: string, heap: number, arrays: number): string =>
  `${what} of ${thread} at ${Date.now()}: ${mib(heap)} MiB, arrays ${mib(arrays)} MiB`;

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
