import { subscribe } from 'node:diagnostics_channel';
import { readdirSync, readlinkSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { beforeEach } from 'vitest';

/**
 * A test that leaves a server, connection, timer, process, thread or file open has not passed.
 *
 * What is open is compared before and after each test; what the runner itself holds is in both counts. Looking comes
 * last of all, after the hooks and clean-ups of the test, and gives what was closed a moment to be gone.
 */

const SETTLE_MS_MAX = Number(process.env['SETTLE_MS'] ?? 1_000);
const POLL_MS = 5;

/** Requests under way end by themselves and say nothing about what stays open; timers are watched one by one. */
const PASSING: ReadonlySet<string> = new Set([
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
  'Immediate',
  'TickObject',
  'CloseReq',
  'Timeout',
]);

// A test may put fake ones in their place, and ours are not among those that are watched.
const { setImmediate: soon, setTimeout: later } = globalThis;
const now = performance.now.bind(performance);
const nextTurn = (): Promise<void> => new Promise((resolve) => soon(resolve));
const pause = (): Promise<void> => new Promise((resolve) => later(resolve, POLL_MS));

type ArmTimer = (task: () => void, delay?: number, ...rest: unknown[]) => NodeJS.Timeout;

/** Timers which tests and what they test have set, with the words to report them by. */
const timers = new Map<NodeJS.Timeout, string>();
const TIMERS_KEPT_MAX = 10_000;

/** Node marks a timer so when it has fired for the last time or was called off. */
const isOver = (timer: NodeJS.Timeout): boolean =>
  '_destroyed' in timer && timer._destroyed === true;

function forgetTimersThatAreOver(): void {
  for (const timer of timers.keys()) if (isOver(timer)) timers.delete(timer);
}

/** The runner took its own timers before this file was read: only those of tests come through here. */
function watch(name: 'setTimeout' | 'setInterval'): void {
  const real = globalThis[name];
  const arm = real as unknown as ArmTimer;
  const watched: ArmTimer = (task, delay, ...rest) => {
    const timer = arm(task, delay, ...rest);
    if (timers.size >= TIMERS_KEPT_MAX) forgetTimersThatAreOver();
    timers.set(timer, `${name} of ${delay ?? 0} ms`);
    return timer;
  };
  const extras = Object.getOwnPropertyDescriptors(real);
  Object.defineProperties(watched, extras);
  Object.defineProperty(globalThis, name, { value: watched, writable: true, configurable: true });
}

watch('setTimeout');
watch('setInterval');

/** Threads which tests have started. */
const threads = new Set<Worker>();
subscribe('worker_threads', (message) => threads.add((message as { worker: Worker }).worker));

function openThreads(): string[] {
  for (const thread of threads) if (thread.threadId === -1) threads.delete(thread);
  return [...threads].map(({ threadId }) => `thread ${threadId}`);
}

function openTimers(): string[] {
  forgetTimersThatAreOver();
  // A timer that lets the process end holds nothing open.
  return [...timers].filter(([timer]) => timer.hasRef()).map(([, words]) => words);
}

/** Regular files this process holds open, a database's among them. Linux alone tells. */
function openFiles(): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith('/') && !/^\/(dev|proc|sys)\//.test(path) ? [`file ${path}`] : [];
    } catch {
      return []; // Closed since the folder was listed.
    }
  });
}

const census = (): string[] => [
  ...process.getActiveResourcesInfo().filter((kind) => !PASSING.has(kind)),
  ...openTimers(),
  ...openThreads(),
  ...openFiles(),
];

/** What is open now and was not before, a line for each. */
function openedSince(before: readonly string[]): string[] {
  const known = [...before];
  return census().filter((one) => {
    const at = known.indexOf(one);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}

async function leftOpen(before: readonly string[]): Promise<string[]> {
  // A closed handle lingers for a turn or two of the event loop; a killed process, for some milliseconds.
  for (let turn = 0; turn < 3 && openedSince(before).length > 0; turn += 1) await nextTurn();
  const deadline = now() + SETTLE_MS_MAX;
  while (openedSince(before).length > 0 && now() < deadline) await pause();
  return openedSince(before);
}

let running = 0;
let overlaps = 0;

beforeEach(({ onTestFinished }) => {
  running += 1;
  if (running > 1) overlaps += 1;
  const before = census();
  const overlapsBefore = overlaps;
  // Clean-ups run last in, first out, so this one, the first, looks when all others are done.
  onTestFinished(async () => {
    const isAlone = running === 1 && overlaps === overlapsBefore;
    running -= 1;
    // Of tests that run at the same time, nobody can tell which one opened what.
    const left = isAlone ? await leftOpen(before) : [];
    if (left.length > 0) throw new Error(`left open by this test: ${left.join(', ')}`);
  });
});
