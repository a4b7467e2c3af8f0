import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { recordings } from '../../bench/measure/recordings.ts';
import { programPath } from '../../cli/local/program.ts';

const DATA = recordings('bidmc');
const hasData = existsSync(DATA);

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the compiled program as a user would. */
function tocsin(...argv: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [programPath(), ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}

describe('the 27 recorded patients', () => {
  if (!hasData) process.stderr.write(`SKIPPED: no recordings in ${DATA}\n`);

  test.skipIf(!hasData).each([
    ['', []],
    [', with the leader killed after 5,000 rows', ['--kill-leader-after', '5000']],
  ])(
    'give exactly the expected alarms, line for line%s',
    async (_, flags) => {
      const folder = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      const out = join(folder, 'alarms.csv');
      const { status, stdout, stderr } = await tocsin(
        ...['replay', DATA, '--local', '--json', '--no-progress', '--out', out, ...flags],
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const expected = await readFile(join(DATA, 'expected-limit-alarms.csv'), 'utf8');
      expect((await readFile(out, 'utf8')).split('\n')).toEqual(expected.split(/\r?\n/));
      const summary: Record<string, unknown> = JSON.parse(stdout);
      expect(summary).toMatchObject({
        rows: 27 * 481,
        lost: 0,
        duplicated: 0,
        failed: 0,
        unknown: 0,
        digestsEqual: true,
      });
      if (flags.length > 0) expect(summary['failoverMs']).toBeLessThan(3_000);
      else expect(summary['failoverMs']).toBeNull();
    },
    60_000,
  );
});
