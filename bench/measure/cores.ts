import { readdirSync, readFileSync } from 'node:fs';

/** What threads of a process did until now, in milliseconds: had a core, and stood ready without one. */
export interface CoreTimes {
  readonly ranMs: number;
  readonly waitedMs: number;
}

/** Of its main thread, and of all others that live. Zeros where the kernel does not tell (schedstat, proc(5)). */
export function coreTimesOf(pid: number): { readonly main: CoreTimes; readonly others: CoreTimes } {
  const folder = `/proc/${pid}/task`;
  let others: CoreTimes = { ranMs: 0, waitedMs: 0 };
  for (const thread of threadsIn(folder))
    if (thread !== `${pid}`) others = sum(others, timesIn(`${folder}/${thread}/schedstat`));
  return { main: timesIn(`${folder}/${pid}/schedstat`), others };
}

const sum = (a: CoreTimes, b: CoreTimes): CoreTimes => ({
  ranMs: a.ranMs + b.ranMs,
  waitedMs: a.waitedMs + b.waitedMs,
});

export const since = (now: CoreTimes, before: CoreTimes): CoreTimes => ({
  ranMs: now.ranMs - before.ranMs,
  waitedMs: now.waitedMs - before.waitedMs,
});

function threadsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A thread that has ended meanwhile is no news. */
function timesIn(path: string): CoreTimes {
  try {
    const [ran = 0, waited = 0] = readFileSync(path, 'utf8').split(' ').map(Number);
    return { ranMs: ran / 1e6, waitedMs: waited / 1e6 };
  } catch {
    return { ranMs: 0, waitedMs: 0 };
  }
}
