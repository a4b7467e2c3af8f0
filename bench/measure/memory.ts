import { readFileSync } from 'node:fs';

/** What a process held at one moment, in MiB, by part. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly parts: ReadonlyMap<string, number>;
}

/** How a part grew. */
export interface Growth {
  readonly part: string;
  readonly lastMiB: number;
  /** By the straight line that fits best. */
  readonly mibAMinute: number;
}

const MINUTE_MS = 60_000;
const KIB_IN_MIB = 1_024;

/** All that the process itself keeps; pages of files that it reads are the kernel's to take back. */
export const OWN = 'its own';
const OF_FILES = 'pages of files';

/** As the kernel counts what is resident (RssAnon and RssFile, proc(5)); no parts where it does not. */
export function memoryOf(pid: number): Moment {
  const status = textOf(`/proc/${pid}/status`);
  const parts = new Map<string, number>();
  for (const [part, field] of [
    [OWN, /^RssAnon:\s+(\d+) kB$/m],
    [OF_FILES, /^RssFile:\s+(\d+) kB$/m],
  ] as const) {
    const kib = field.exec(status)?.[1];
    if (kib !== undefined) parts.set(part, Number(kib) / KIB_IN_MIB);
  }
  return { at: Date.now(), parts };
}

/** What threads of a process said of their heaps (cli/trend/heaps.ts), from its log. */
export const heapsIn = (log: string): readonly Moment[] =>
  toldIn(log, 'heap', (thread) => [`heap of ${thread}`, `arrays of ${thread}`]);

/** The same of what lives in them, each time that they were asked. */
export const livesIn = (log: string): readonly Moment[] =>
  toldIn(log, 'lives', (thread) => [`what lives of ${thread}`, `of it arrays of ${thread}`]);

function toldIn(
  log: string,
  what: string,
  namesOf: (thread: string) => readonly [heap: string, arrays: string],
): readonly Moment[] {
  const lines = log.matchAll(
    new RegExp(`${what} of (\\w+) at (\\d+): ([\\d.]+) MiB, arrays ([\\d.]+) MiB`, 'g'),
  );
  return [...lines].map(([, thread = '', at, heap, arrays]) => {
    const [nameOfHeap, nameOfArrays] = namesOf(thread);
    const parts = [
      [nameOfHeap, Number(heap)],
      [nameOfArrays, Number(arrays)],
    ] as const;
    return { at: Number(at), parts: new Map(parts) };
  });
}

/** Of each part, over the moments from `since` to `until`; those of which there are two at least. */
export function growthOf(
  moments: readonly Moment[],
  since: number,
  until: number,
): readonly Growth[] {
  const points = new Map<string, (readonly [at: number, mib: number])[]>();
  for (const { at, parts } of moments) {
    if (at < since || at > until) continue;
    for (const [part, mib] of parts) {
      const some = points.get(part) ?? [];
      some.push([at, mib]);
      points.set(part, some);
    }
  }
  return [...points]
    .filter(([, some]) => some.length > 1)
    .map(([part, some]) => ({
      part,
      lastMiB: some.at(-1)?.[1] ?? 0,
      mibAMinute: slopeOf(some) * MINUTE_MS,
    }));
}

function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)];
  const spread = mean(([at]) => (at - x) ** 2);
  return spread === 0 ? 0 : mean(([at, value]) => (at - x) * (value - y)) / spread;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
