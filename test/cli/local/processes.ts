import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Whether a process runs. One that has ended and was not yet buried by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // The state follows the name, which may hold anything, in brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return process.platform !== 'linux';
  }
}

/** Looks until it is so; throws after `msMax`. */
export async function until(what: string, isSo: () => boolean, msMax = 8_000): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not within ${msMax} ms: ${what}`);
    await pause(10);
  }
}
