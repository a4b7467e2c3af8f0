import { expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import { NAME_CHARS_MAX } from '../../src/base/limits.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import { AlertPacker } from '../../src/wire/log/alert-packer.ts';
import { Bench, raise } from './commands.ts';

const asked = { actor: 'admin', observedAt: unixMillis(1) };

test('whoever is on call can have a name as long as names are', () => {
  const bench = new Bench();
  bench.do({ type: 'set-policy', id: 'default', steps: [{ targets: ['schedule:icu'], delaySeconds: 10 }], repeat: 1, minPriority: 'low', confirmSeconds: 3_600, ...asked });
  bench.do({ type: 'set-schedule', id: 'icu', timeZone: 'Europe/Berlin', layers: [], overrides: [], from: unixMillis(0), until: unixMillis(1e12), shifts: [{ user: 'u'.repeat(NAME_CHARS_MAX), from: unixMillis(0), until: unixMillis(1e11) }], ...asked });
  bench.done(raise());
  bench.at(14_000);
  const alert = bench.machine.get({ dedupKey: raise().dedupKey });
  if (alert === undefined) throw new Error('none');
  const packer = new AlertPacker();
  const length = packer.encode(alert);
  expect(packer.decode(packer.encoded, 0, length)).toEqual(alert);
});

test('and the machine goes on when such an alert is packed', () => {
  const bench = new Bench();
  bench.do({ type: 'set-policy', id: 'default', steps: [{ targets: ['schedule:icu'], delaySeconds: 10 }], repeat: 1, minPriority: 'low', confirmSeconds: 3_600, ...asked });
  bench.do({ type: 'set-schedule', id: 'icu', timeZone: 'Europe/Berlin', layers: [], overrides: [], from: unixMillis(0), until: unixMillis(1e12), shifts: [{ user: 'u'.repeat(NAME_CHARS_MAX), from: unixMillis(0), until: unixMillis(1e11) }], ...asked });
  bench.done(raise());
  bench.done(raise({ dedupKey: 'other', condition: 'X' }));
  bench.done(raise({ dedupKey: 'third', condition: 'X' }));
  expect(bench.done(raise()).effect).toBe('continued');
});
