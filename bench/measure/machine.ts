import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { Latencies, type LatencySummary } from './latencies.ts';

/** The machine a run was made on, and the two times that nothing durable and agreed can beat. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly platform: string;
  /** Runnable processes over the last minute, before the run: what else went on. */
  readonly load: number;
  /** Appending 256 bytes to a file and fdatasync, one after another, in the folder that replicas use. */
  readonly syncMs: LatencySummary;
  /** 64 bytes to another socket of this process over the loopback and back. */
  readonly roundTripMs: LatencySummary;
}

const SYNCS = 300;
const ROUND_TRIPS = 2_000;
const PAYLOAD_BYTES = 256;
const PING_BYTES = 64;

export async function measureMachine(): Promise<Machine> {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    syncMs: await measureSync(),
    roundTripMs: await measureRoundTrip(),
  };
}

async function measureSync(): Promise<LatencySummary> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const file = await open(join(folder, 'probe'), 'a');
  const latencies = new Latencies();
  try {
    const payload = Buffer.alloc(PAYLOAD_BYTES, 1);
    for (let n = 0; n < SYNCS; n += 1) {
      const began = performance.now();
      await file.write(payload);
      await file.datasync();
      latencies.add(performance.now() - began);
    }
  } finally {
    await file.close();
    await rm(folder, { recursive: true, force: true });
  }
  return latencies.summary();
}

async function measureRoundTrip(): Promise<LatencySummary> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.setNoDelay(true);
  const latencies = new Latencies();
  try {
    await once(socket, 'connect');
    const ping = Buffer.alloc(PING_BYTES, 1);
    for (let n = 0; n < ROUND_TRIPS; n += 1) {
      const began = performance.now();
      socket.write(ping);
      await once(socket, 'data');
      latencies.add(performance.now() - began);
    }
  } finally {
    socket.destroy();
    server.close();
  }
  return latencies.summary();
}
