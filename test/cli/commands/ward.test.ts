import { expect, test } from 'vitest';
import { TocsinError } from '../../../src/base/errors.ts';
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
  [
    'inhibition set x --source A,B --source A --target HR:,RR:',
    { type: 'set-inhibition', id: 'x', sources: ['A', 'B'], targets: ['HR:', 'RR:'] },
  ],
  [
    'silence add device=m1,m2 priority=Low,none --for 8h --reason old',
    {
      type: 'silence',
      matchers: [
        { field: 'device', values: ['m1', 'm2'] },
        { field: 'priority', values: ['low', 'none'] },
      ],
      seconds: 28_800,
      reason: 'old',
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
  ['silence add', ['bed=B12, B13', '--for', '1m', '--reason', 'x'], 'B13'],
  ['policy set icu', ['--step', 'user:anna, role:charge=30s'], 'role:charge'],
  ['source beat mon-3', ['--lease', '10s', '--present', 'a:HR:HI, a:RR:HI'], 'a:RR:HI'],
  ['incident change C3', ['--add', 'A1, A2'], 'A2'],
])('tocsin %s %j takes what stands after a comma without the blank', async (line, flags, word) => {
  const { status, calls } = await runIn({}, ...line.split(' '), ...flags);
  expect(status).toBe(0);
  const kept = calls.find(({ method }) => method === 'keep');
  expect(JSON.stringify(kept?.args[0])).toContain(`"${word}"`);
});

test.each([
  ['device=m1 priority=urgent', 'priority: It must be one of high, medium, low, none'],
  ['device=m1 kind=technicl', 'kind: It must be one of physiological, technical, advisory'],
  ['alert=bed:B12:HR:HI', 'alert: It must be an alert id such as A1042'],
  ['device=m1,device=m2', 'device=m2 is a matcher of its own'],
  ['device=', 'device= is not a matcher'],
])(
  'tocsin silence add %s is refused: it would silence nothing, or not what was meant',
  async (matchers, why) => {
    const line = ['silence', 'add', ...matchers.split(' '), '--for', '10m', '--reason', 'x'];
    const { status, stderr, calls } = await runIn({}, ...line);
    expect(status).toBe(2);
    expect(stderr.replace(/\s+/g, ' ')).toContain(why);
    expect(calls).toEqual([]);
  },
);

test('who is told of another version is not sent to an alert', async () => {
  const kept = new TocsinError('REVISION_MISMATCH', 'inhibition x is at version 2, not 5');
  const line = 'inhibition set x --source A --target HR: --if-version 5';
  const { status, stderr } = await runIn({ answers: { kept } }, ...line.split(' '));
  expect(status).toBe(5);
  expect(stderr).toContain('it has changed meanwhile');
  expect(stderr).not.toContain('alert get');
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
