import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../cli/local/processes.ts';
import { type Harness, startJepsen } from './harness.ts';

const LOAD = ['--time', '600', '--rate', '50', '--minimum', '1', '--json'];
const FAULTS = ['--nemesis', 'pause,isolate,power-cut', '--interval', '0.3', '--lasts', '1'];
const isLinux = process.platform === 'linux';

/** Processes that have to do with the folder, by what they were started with. Linux. */
const processesOf = (folder: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => commandOf(pid))
    .filter((command) => command.includes(folder));

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

const namespacesOf = ({ pid }: Harness): readonly string[] =>
  existsSync('/run/netns')
    ? readdirSync('/run/netns').filter((name) => name.startsWith(`tj${pid}-`))
    : [];

/** Load is under way: somebody listens, and was struck. */
async function withRun(use: (run: Harness, folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-interrupt-'));
  const run = startJepsen([...LOAD, ...FAULTS, '--out', folder]);
  try {
    const printed = join(folder, 'replica-3.out');
    const listens = (): boolean =>
      existsSync(printed) && readFileSync(printed, 'utf8').includes('listens');
    await until('replica 3 listens', listens, 60_000);
    await use(run, folder);
  } finally {
    run.kill('SIGKILL');
    await run.ended;
    await rm(folder, { recursive: true, force: true });
  }
}

test(
  'whoever interrupts a run gets a verdict on what was done, and nothing stays behind',
  {
    timeout: 240_000,
  },
  () =>
    withRun(async (run, folder) => {
      run.kill('SIGINT');
      const { status, printed } = await run.ended;
      const { verdict, why } = JSON.parse(printed);
      expect({ status, verdict, why }).toMatchObject({
        status: verdict === 'valid' ? 0 : 2,
        verdict: expect.stringMatching(/^(valid|VOID)$/),
      });
      expect(existsSync(join(folder, 'report.html'))).toBe(true);
      expect(namespacesOf(run)).toEqual([]);
      if (isLinux) expect(processesOf(folder)).toEqual([]);
    }),
);

test.skipIf(!isLinux)(
  'of a run that is killed no process and no mount stays (Linux: reads /proc)',
  { timeout: 240_000 },
  () =>
    withRun(async (run, folder) => {
      run.kill('SIGKILL');
      await run.ended;
      await until('all have ended', () => processesOf(folder).length === 0, 30_000);
      expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(folder);
    }),
);
