import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Measured, measure } from '../../../cli/doctor/probes.ts';
import { verdictsOf } from '../../../cli/doctor/verdicts.ts';
import { runIn } from '../commands/world.ts';

const GIB = 2 ** 30;

const GOOD: Measured = {
  node: [24, 21, 0],
  sync: { p50: 0.8, p99: 3, max: 5, count: 500 },
  stallMs: 12,
  clockStepMs: 0.1,
  clock: { server: 'ntp', offsetMs: 3 },
  freeBytes: 100 * GIB,
  freeMemoryBytes: 4 * GIB,
  memoryBytes: 8 * GIB,
  openFilesMax: 65_536,
};

const isOf = (changes: Partial<Measured>, what: string): string | undefined =>
  verdictsOf({ ...GOOD, ...changes }).find((one) => one.what === what)?.is;

describe('a machine', () => {
  test('that is good passes in everything', () => {
    expect(verdictsOf(GOOD).filter(({ is }) => is !== 'PASS')).toEqual([]);
  });

  test.each<readonly [string, Partial<Measured>, string]>([
    ['Node.js', { node: [20, 19, 0] }, 'WARN'],
    ['Node.js', { node: [20, 18, 1] }, 'FAIL'],
    ['sync, usual', { sync: { ...GOOD.sync, p50: 8 } }, 'WARN'],
    ['sync, usual', { sync: { ...GOOD.sync, p50: 60 } }, 'FAIL'],
    ['sync, slow', { sync: { ...GOOD.sync, p99: 40 } }, 'WARN'],
    ['sync, slow', { sync: { ...GOOD.sync, p99: 400 } }, 'FAIL'],
    ['event loop', { stallMs: 600 }, 'FAIL'],
    ['clock, steady', { clockStepMs: -80 }, 'WARN'],
    ['clock, right', { clock: undefined }, 'WARN'],
    ['clock, right', { clock: { server: 'ntp', problem: 'no answer' } }, 'WARN'],
    ['clock, right', { clock: { server: 'ntp', offsetMs: -6_000 } }, 'FAIL'],
    ['disk space', { freeBytes: GIB / 2 }, 'FAIL'],
    ['memory', { memoryBytes: 1.5 * GIB }, 'WARN'],
    ['open files', { openFilesMax: 256 }, 'FAIL'],
    ['open files', { openFilesMax: undefined }, 'WARN'],
  ])('is judged by its %s: %j is %s', (what, changes, is) => {
    expect(isOf(changes, what)).toBe(is);
  });
});

describe('measuring', () => {
  let folder = '';
  let server: Socket;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tocsin-doctor-'));
    server = createSocket('udp4');
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('tells what there is, and leaves nothing behind', async () => {
    const measured = await measure({ folder, durationMs: 50, timeServer: undefined });

    expect(measured.sync.count).toBeGreaterThan(0);
    expect(measured.sync.p50).toBeGreaterThan(0);
    expect(measured.sync.max).toBeGreaterThanOrEqual(measured.sync.p50);
    expect(measured.freeBytes).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('finds how far a time server is ahead', async () => {
    const AHEAD_MS = 7_000;
    server.on('message', (_message, from) => {
      const answer = Buffer.alloc(48);
      const seconds = (Date.now() + AHEAD_MS) / 1_000 + 2_208_988_800;
      for (const at of [32, 40]) {
        answer.writeUInt32BE(Math.floor(seconds), at);
        answer.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), at + 4);
      }
      server.send(answer, from.port, from.address);
    });
    const timeServer = `127.0.0.1:${server.address().port}`;
    const { clock } = await measure({ folder, durationMs: 1, timeServer });

    expect(clock).toMatchObject({ server: timeServer });
    const offset = clock !== undefined && 'offsetMs' in clock ? clock.offsetMs : Number.NaN;
    // What it takes there and back is in it, on a busy machine too.
    expect(Math.abs(offset - AHEAD_MS)).toBeLessThan(2_000);
  });

  test('is a table of verdicts', async () => {
    const { stdout, stderr } = await runIn({}, 'doctor', '--data', folder, '--duration', '20ms');

    expect(stderr).toBe('');
    expect(stdout).toMatch(/^VERDICT +WHAT +FOUND +WANTED\n/);
    expect(stdout).toMatch(/\n(PASS|WARN|FAIL) +sync, usual +[\d.]+ ms/);
  });

  test('of a folder that is not there is refused', async () => {
    const { status, stderr } = await runIn({}, 'doctor', '--data', join(folder, 'no'));

    expect(status).toBe(2);
    expect(stderr).toContain('cannot be measured');
  });
});
