import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashToHex } from '../../src/base/hash.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import { ReferenceModel } from './reference-model.ts';
import { play, SMALL_LIMITS, story, write } from './stories.ts';

const FIXTURE = new URL('./fixtures/digests.txt', import.meta.url);
const SEED = 20_261_126;

/** The digest after each of these stories, the second half of it played by a machine that was restored in between. */
function digests(): string {
  const stories = fc.sample(story, { seed: SEED, numRuns: 60 });
  const lines = stories.map((steps, at) => {
    const batches = write(steps, new ReferenceModel(SMALL_LIMITS));
    const half = Math.floor(batches.length / 2);
    const { machine } = play(batches.slice(0, half));
    const restorer = new MachineRestorer(SMALL_LIMITS, at);
    for (const item of machine.capture().items()) restorer.add(item);
    const restored = restorer.finish();
    for (const batch of batches.slice(half)) restored.apply(batch, { replies: [], events: [] });
    return `${hashToHex(restored.digest)} ${restored.revision}`;
  });
  return `${lines.join('\n')}\n`;
}

test('the same logs give the same digests on every version of Node, and through snapshots', () => {
  const found = digests();
  // A change of what applying means changes these: then every replica has to change at once (MACHINE_VERSION).
  if (process.env['UPDATE'] !== undefined) writeFileSync(FIXTURE, found);
  expect(found).toBe(readFileSync(FIXTURE, 'utf8'));
});
