import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashToHex } from '../../src/base/hash.ts';
import { Prng } from '../../src/base/prng.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import { packed } from './packing.ts';
import { ReferenceModel } from './reference-model.ts';
import { SMALL_LIMITS, story, write } from './stories.ts';

const FIXTURE = new URL('./fixtures/digests.txt', import.meta.url);
const SEED = 20_261_126;
const SNAPSHOT_CHANCE = 0.2;

/** The digest after each of these stories, played by machines that give their state on through snapshots at random points. */
function digests(): string {
  const stories = fc.sample(story, { seed: SEED, numRuns: 60 });
  const prng = new Prng(SEED);
  const lines = stories.map((steps, at) => {
    let machine = new AlertMachine(SMALL_LIMITS);
    for (const batch of write(steps, new ReferenceModel(SMALL_LIMITS))) {
      machine.apply(batch, { replies: [], events: [] });
      if (prng.chance(SNAPSHOT_CHANCE)) machine = restored(machine, at);
    }
    return `${hashToHex(machine.digest)} ${machine.revision}`;
  });
  return `${lines.join('\n')}\n`;
}

function restored(machine: AlertMachine, seed: number): AlertMachine {
  const restorer = new MachineRestorer(SMALL_LIMITS, packed(seed, 2));
  for (const item of machine.capture().items()) restorer.add(item);
  return restorer.finish();
}

test('the same logs give the same digests on every version of Node, and through snapshots', () => {
  const found = digests();
  // A change of what applying means changes these: then every replica has to change at once (MACHINE_VERSION).
  if (process.env['UPDATE'] !== undefined) writeFileSync(FIXTURE, found);
  expect(found).toBe(readFileSync(FIXTURE, 'utf8'));
});
