import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';
import { Latencies, type LatencySummary } from './latencies.ts';

/**
 * What the machine itself takes beside a load: threads of their own that each do one bare thing, again and again, and
 * nothing of this program's.
 */
export interface Floors {
  /** Appending 256 bytes to a file, and fdatasync. */
  readonly syncMs: LatencySummary;
  /** 64 bytes over the loopback to another thread, and back. */
  readonly roundTripMs: LatencySummary;
  /** How late a thread wakes that sleeps for a millisecond. */
  readonly lateMs: LatencySummary;
}

interface Task {
  readonly does: 'sync' | 'ask' | 'answer' | 'sleep';
  readonly seconds: number;
  /** Where somebody answers. */
  readonly port: number;
}

/** Often enough for a 99.9th percentile of a minute, and too seldom to be a load. */
const EVERY_MS = 20;
const SLEEP_MS = 1;
const SYNC_BYTES = 256;
const PING_BYTES = 64;

export async function measureFloors(seconds: number): Promise<Floors> {
  const answering = start({ does: 'answer', seconds, port: 0 });
  const [port] = (await once(answering, 'message')) as [number];
  const [syncMs, roundTripMs, lateMs] = await Promise.all(
    (['sync', 'ask', 'sleep'] as const).map(async (does) => {
      const [summary] = await once(start({ does, seconds, port }), 'message');
      return summary as LatencySummary;
    }),
  );
  await answering.terminate();
  return { syncMs, roundTripMs, lateMs } as Floors;
}

const start = (task: Task): Worker =>
  new Worker(new URL(import.meta.url), { workerData: { floor: task } });

async function perform({ does, seconds, port }: Task, told: MessagePort): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  if (does === 'answer') told.postMessage(await answer());
  else if (does === 'sleep') told.postMessage(sleep(end));
  else if (does === 'sync') told.postMessage(await sync(end));
  else told.postMessage(await ask(end, port));
}

async function answer(): Promise<number> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function sleep(end: number): LatencySummary {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const late = new Latencies();
  for (let now = performance.now(); now < end; ) {
    Atomics.wait(cell, 0, 0, SLEEP_MS);
    const after = performance.now();
    late.add(after - now - SLEEP_MS);
    now = after;
  }
  return late.summary();
}

async function sync(end: number): Promise<LatencySummary> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-floor-'));
  const file = await open(join(folder, 'probe'), 'a');
  const payload = new Uint8Array(SYNC_BYTES).fill(1);
  try {
    return await timed(end, async () => {
      await file.write(payload);
      await file.datasync();
    });
  } finally {
    await file.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function ask(end: number, port: number): Promise<LatencySummary> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  const ping = new Uint8Array(PING_BYTES).fill(1);
  try {
    await once(socket, 'connect');
    return await timed(end, async () => {
      const answered = once(socket, 'data');
      socket.write(ping);
      await answered;
    });
  } finally {
    socket.destroy();
  }
}

async function timed(end: number, one: () => Promise<void>): Promise<LatencySummary> {
  const all = new Latencies();
  for (let now = performance.now(); now < end; now = performance.now()) {
    await one();
    const after = performance.now();
    all.add(after - now);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, now + EVERY_MS - after)));
  }
  return all.summary();
}

const task = (workerData as { readonly floor?: Task } | null)?.floor;
if (parentPort !== null && task !== undefined) await perform(task, parentPort);
