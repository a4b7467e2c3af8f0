import type { Measured } from './probes.ts';

/** What a measurement means for a replica on this machine. */
export interface Verdict {
  readonly what: string;
  readonly is: 'PASS' | 'WARN' | 'FAIL';
  readonly found: string;
  /** What is asked for, or why it matters. */
  readonly wanted: string;
}

type Grade = Verdict['is'];

const GIB = 2 ** 30;

/** Below `good` it passes, from `bad` on it fails. */
const upTo = (value: number, good: number, bad: number): Grade =>
  value < good ? 'PASS' : value < bad ? 'WARN' : 'FAIL';

const atLeast = (value: number, good: number, bad: number): Grade =>
  value >= good ? 'PASS' : value >= bad ? 'WARN' : 'FAIL';

/** Every answer waits for a sync, elections for a second at most, and a stalled loop looks like a dead replica. */
export function verdictsOf(measured: Measured): readonly Verdict[] {
  const {
    node,
    sync,
    stallMs,
    clockStepMs,
    freeBytes,
    memoryBytes,
    freeMemoryBytes,
    openFilesMax,
  } = measured;
  const [major = 0, minor = 0] = node;
  return [
    {
      what: 'Node.js',
      is: major >= 24 ? 'PASS' : major > 20 || (major === 20 && minor >= 19) ? 'WARN' : 'FAIL',
      found: node.join('.'),
      wanted: '24 or newer; 20.19 works and gets no more fixes',
    },
    {
      what: 'sync, usual',
      is: upTo(sync.p50, 5, 50),
      found: `${ms(sync.p50)} (p50 of ${sync.count})`,
      wanted: 'below 5 ms: each write waits for it',
    },
    {
      what: 'sync, slow',
      is: upTo(sync.p99, 25, 250),
      found: `${ms(sync.p99)} (p99), ${ms(sync.max)} at worst`,
      wanted: 'below 25 ms: a leader that cannot sync steps down',
    },
    {
      what: 'event loop',
      is: upTo(stallMs, 100, 500),
      found: `stalled ${ms(stallMs)} at worst`,
      wanted: 'below 100 ms: a stalled leader is taken for dead; are the processors shared?',
    },
    {
      what: 'clock, steady',
      is: upTo(Math.abs(clockStepMs), 50, 1_000),
      found: `moved ${ms(clockStepMs)} against the monotonic one`,
      wanted: 'below 50 ms: somebody sets this clock by steps',
    },
    clockVerdict(measured),
    {
      what: 'disk space',
      is: atLeast(freeBytes, 10 * GIB, GIB),
      found: `${gib(freeBytes)} free`,
      wanted: 'at least 10 GiB: a replica without space stops',
    },
    {
      what: 'memory',
      is: atLeast(memoryBytes, 2 * GIB, GIB),
      found: `${gib(memoryBytes)}, ${gib(freeMemoryBytes)} of it free`,
      wanted: 'at least 2 GiB: a million open alerts take more than 1',
    },
    {
      what: 'open files',
      is: openFilesMax === undefined ? 'WARN' : atLeast(openFilesMax, 4_096, 512),
      found: openFilesMax === undefined ? 'not known here' : String(openFilesMax),
      wanted: 'at least 4,096: each client and each table of the log is one (ulimit -n)',
    },
  ];
}

function clockVerdict({ clock }: Measured): Verdict {
  const what = 'clock, right';
  const wanted = 'below 500 ms: the leader stamps alerts with it (--time-server names one to ask)';
  if (clock === undefined) return { what, is: 'WARN', found: 'not compared', wanted };
  if ('problem' in clock)
    return { what, is: 'WARN', found: `${clock.server}: ${clock.problem}`, wanted };
  const { server, offsetMs } = clock;
  return {
    what,
    is: upTo(Math.abs(offsetMs), 500, 5_000),
    found: `${ms(Math.abs(offsetMs))} ${offsetMs < 0 ? 'ahead of' : 'behind'} ${server}`,
    wanted,
  };
}

const ms = (value: number): string => `${value.toFixed(Math.abs(value) < 10 ? 2 : 0)} ms`;
const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;
