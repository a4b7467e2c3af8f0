import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type End, once } from './end.ts';

const ATTACH_MS_MAX = 5_000;
const DETACH_MS_MAX = 2_000;
const LOOK_MS = 5;

/**
 * Has strace change what some system calls of a running process do, from when this resolves until the end that it
 * returns: `error=EIO`, `delay_enter=MICROSECONDS`. With `files`, only where they are about those.
 * Undefined = it could not get hold of the process.
 */
export async function inject(
  pid: number,
  calls: readonly string[],
  what: string,
  files: readonly string[] = [],
): Promise<End | undefined> {
  const names = calls.join(',');
  const paths = files.flatMap((file) => ['-P', file]);
  const change = ['-e', `trace=${names}`, '-e', `inject=${names}:${what}`];
  const args = ['-f', '-qq', '-o', '/dev/null', ...change, ...paths, '-p', `${pid}`];
  const strace = spawn('strace', args, { stdio: 'ignore' });
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    const end = (): void => {
      isGone = true;
      resolve();
    };
    strace.once('close', end).once('error', end);
  });
  const detach = once(async () => {
    strace.kill('SIGTERM');
    await Promise.race([gone, pause(DETACH_MS_MAX, undefined, { ref: false })]);
    // What it holds is let go by the kernel then.
    strace.kill('SIGKILL');
    await gone;
  });
  const deadline = performance.now() + ATTACH_MS_MAX;
  while (!isGone && !isTraced(pid) && performance.now() < deadline) await pause(LOOK_MS);
  if (!isGone && isTraced(pid)) return detach;
  await detach();
  return undefined;
}

/** All of its threads are. */
function isTraced(pid: number): boolean {
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return tasks.every((task) =>
      /^TracerPid:\s*[1-9]/m.test(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8')),
    );
  } catch {
    return false;
  }
}
