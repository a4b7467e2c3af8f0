import { describe, expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import { INHIBITIONS_MAX } from '../../src/base/limits.ts';
import {
  DEFAULT_INHIBITIONS,
  type SetInhibitionCommand,
} from '../../src/statemachine/beside/inhibition.ts';
import type { AlertMachine } from '../../src/statemachine/machine.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import { Bench, clear, raise } from './commands.ts';

const asked = { actor: 'charge', observedAt: unixMillis(1) };
const RR = 'phys:p7:mon42:RR:LO';
const OFF = 'tech:mon42:CO2:INOP';

const set = (more: Partial<SetInhibitionCommand> = {}): SetInhibitionCommand => ({
  type: 'set-inhibition',
  id: 'co2-off',
  sources: ['CO2:INOP'],
  targets: ['CO2:', 'RR:'],
  ...asked,
  ...more,
});

/** A machine with a low respiration rate, and a capnograph that is off, of one device or of two. */
function off(device = 'mon42'): Bench {
  const bench = new Bench();
  bench.done(raise({ dedupKey: RR, condition: 'RR:LO' }));
  bench.done(
    raise({ dedupKey: OFF, condition: 'CO2:INOP', kind: 'technical', subject: { device } }),
  );
  return bench;
}

function isInhibited(machine: AlertMachine): boolean {
  const alert = machine.get({ dedupKey: RR });
  return alert !== undefined && machine.badgesOf(alert)?.inhibitedBy.length === 1;
}

const effects = (bench: Bench): string[] => bench.out.events.map(({ effect }) => effect);

describe('rules of inhibition', () => {
  test('a new cluster has the clinical defaults', () => {
    const { records } = new Bench().machine.records('inhibition');
    expect(records.map(({ id }) => id)).toEqual(DEFAULT_INHIBITIONS.map(({ id }) => id));
  });

  test('one that is set explains what is open already, and changes no alert', () => {
    const bench = off();
    expect(isInhibited(bench.machine)).toBe(false);
    expect(bench.do(set())).toMatchObject({ effect: 'kept', version: 1 });
    expect(isInhibited(bench.machine)).toBe(true);
    expect(effects(bench)).toEqual(['raised', 'raised']);
    expect(bench.machine.list({}).alerts).toHaveLength(2);
  });

  test('one that is removed while the source of all that it explained is being marked lost leaves each told once, and stale', () => {
    const bench = new Bench({ effortPerEntryMax: 50 });
    bench.do({ type: 'heartbeat', source: 'mon42', leaseSeconds: 600, ...asked });
    for (let n = 0; n < 100; n += 1) bench.done(raise({ dedupKey: `k${n}`, condition: 'TEMP:HI' }));
    bench.done(raise({ dedupKey: 'off', condition: 'ECG:LEADS_OFF', kind: 'technical' }));
    const grave = ['HR:ASYSTOLE', 'HR:LO'];
    for (const condition of grave) bench.done(raise({ dedupKey: condition, condition }));
    bench.at(700_000);
    const stale = (): number =>
      bench.machine.list({}, { limit: 1_000 }).alerts.filter((one) => one.staleSince).length;
    expect(stale()).toBeLessThan(100);
    bench.do({ type: 'remove-inhibition', id: 'ecg-off', ...asked });
    for (let time = 700_001; stale() < 102; time += 1) bench.at(time);
    for (const dedupKey of grave) {
      const events = bench.out.events.filter(({ alert }) => alert.dedupKey === dedupKey);
      expect(events.map(({ effect }) => effect)).toEqual(['raised', 'audible', 'stale']);
    }
  });

  test('one that is removed explains nothing, and what it explained is audible again (T18)', () => {
    const bench = off();
    bench.do(set());
    bench.do({ type: 'remove-inhibition', id: 'co2-off', ...asked });
    expect(isInhibited(bench.machine)).toBe(false);
    expect(effects(bench)).toEqual(['raised', 'raised', 'audible']);
  });

  test('what a transaction ends explained what was open before, and nothing that the transaction opens after', () => {
    const bench = off();
    bench.do(set());
    bench.do({
      type: 'transaction',
      guards: [],
      commands: [
        raise({ dedupKey: 'before', condition: 'CO2:HI' }),
        clear({ target: { dedupKey: OFF } }),
        raise({ dedupKey: 'after', condition: 'CO2:LO' }),
      ],
      ...asked,
    });
    const told = bench.out.events.filter(({ effect }) => effect === 'audible');
    expect(told.map(({ alert }) => alert.dedupKey)).toEqual([RR, 'before']);
  });

  test('another device is never explained', () => {
    const bench = off('mon43');
    bench.do(set());
    expect(isInhibited(bench.machine)).toBe(false);
  });

  test('a snapshot keeps them, and what they explain', () => {
    const bench = off();
    bench.do(set());
    bench.do({ type: 'remove-inhibition', id: 'asystole', ...asked });
    const restorer = new MachineRestorer();
    for (const item of bench.machine.capture().items()) restorer.add(item);
    const machine = restorer.finish();
    expect(isInhibited(machine)).toBe(true);
    expect(machine.records('inhibition')).toEqual(bench.machine.records('inhibition'));
  });

  test('the defaults can be brought back, which ends every other rule', () => {
    const bench = off();
    bench.do(set());
    bench.do(set({ id: 'asystole' }));
    bench.do({ type: 'remove-inhibition', id: 'ecg-off', ...asked });
    const restore = { type: 'restore-inhibitions', ...asked } as const;
    expect(bench.do(restore)).toMatchObject({ effect: 'kept', version: 3 });
    const { records } = bench.machine.records('inhibition');
    const rules = records.map(({ id, sources, targets }) => ({ id, sources, targets }));
    expect(rules).toEqual(expect.arrayContaining([...DEFAULT_INHIBITIONS]));
    expect(rules).toHaveLength(DEFAULT_INHIBITIONS.length);
    expect(isInhibited(bench.machine)).toBe(false);
    expect(bench.do(restore)).toMatchObject({ effect: 'unchanged' });
  });

  test.each([
    [set({ targets: ['CO2:', 'H'] }), 'TOO_BROAD'],
    [set({ targets: [':HI'] }), 'TOO_BROAD'],
    [set({ expectedVersion: 1 }), 'REVISION_MISMATCH'],
    [set({ id: 'ecg-off', expectedVersion: 0 }), 'REVISION_MISMATCH'],
    [{ type: 'remove-inhibition', id: 'nothing', ...asked } as const, 'RECORD_NOT_FOUND'],
  ])('%o is refused: %s', (command, code) => {
    const bench = off();
    const { digest } = bench.machine;
    expect(bench.do(command)).toMatchObject({ code });
    expect(bench.machine.records('inhibition').records).toHaveLength(DEFAULT_INHIBITIONS.length);
    expect(bench.machine.digest).not.toBe(digest);
  });

  test('there are so many at most', () => {
    const bench = new Bench();
    for (let made = DEFAULT_INHIBITIONS.length; made < INHIBITIONS_MAX; made += 1)
      expect(bench.do(set({ id: `r${made}` }))).toMatchObject({ effect: 'kept' });
    expect(bench.do(set({ id: 'one more' }))).toMatchObject({ code: 'OVER_LIMIT' });
    expect(bench.do(set({ id: 'r40', targets: ['HR:'] }))).toMatchObject({ version: 2 });
  });
});
