import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Handling } from '../../../cli/trend/handling.ts';
import { ThreadTimes } from '../../../cli/trend/thread-times.ts';

const knowsThreads = existsSync('/proc/thread-self/schedstat');

function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) Math.sqrt(end);
}

describe('the time of frames', () => {
  it('is told with samples and frames, and not at all when none came', () => {
    expect(new Handling().summary()).toEqual([]);
    const handling = new Handling();
    for (let frame = 0; frame < 3; frame += 1) {
      handling.begin();
      work(1);
      handling.end(100);
    }
    const [judged, own, cores] = handling.summary();
    expect(judged).toMatch(/^300 samples judged in 3 frames: a frame p50 \d+\.\d+ ms/);
    expect(own).toMatch(
      /^without waiting for a core: a frame p50 .*; over 1 ms [0-3], of the first 100 [0-3]$/,
    );
    expect(cores).toMatch(/^on a core \d+\.\d s, waited for one \d+\.\d s$/);
  });

  it.skipIf(!knowsThreads)('of a thread grows while it works (needs the kernel to tell)', () => {
    const times = new ThreadTimes();
    const before = times.ranNs;
    // The kernel brings it up to date at its own ticks.
    for (let tries = 0; times.ranNs <= before && tries < 1_000; tries += 1) {
      work(5);
      times.look();
    }
    expect(times.ranNs).toBeGreaterThan(before);
    times.close();
  });
});
