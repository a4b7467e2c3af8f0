import { expect, test } from 'vitest';
import { runIn } from './world.ts';

const said = { actor: 'nurse' };

test.each([
  ['bed set icu-2 7', { type: 'set-bed', unit: 'icu-2', bed: '7' }],
  ['bed remove icu-2 7', { type: 'remove-bed', unit: 'icu-2', bed: '7' }],
  [
    'patient admit pt-1 icu-2 7',
    { type: 'admit-patient', patient: 'pt-1', unit: 'icu-2', bed: '7' },
  ],
  [
    'patient move pt-1 icu-2 9 --with mon-3 --with pump-1',
    {
      type: 'move-patient',
      patient: 'pt-1',
      unit: 'icu-2',
      bed: '9',
      devices: ['mon-3', 'pump-1'],
    },
  ],
  ['patient discharge pt-1', { type: 'discharge-patient', patient: 'pt-1' }],
  [
    'patient discharge pt-1 --reason home',
    { type: 'discharge-patient', patient: 'pt-1', reason: 'home' },
  ],
  [
    'device attach mon-3 icu-2 7 --model CM-9',
    { type: 'attach-device', device: 'mon-3', unit: 'icu-2', bed: '7', model: 'CM-9' },
  ],
  ['device detach mon-3', { type: 'detach-device', device: 'mon-3' }],
  ['device remove mon-3', { type: 'remove-device', device: 'mon-3' }],
  ['session end X9', { type: 'end-session', id: 'X9' }],
  [
    'inhibition set co2-off --source CO2:INOP --target CO2: --target RR: --if-version 2',
    {
      type: 'set-inhibition',
      id: 'co2-off',
      sources: ['CO2:INOP'],
      targets: ['CO2:', 'RR:'],
      expectedVersion: 2,
    },
  ],
  ['inhibition remove co2-off', { type: 'remove-inhibition', id: 'co2-off' }],
  ['inhibition restore', { type: 'restore-inhibitions' }],
])('tocsin %s asks for what it says', async (line, command) => {
  const { status, calls } = await runIn({}, ...line.split(' '));
  expect(status).toBe(0);
  const kept = calls.filter(({ method }) => method === 'keep').map(({ args }) => args[0]);
  expect(kept).toEqual([{ ...command, ...said }]);
});

test.each([
  ['bed list', /icu-2 +7 +pt-7f3/],
  ['patient list', /pt-7f3 +icu-2\/7 +there/],
  ['device list', /mon-3 +CM-9 +icu-2\/7/],
  ['tally list', /icu-2 +52 +2 +8 +6\.5 +40 +88 % +5 +20 % +4/],
  ['inhibition list', /co2-off +2 +CO2: RR: +CO2:INOP +anna/],
  ['session list', /X9 +monitor-gateway .* 60s +256/],
  ['schedule list', /icu +5 +anna +Europe\/Berlin/],
])('tocsin %s shows who is where', async (line, shows) => {
  const { status, stdout } = await runIn({}, ...line.split(' '));
  expect(status).toBe(0);
  expect(stdout).toMatch(shows);
});
