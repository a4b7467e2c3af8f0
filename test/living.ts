import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const SAME_BYTES = 1_024;
const TIMES_MAX = 20;

interface Living {
  /** Bytes of objects. */
  readonly heap: number;
  /** Bytes of arrays of numbers and bytes. */
  readonly arrays: number;
}

/**
 * What lives in the memory of this thread once nothing more of it can be collected. Once is not enough: what became of arrays is
 * known at the next time, and what a frame of the stack, or a callback of this turn, refers to goes in a later turn.
 */
export async function living(): Promise<Living> {
  let last = await collected();
  for (let times = 1; times < TIMES_MAX; times += 1) {
    const now = await collected();
    if (last.heap - now.heap < SAME_BYTES && last.arrays === now.arrays) return now;
    last = now;
  }
  return last;
}

async function collected(): Promise<Living> {
  await turn();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, arrays: arrayBuffers };
}
