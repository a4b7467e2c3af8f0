import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './sources.ts';

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Runs the sample in a vitest of its own and returns what that reports. */
async function runSample(): Promise<Report> {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--config', 'test/leaks/vitest.config.ts', '--reporter=json'];
  const env = { ...process.env, SETTLE_MS: '300', NO_COLOR: '1' };
  const text = await new Promise<string>((resolve) => {
    // It fails by intention, so only what it prints counts.
    execFile(process.execPath, args, { cwd: ROOT, env }, (_error, stdout) => resolve(stdout));
  });
  return JSON.parse(text.slice(text.indexOf('{'))) as Report;
}

test('a test that leaves something open fails, and one that closes it passes', async () => {
  const report = await runSample();
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const named = (status: string): string[] =>
    results.filter((result) => result.status === status).map(({ fullName }) => fullName);
  const fails = results.filter(({ fullName }) => fullName.startsWith('leaks '));

  expect(results.length).toBeGreaterThan(12);
  expect(named('failed')).toEqual(
    fails.filter(({ status }) => status !== 'skipped').map(({ fullName }) => fullName),
  );
  for (const { fullName, failureMessages } of fails) {
    expect(failureMessages.join(' '), fullName).toContain('left open by this test');
  }
}, 30_000);
