import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isJournaled } from '../../../cli/commands/process-io.ts';

test('the journal of systemd is known by what JOURNAL_STREAM names, not by its being set', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-journal-'));
  const file = openSync(join(folder, 'stderr'), 'w');
  const other = openSync(join(folder, 'other'), 'w');
  try {
    const { dev, ino } = fstatSync(file, { bigint: true });
    const env = { JOURNAL_STREAM: `${dev}:${ino}` };
    expect(isJournaled(env, file)).toBe(true);
    expect(isJournaled(env, other)).toBe(false);
    expect(isJournaled({}, file)).toBe(false);
    expect(isJournaled({ JOURNAL_STREAM: '' }, file)).toBe(false);
  } finally {
    closeSync(file);
    closeSync(other);
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a standard error that is closed is no journal', () => {
  expect(isJournaled({ JOURNAL_STREAM: '1:2' }, 1_000_000)).toBe(false);
});
