import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DiskImage } from '../../jepsen-lite/disk-image.ts';
import type { End } from '../../jepsen-lite/end.ts';
import { inject } from '../../jepsen-lite/injection.ts';
import { DISK_FAULTS } from '../../jepsen-lite/nemeses/disks.ts';
import type { Field } from '../../jepsen-lite/nemeses/fault.ts';
import type { Site } from '../../jepsen-lite/site.ts';
import { system } from '../../jepsen-lite/system.ts';
import { findTools } from '../../jepsen-lite/tools.ts';
import { must } from '../../src/base/assert.ts';

const { noInjection, noImages } = await findTools(tmpdir());

/** Writes and syncs a file again and again, and prints what came of it. */
const WRITER = `
import { open } from 'node:fs/promises';
const file = await open(process.argv[1], 'w');
for (;;) {
  const said = await file.write('a').then(() => file.datasync()).then(() => 'ok', ({ code }) => code);
  console.log(said);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
`;

let folder: string;
let writer: ChildProcess;
let said: string[];

const newest = (): string => said.at(-1) ?? '';

/** Into the writer, about these files of the folder. */
async function injected(
  calls: readonly string[],
  what: string,
  files: readonly string[] = [],
): Promise<End> {
  const paths = files.map((name) => join(folder, name));
  return must(await inject(writer.pid ?? 0, calls, what, paths), 'strace has hold of it');
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-disks-'));
  said = [];
  const args = ['--input-type=module', '-e', WRITER, join(folder, 'file')];
  writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  writer.stdout?.on('data', (chunk) => said.push(...String(chunk).trim().split('\n')));
  await vi.waitFor(() => expect(newest()).toBe('ok'), 20_000);
});

afterEach(async () => {
  const gone = new Promise((resolve) => writer.once('close', resolve));
  writer.kill('SIGKILL');
  await gone;
  await rm(folder, { recursive: true, force: true });
});

test('a replica that ends while strace takes hold of it has done right, and is started again', async () => {
  const ended = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await new Promise((resolve) => ended.once('close', resolve));
  const done: string[] = [];
  const siteThat = (isUp: boolean): Site =>
    ({
      ...{ id: 2, pid: ended.pid, isUp },
      excuse: () => done.push('excused'),
      revive: () => done.push('started again'),
      mayEnd: () => {},
    }) as unknown as Site;
  const field = {} as Field;
  const struck = await DISK_FAULTS['disk-error'].begin(field, siteThat(false));
  expect([struck?.sites, done]).toEqual([[2], ['excused']]);
  await struck?.end();
  expect(done).toEqual(['excused', 'started again']);
  expect(await DISK_FAULTS['disk-error'].begin(field, siteThat(true))).toBeUndefined();
});

test.skipIf(noInjection !== undefined)(
  'a sync of a running process fails from the beginning of the fault to its end (needs strace)',
  { timeout: 60_000 },
  async () => {
    const end = await injected(['fdatasync', 'fsync'], 'error=EIO');
    await vi.waitFor(() => expect(newest()).toBe('EIO'), 20_000);
    await end();
    await vi.waitFor(() => expect(newest()).toBe('ok'), 20_000);
  },
);

test.skipIf(noInjection !== undefined)(
  'a full disk is full for the files that are named, and for no others (needs strace)',
  { timeout: 60_000 },
  async () => {
    const other = await injected(['write', 'pwrite64'], 'error=ENOSPC', ['other']);
    const before = said.length;
    await vi.waitFor(() => expect(said.length).toBeGreaterThan(before + 5), 20_000);
    expect(said.slice(before)).not.toContain('ENOSPC');
    await other();
    const end = await injected(['write', 'pwrite64'], 'error=ENOSPC', ['file']);
    await vi.waitFor(() => expect(newest()).toBe('ENOSPC'), 20_000);
    await end();
  },
);

test('no fault is made of a process that is not there', async () => {
  expect(await inject(2 ** 22 - 1, ['fsync'], 'error=EIO')).toBeUndefined();
});

test.skipIf(noImages !== undefined)(
  'a power cut takes what was not synced, and leaves what was (needs root and loop devices)',
  { timeout: 60_000 },
  async () => {
    const place = join(folder, 'disk');
    const disk = await DiskImage.make(place);
    const write = `
      const { openSync, writeSync, fsyncSync } = require('node:fs');
      for (const name of ['synced', 'lost']) {
        const file = openSync(process.argv[1] + '/' + name, 'w');
        writeSync(file, name);
        if (name === 'synced') fsyncSync(file);
      }
      console.log('written');
      setInterval(() => {}, 1_000);`;
    const [first = '', ...args] = [...disk.command, process.execPath, '-e', write, place];
    const child = spawn(first, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await disk.catchSynced();
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
    await disk.cutPower();
    const left = await system([...disk.command, 'sh', '-c', 'cat "$0"/synced; ls "$0"', place]);
    expect(left.split('\n')).toEqual(['syncedsynced', '']);
  },
);
