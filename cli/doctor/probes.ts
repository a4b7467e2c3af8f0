import { createSocket } from 'node:dgram';
import { access, constants, open, readFile, rm, statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

/** Measurements of this machine, without opinions. */
export interface Measured {
  /** Major, minor, patch. */
  readonly node: readonly number[];
  /** Milliseconds that 4 KiB take to be written and synced, as the log does. */
  readonly sync: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly count: number;
  };
  /** The longest time in which the loop of this process did nothing else, in milliseconds. */
  readonly stallMs: number;
  /** How far the wall clock moved against the monotonic one meanwhile, in milliseconds. */
  readonly clockStepMs: number;
  /** Against the time server; undefined = none was named. */
  readonly clock:
    | { readonly server: string; readonly offsetMs: number }
    | { readonly server: string; readonly problem: string }
    | undefined;
  readonly freeBytes: number;
  readonly freeMemoryBytes: number;
  readonly memoryBytes: number;
  /** Files that this process may open; undefined = not known here. */
  readonly openFilesMax: number | undefined;
}

const SYNC_BYTES = 4_096;
const NANOS = 1_000_000;
const NTP_MS_MAX = 2_000;
/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_EPOCH_SECONDS = 2_208_988_800;

export interface MeasureOptions {
  /** On the disk that is to hold the data. */
  readonly folder: string;
  readonly durationMs: number;
  /** `host` or `host:port`. */
  readonly timeServer: string | undefined;
}

export async function measure({
  folder,
  durationMs,
  timeServer,
}: MeasureOptions): Promise<Measured> {
  const loop = monitorEventLoopDelay({ resolution: 1 });
  const [wall, monotonic] = [Date.now(), performance.now()];
  loop.enable();
  const sync = await measureSync(folder, durationMs);
  loop.disable();
  const clockStepMs = Date.now() - wall - (performance.now() - monotonic);
  const { bavail, bsize } = await statfs(folder);
  return {
    node: process.versions.node.split('.').map(Number),
    sync,
    stallMs: loop.max / NANOS,
    clockStepMs,
    clock: timeServer === undefined ? undefined : await askTime(timeServer),
    freeBytes: bavail * bsize,
    freeMemoryBytes: freemem(),
    memoryBytes: totalmem(),
    openFilesMax: await openFilesMax(),
  };
}

async function measureSync(folder: string, durationMs: number): Promise<Measured['sync']> {
  await access(folder, constants.W_OK);
  const path = join(folder, `.tocsin-doctor-${process.pid}`);
  const file = await open(path, 'w');
  const histogram = createHistogram();
  const bytes = new Uint8Array(SYNC_BYTES).fill(0x5a);
  const end = performance.now() + durationMs;
  try {
    do {
      const started = performance.now();
      await file.write(bytes);
      await file.datasync();
      histogram.record(Math.max(1, Math.round((performance.now() - started) * NANOS)));
      await pause(0);
    } while (performance.now() < end);
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
  const at = (percentile: number): number => histogram.percentile(percentile) / NANOS;
  return { p50: at(50), p99: at(99), max: histogram.max / NANOS, count: histogram.count };
}

/** The limit of this process, where the system shows it. */
async function openFilesMax(): Promise<number | undefined> {
  try {
    const limits = await readFile('/proc/self/limits', 'utf8');
    const [, soft] = /^Max open files +(\d+)/m.exec(limits) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** One question of SNTP (RFC 4330): how far this clock is behind the server's. */
async function askTime(server: string): Promise<NonNullable<Measured['clock']>> {
  const [host = '', port = '123'] = server.split(':');
  const socket = createSocket('udp4');
  try {
    const request = new Uint8Array(48);
    request[0] = 0x23; // version 4, client
    const sent = Date.now();
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no answer in ${NTP_MS_MAX} ms`)),
        NTP_MS_MAX,
      );
      socket.once('message', (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.send(request, Number(port), host, (error) => {
        if (error !== null) socket.emit('error', error);
      });
    });
    const arrived = Date.now();
    if (answer.length < 48) throw new Error('the answer is too short');
    const offsetMs = (timestamp(answer, 32) - sent + (timestamp(answer, 40) - arrived)) / 2;
    return { server, offsetMs };
  } catch (error) {
    return { server, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    socket.close();
  }
}

/** Milliseconds since 1970. */
const timestamp = (bytes: Buffer, at: number): number =>
  (bytes.readUInt32BE(at) - NTP_EPOCH_SECONDS + bytes.readUInt32BE(at + 4) / 2 ** 32) * 1_000;
