import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AlertCodec } from '../../src/statemachine/alerts/packed-alerts.ts';
import type { Batch } from '../../src/statemachine/commands.ts';
import type { Layout } from '../../src/statemachine/layout.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import type { Alert, AlertFilter } from '../../src/statemachine/types.ts';
import { AlertPacker } from '../../src/wire/log/alert-packer.ts';
import { Bench, raise } from './commands.ts';
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

test('a list decodes whole what is on its pages, and of what a look rules out no more', () => {
  const codec = new AlertPacker();
  let decoded = 0;
  const counting: AlertCodec = {
    encode: (alert) => codec.encode(alert),
    get encoded() {
      return codec.encoded;
    },
    decode: (bytes, from, to) => {
      decoded += 1;
      return codec.decode(bytes, from, to);
    },
    dedupKeyOf: codec.dedupKeyOf,
    glanceAt: codec.glanceAt,
  };
  const packing = { unpackedMax: 1, slabBytes: 2_048, codec: counting };
  const bench = new Bench({}, { seed: 0, packing });
  const { machine } = bench;
  for (let n = 0; n < 64; n += 1)
    bench.do(raise({ dedupKey: `${n}`, subject: { bed: `B${n % 8}` } }));
  decoded = 0;
  const filter: AlertFilter = { bed: 'B3', states: ['ACTIVE_UNACK'] };
  expect(machine.list(filter).alerts).toHaveLength(8);
  expect(decoded).toBe(8);
  expect([...machine.view().matching(filter)].filter((one) => one !== undefined)).toHaveLength(8);
  expect(decoded).toBe(16);
});
