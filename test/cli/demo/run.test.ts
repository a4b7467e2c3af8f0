import { describe, expect, test, vi } from 'vitest';
import type { Reporter } from '../../../cli/demo/reporter.ts';
import { runDemo } from '../../../cli/demo/run.ts';
import { failuresOf } from '../../../cli/demo/summary.ts';

// Processes take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

function listener(
  onStory: (text: string) => void = () => {},
): Reporter & { readonly told: string[]; events: number; closed: number } {
  const reporter = {
    told: [] as string[],
    events: 0,
    closed: 0,
    story: (text: string): void => {
      reporter.told.push(text);
      onStory(text);
    },
    event: (): void => {
      reporter.events += 1;
    },
    open: (scene: () => unknown): void => {
      expect(scene()).toMatchObject({ seed: 5 });
    },
    close: (): void => {
      reporter.closed += 1;
    },
  };
  return reporter;
}

describe('a demo', () => {
  test('survives the death of its leader, and nothing is lost', async () => {
    const reporter = listener();
    const { signal } = new AbortController();
    const result = await runDemo({ beds: 12, seed: 5, durationMs: 2_000, reporter, signal });
    expect(failuresOf(result)).toEqual([]);
    expect(result.account.events).toBeGreaterThan(result.raised);
    expect(result.told.done).toBe(result.account.events);
    expect(reporter.events).toBeGreaterThan(0);
    const story = reporter.told.join('\n');
    for (const part of [
      'SIGKILL',
      'committed again',
      'restarting',
      'caught up',
      'npx tocsin alert list',
    ])
      expect(story).toContain(part);
    expect(reporter.closed).toBe(1);
  });

  test.each(['SIGKILL', 'reading everything back'])(
    'that is stopped at "%s" ends at once, and leaves nothing',
    async (moment) => {
      const stop = new AbortController();
      const reason = new Error('Ctrl-C');
      const reporter = listener((text) => {
        if (text.includes(moment)) stop.abort(reason);
      });
      const { signal } = stop;
      const running = runDemo({ beds: 2, seed: 5, durationMs: 600, reporter, signal });
      await expect(running).rejects.toBe(reason);
      expect(reporter.closed).toBe(1);
    },
  );
});
