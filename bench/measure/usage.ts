import { readFile } from 'node:fs/promises';

/** What processes have used so far, together. */
export interface Usage {
  readonly cpuMs: number;
  /** Handed to the file system's layer below: what the disk has to write, or undefined where the kernel hides it. */
  readonly writtenBytes: number | undefined;
  /** Resident now. */
  readonly residentBytes: number;
}

/** Of the kernel's clock; USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_JIFFY = 10;
const PAGE_BYTES = 4_096;

/** Reads /proc of each process. Zeros where there is no /proc. */
export async function usageOf(pids: readonly number[]): Promise<Usage> {
  const all = await Promise.all(pids.map(usageOfOne));
  const writes = all.map(({ writtenBytes }) => writtenBytes);
  return {
    cpuMs: sum(all.map(({ cpuMs }) => cpuMs)),
    writtenBytes: writes.includes(undefined) ? undefined : sum(writes.map((bytes) => bytes ?? 0)),
    residentBytes: sum(all.map(({ residentBytes }) => residentBytes)),
  };
}

async function usageOfOne(pid: number): Promise<Usage> {
  const [stat, io, statm] = await Promise.all([
    textOf(`/proc/${pid}/stat`),
    textOf(`/proc/${pid}/io`),
    textOf(`/proc/${pid}/statm`),
  ]);
  // The name, in parentheses, may hold anything; utime and stime are fields 14 and 15 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const written = /^write_bytes: (\d+)$/m.exec(io)?.[1];
  return {
    cpuMs: (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * MS_PER_JIFFY,
    writtenBytes: written === undefined ? undefined : Number(written),
    residentBytes: Number(statm.split(' ')[1] ?? 0) * PAGE_BYTES,
  };
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
