import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import { FOLLOWERS_MAX } from '../../src/base/limits.ts';
import type { AlertLimits } from '../../src/statemachine/alert-limits.ts';
import type { WardCommand } from '../../src/statemachine/beside/ward.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import type { PartCommand, TransactionCommand } from '../../src/statemachine/transaction.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { packed } from './packing.ts';
import { ReferenceModel } from './reference-model.ts';
import { bare, SMALL_LIMITS, submit } from './stories.ts';
import { wardDeed } from './ward-stories.ts';

const asked = { actor: 'adt', observedAt: unixMillis(1) };
const bed = (bed: string) => ({ unit: 'icu', bed });

/** A house with two beds, a patient in the first, and a monitor at it. */
function house(limits: Partial<AlertLimits> = {}): Bench {
  const bench = new Bench(limits);
  const commands: WardCommand[] = [
    { type: 'set-bed', ...bed('1'), ...asked },
    { type: 'set-bed', ...bed('2'), ...asked },
    { type: 'attach-device', device: 'mon', ...bed('1'), ...asked },
    { type: 'admit-patient', patient: 'p', ...bed('1'), ...asked },
  ];
  for (const command of commands) expect(bench.do(command)).toMatchObject({ effect: 'kept' });
  return bench;
}

const dedupKey = fc.constantFrom('k1', 'k2', 'k3', 'k4');
const subject = fc.constantFrom(
  { device: 'm1' },
  { device: 'm2' },
  { patient: 'p1' },
  { bed: '1' },
);
const alertCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({ dedupKey, subject, priority: fc.constantFrom('high' as const, 'low' as const) })
      .map((one) => raise(one)),
  },
  { weight: 1, arbitrary: dedupKey.map((key) => clear({ target: { dedupKey: key } })) },
  { weight: 1, arbitrary: dedupKey.map((key) => acknowledge({ target: { dedupKey: key } })) },
);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: wardDeed.map((deed) => ({ ...deed, ...asked }) as Command) },
  { weight: 2, arbitrary: alertCommand },
);

test('people and things are where the plain model says, and so is what their alerts are about, over restarts too', () => {
  const effects = new Map<string, number>();
  const beds = ['1', '2', '3'].map(
    (name): Command => ({ type: 'set-bed', unit: 'icu-1', bed: name, ...asked }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60, size: 'max' }), fc.nat(60), (drawn, restart) => {
      let machine = new AlertMachine(SMALL_LIMITS, packed());
      const model = new ReferenceModel(SMALL_LIMITS);
      for (const [at, one] of [...beds, ...drawn].entries()) {
        if (at === restart) {
          const restorer = new MachineRestorer(SMALL_LIMITS, packed());
          for (const item of machine.capture().items()) restorer.add(item);
          machine = restorer.finish();
        }
        const submissions = [submit(`${at}`.padStart(32, '0'), one)];
        const batch = { index: logIndex(at + 1), time: unixMillis(1_000 + at * 100), submissions };
        const out: Applied = { replies: [], events: [] };
        const had = model.events.length;
        machine.apply(batch, out);
        model.begin(batch);
        const expected = submissions.map((each) => model.submit(each));
        expect(out.replies.map(bare)).toEqual(expected);
        expect(out.events).toEqual(model.events.slice(had));
        expect(machine.records('bed').records).toEqual(model.beds);
        expect(machine.records('patient').records).toEqual(model.patients);
        expect(machine.records('device').records).toEqual(model.devices);
        for (const { effect } of out.events) effects.set(effect, (effects.get(effect) ?? 0) + 1);
        const places = model.beds.flatMap(({ patient }) => patient ?? []);
        expect(new Set(places).size).toBe(places.length);
      }
    }),
    { numRuns: 400 },
  );
  for (const effect of ['raised', 'transferred', 'discharged', 'stale'])
    expect(effects.get(effect), effect).toBeGreaterThan(0);
});

const open = ({ machine }: Bench): readonly Alert[] =>
  machine.list({ open: true }, { limit: 1_000 }).alerts;

test('an alert of a device that says nothing else is about the bed and the patient that it is at', () => {
  const bench = house();
  bench.done(raise({ subject: { device: 'mon' } }));
  expect(open(bench)[0]?.subject).toEqual({ unit: 'icu', bed: '1', patient: 'p', device: 'mon' });
  bench.done(raise({ dedupKey: 'other', subject: { device: 'mon', patient: 'q' } }));
  expect(open(bench)[1]?.subject).toEqual({ device: 'mon', patient: 'q' });
});

test('who is moved takes the open alerts along; what a monitor left behind had said is stale', () => {
  const bench = house();
  bench.done(raise({ subject: { device: 'mon' } }));
  const [before] = open(bench);
  bench.do({ type: 'move-patient', patient: 'p', ...bed('2'), devices: [], ...asked });
  const [after] = open(bench);
  expect(after).toMatchObject({ id: before?.id, occurrence: 1, presence: 'present' });
  expect(after?.subject).toMatchObject({ bed: '2', patient: 'p' });
  expect(after?.staleSince).toBeDefined();
  expect(bench.out.events.map(({ effect }) => effect)).toEqual(['raised', 'transferred', 'stale']);
});

test('a monitor that goes along goes on measuring', () => {
  const bench = house();
  bench.done(raise({ subject: { device: 'mon' } }));
  bench.do({ type: 'move-patient', patient: 'p', ...bed('2'), devices: ['mon'], ...asked });
  expect(open(bench)[0]?.staleSince).toBeUndefined();
  expect(bench.machine.records('device').records[0]?.place).toEqual(bed('2'));
});

test('nobody is in two beds, and no bed has two patients', () => {
  const bench = house();
  const admit = (patient: string, to: string) =>
    bench.do({ type: 'admit-patient', patient, ...bed(to), ...asked });
  expect(admit('p', '2')).toMatchObject({ code: 'CONFLICT' });
  expect(admit('q', '1')).toMatchObject({ code: 'CONFLICT' });
  expect(admit('q', '9')).toMatchObject({ code: 'RECORD_NOT_FOUND' });
  expect(admit('q', '2')).toMatchObject({ effect: 'kept' });
  const to1 = { type: 'move-patient', patient: 'q', ...bed('1'), devices: [], ...asked } as const;
  expect(bench.do(to1)).toMatchObject({ code: 'CONFLICT' });
});

test('a high alert that nobody acknowledged is not discharged without a reason', () => {
  const bench = house();
  bench.done(raise({ priority: 'high', subject: { device: 'mon' } }));
  const leave = { type: 'discharge-patient', patient: 'p', ...asked } as const;
  expect(bench.do(leave)).toMatchObject({ code: 'CONFIRMATION_REQUIRED' });
  expect(open(bench)).toHaveLength(1);
  expect(bench.do({ ...leave, reason: 'to the ward' })).toMatchObject({ effect: 'kept' });
  expect(open(bench)).toEqual([]);
  expect(bench.machine.records('bed').records[0]?.patient).toBeUndefined();
});

test('one beyond those that are looked at is not discharged without a reason either, whatever the machine itself has to say', () => {
  const bench = house();
  bench.do({ type: 'heartbeat', source: 'mon', leaseSeconds: 1, ...asked });
  for (let n = 0; n < FOLLOWERS_MAX; n += 1)
    bench.done(raise({ dedupKey: `k${n}`, priority: 'low', subject: { patient: 'p' } }));
  expect(open(bench)[0]).toMatchObject({ condition: 'SOURCE:LOST', subject: { patient: 'p' } });
  bench.done(raise({ dedupKey: 'loud', priority: 'high', subject: { patient: 'p' } }));
  const leave = { type: 'discharge-patient', patient: 'p', ...asked } as const;
  expect(bench.do(leave)).toMatchObject({ code: 'CONFIRMATION_REQUIRED' });
});

test('very many alerts follow their patient a bounded number at a time, by the log’s own time', () => {
  const effortPerEntryMax = 64;
  const bench = house({ effortPerEntryMax });
  const count = effortPerEntryMax * 2 + 10;
  for (let n = 0; n < count; n += 1)
    bench.done(raise({ dedupKey: `k${n}`, priority: 'low', subject: { patient: 'p' } }));
  bench.do({ type: 'discharge-patient', patient: 'p', ...asked });
  const left = open(bench).length;
  expect(count - left).toBeLessThanOrEqual(effortPerEntryMax);
  const again = { type: 'admit-patient', patient: 'p', ...bed('2'), ...asked } as const;
  expect(bench.do(again)).toMatchObject({ code: 'CONFLICT' });
  // The refused command was an entry too, which took the next slice along.
  expect(open(bench).length).toBeLessThan(left);
  while (bench.machine.nextDue < Number.POSITIVE_INFINITY) {
    const before = open(bench).length;
    bench.at(bench.machine.nextDue);
    expect(before - open(bench).length).toBeLessThanOrEqual(effortPerEntryMax);
  }
  expect(open(bench)).toEqual([]);
  expect(bench.do(again)).toMatchObject({ effect: 'kept' });
});

describe('together', () => {
  const q = { type: 'admit-patient', patient: 'q', ...bed('2'), ...asked } as const;
  const together = (...commands: readonly PartCommand[]): TransactionCommand => ({
    type: 'transaction',
    guards: [],
    commands,
    ...asked,
  });
  const move = (patient: string, to: string, ...devices: readonly string[]): WardCommand => ({
    type: 'move-patient',
    patient,
    ...bed(to),
    devices,
    ...asked,
  });
  const whereabouts = ({ machine }: Bench) =>
    machine.records('bed').records.map(({ id, patient }) => `${id} ${patient}`);

  test('two patients change places, their monitors and alerts with them', () => {
    const bench = house();
    bench.do(q);
    bench.done(raise({ subject: { device: 'mon' } }));
    expect(bench.do(move('p', '2'))).toMatchObject({ code: 'CONFLICT' });
    expect(bench.do(together(move('p', '2', 'mon'), move('q', '1')))).toMatchObject({ ok: true });
    expect(whereabouts(bench)).toEqual(['icu/1 q', 'icu/2 p']);
    expect(open(bench)[0]).toMatchObject({
      subject: { bed: '2', patient: 'p', device: 'mon' },
      staleSince: undefined,
    });
  });

  test('a new bed with its monitor and its patient is there at once, and what the monitor says is about them', () => {
    const bench = house();
    const reply = bench.do(
      together(
        { type: 'set-bed', ...bed('3'), ...asked },
        { type: 'attach-device', device: 'mon3', ...bed('3'), ...asked },
        { ...q, ...bed('3') },
        raise({ subject: { device: 'mon3' } }),
      ),
    );
    expect(reply).toMatchObject({ ok: true });
    expect(open(bench)[0]?.subject).toEqual({ ...bed('3'), patient: 'q', device: 'mon3' });
  });

  test.each<[string, string, readonly PartCommand[]]>([
    ['a bed that is taken', 'CONFLICT', [q, { ...q, patient: 'r' }]],
    ['a patient twice', 'BAD_REQUEST', [q, move('q', '1')]],
    ['a bed that two go to', 'CONFLICT', [move('p', '2'), q]],
    ['who stays where somebody comes', 'CONFLICT', [{ ...q, ...bed('1') }, move('p', '1')]],
    [
      'a bed removed under its patient',
      'CONFLICT',
      [{ type: 'remove-bed', ...bed('1'), ...asked }],
    ],
    [
      'a bed removed under a device that just came to it',
      'CONFLICT',
      [
        { type: 'attach-device', device: 'pump', ...bed('2'), ...asked },
        { type: 'remove-bed', ...bed('2'), ...asked },
      ],
    ],
  ])('%s: %s, and nothing is done', (_what, code, commands) => {
    const bench = house();
    const before = whereabouts(bench);
    expect(bench.do(together(raise({ subject: { bed: '9' } }), ...commands))).toMatchObject({
      code,
    });
    expect(whereabouts(bench)).toEqual(before);
    expect(open(bench)).toEqual([]);
  });

  test('a bed goes with the last device that was at it', () => {
    const bench = house();
    const removal = { type: 'remove-bed', ...bed('1'), ...asked } as const;
    const leave = { type: 'discharge-patient', patient: 'p', ...asked } as const;
    bench.do({ type: 'attach-device', device: 'pump', ...bed('1'), ...asked });
    const detach = (device: string) => ({ type: 'detach-device', device, ...asked }) as const;
    expect(bench.do(together(leave, detach('mon'), removal))).toMatchObject({ code: 'CONFLICT' });
    const all = together(leave, detach('mon'), detach('pump'), removal);
    expect(bench.do(all)).toMatchObject({ ok: true });
    expect(whereabouts(bench)).toEqual(['icu/2 undefined']);
  });

  test('no command is about an alert that a patient takes along', () => {
    const bench = house();
    bench.done(raise({ subject: { patient: 'p' } }));
    const reply = bench.do(together(acknowledge(), move('p', '2')));
    expect(reply).toMatchObject({ code: 'BAD_REQUEST' });
    expect(bench.do(together(move('p', '2'), acknowledge()))).toMatchObject({
      code: 'BAD_REQUEST',
    });
  });

  test('a device is detached together with commands about its alerts that this does not mark, and with no others', () => {
    const bench = house();
    const detach = { type: 'detach-device', device: 'mon', ...asked } as const;
    const subject = { device: 'mon' };
    bench.done(raise({ dedupKey: 'measured', subject }));
    bench.done(raise({ dedupKey: 'battery', kind: 'technical', subject }));
    const ends = (dedupKey: string) => clear({ target: { dedupKey } });
    expect(bench.do(together(ends('measured'), detach))).toMatchObject({ code: 'BAD_REQUEST' });
    expect(bench.do(together(detach, ends('measured')))).toMatchObject({ code: 'BAD_REQUEST' });
    expect(bench.do(together(detach, ends('battery')))).toMatchObject({ ok: true });
  });

  test('a discharge ends no high alert without a reason, also not one that came with it', () => {
    const bench = house();
    const loud = raise({ priority: 'high', subject: { patient: 'p' } });
    const leave = { type: 'discharge-patient', patient: 'p', ...asked } as const;
    expect(bench.do(together(loud, leave))).toMatchObject({ ok: true });
    expect(open(bench)).toHaveLength(1);
  });

  test.each([
    ['bed', 'icu/1', 2],
    ['patient', 'p', 1],
    ['device', 'mon', 1],
    ['device', 'unknown', 0],
  ] as const)(
    'a guard holds for the %s %s at version %i, and for no other',
    (record, id, version) => {
      const bench = house();
      const guarded = { ...together(q), guards: [{ record, id, version: version + 1 }] };
      expect(bench.do(guarded)).toMatchObject({ code: 'GUARD_FAILED' });
      expect(bench.do({ ...guarded, guards: [{ record, id, version }] })).toMatchObject({
        ok: true,
      });
    },
  );
});
