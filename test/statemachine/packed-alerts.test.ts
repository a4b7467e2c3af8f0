import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../src/statemachine/commands.ts';
import type { Layout } from '../../src/statemachine/layout.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import { packed } from './packing.ts';
import { ReferenceModel } from './reference-model.ts';
import { SMALL_LIMITS, story, write } from './stories.ts';

const restored = (machine: AlertMachine, layout: Layout): AlertMachine => {
  const restorer = new MachineRestorer(SMALL_LIMITS, layout);
  for (const item of machine.capture().items()) restorer.add(item);
  return restorer.finish();
};

function step(machine: AlertMachine, batch: Batch): unknown {
  const out: Applied = { replies: [], events: [] };
  machine.apply(batch, out);
  const { digest, revision, openCount, resolvedCount } = machine;
  return { ...out, digest, revision, openCount, resolvedCount };
}

const lookedUp = (machine: AlertMachine, alerts: readonly Alert[]): unknown =>
  alerts.flatMap(({ id, dedupKey }) => [machine.get({ id }), machine.get({ dedupKey })]);

test('a machine says and does the same, however few of its alerts are objects, and whenever they became bytes', () => {
  fc.assert(
    fc.property(story, fc.integer({ min: 1, max: 4 }), fc.nat(30), (steps, unpackedMax, cut) => {
      const plain = new AlertMachine(SMALL_LIMITS);
      let other = new AlertMachine(SMALL_LIMITS, packed(1, unpackedMax));
      let capture = other.capture();
      let expected = [...plain.capture().items()];
      for (const [at, batch] of write(steps, new ReferenceModel(SMALL_LIMITS)).entries()) {
        // As a restart does: then all of them are bytes.
        if (at === cut) other = restored(other, packed(2, unpackedMax));
        expect(step(other, batch)).toEqual(step(plain, batch));
        const { alerts } = plain.list({}, { limit: 1_000 });
        expect(other.list({}, { limit: 1_000 }).alerts).toEqual(alerts);
        expect(lookedUp(other, alerts)).toEqual(lookedUp(plain, alerts));
        if (at % 7 !== 0) continue;
        // What was captured some batches ago is what it was, whatever was packed and unpacked since.
        expect([...capture.items()]).toEqual(expected);
        capture = other.capture();
        expected = [...plain.capture().items()];
      }
    }),
    { numRuns: 300 },
  );
});
