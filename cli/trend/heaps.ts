import { FRAME_TIMES_VARIABLE } from './handling.ts';

const EVERY_MS = 5_000;
const MIB = 2 ** 20;

/**
 * For a benchmark that asks for it (FRAME_TIMES_VARIABLE): tells now and then what the thread that calls has for objects, and
 * for arrays of numbers and bytes. Keeps no thread alive.
 */
export function tellHeap(thread: string, log: (line: string) => void): void {
  if (process.env[FRAME_TIMES_VARIABLE] !== '1') return;
  setInterval(() => log(heapLine(thread)), EVERY_MS).unref();
}

export function heapLine(thread: string): string {
  const { heapTotal, arrayBuffers } = process.memoryUsage();
  const [heap, arrays] = [heapTotal, arrayBuffers].map((bytes) => Math.round(bytes / MIB));
  return `heap of ${thread} at ${Date.now()}: ${heap} MiB, arrays ${arrays} MiB`;
}
