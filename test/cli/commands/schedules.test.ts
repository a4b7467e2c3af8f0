import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toSafeYaml } from '../../../cli/output/yaml.ts';
import type { SetScheduleCommand } from '../../../src/statemachine/beside/schedule.ts';
import { NOW } from './records.ts';
import { runIn } from './world.ts';

const FILE = `
timeZone: Europe/Berlin
layers:
  - name: weeks
    users: [anna, ben]
    rotation: { start: 2026-02-23T07:00, unit: week }
overrides:
  - { user: cara, from: 2026-03-02T00:00:00Z, until: '2026-03-02T12:00:00+01:00' }
`;

const kept = ({ calls }: Awaited<ReturnType<typeof runIn>>): SetScheduleCommand | undefined =>
  calls.find(({ method }) => method === 'keep')?.args[0] as SetScheduleCommand | undefined;

describe('schedule set', () => {
  test('works out the shifts of a file and puts both into the log', async () => {
    const result = await runIn(
      { disk: { 'icu.yaml': FILE } },
      'schedule',
      'set',
      'icu',
      '-f',
      'icu.yaml',
    );
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
    const command = kept(result);
    expect(command).toMatchObject({ type: 'set-schedule', id: 'icu', timeZone: 'Europe/Berlin' });
    expect(command?.shifts.map(({ user }) => user).slice(0, 4)).toEqual([
      'anna',
      'cara',
      'ben',
      'anna',
    ]);
    expect(command?.until).toBeGreaterThan(NOW + 7 * 86_400_000);
  });

  test.each([
    [
      'a zone nobody knows',
      FILE.replace('Europe/Berlin', 'Mars/Olympus'),
      'timeZone: Mars/Olympus',
    ],
    ['a field nobody knows', FILE.replace('name:', 'nom:'), 'icu.yaml: field layers.0'],
    [
      'a file without a time zone',
      FILE.replace('timeZone: Europe/Berlin', ''),
      'icu.yaml: field timeZone: is missing, such as timeZone: Europe/Berlin',
    ],
    [
      'a layer without a start',
      FILE.replace('start: 2026-02-23T07:00, ', ''),
      'layers.0.rotation.start: is missing, such as start: 2',
    ],
    [
      'a turn in a unit nobody knows',
      FILE.replace('unit: week', 'unit: moon'),
      'is not one of hour, day, week',
    ],
    [
      'a start that is no time',
      FILE.replace('start: 2026-02-23T07:00', 'start: tomorrow'),
      'layers[0].rotation.start: tomorrow is not a local time',
    ],
    [
      'an hour that no day has',
      FILE.replace('overrides:', "    restrictions: [{ from: '25:00', to: '07:00' }]\noverrides:"),
      'layers[0].restrictions[0].from: 25:00',
    ],
    ['a list of zones', FILE.replace('Europe/Berlin', '[1]'), 'field timeZone: must be text'],
    ['layers by name', 'timeZone: UTC\nlayers: {}', 'field layers: must be a list'],
    ['an empty file', '', 'icu.yaml: file: must be a map'],
    ['an override for nobody', FILE.replace('user: cara, ', ''), 'overrides.0.user: is missing'],
    ['an instant that is none', FILE.replace('2026-03-02T00:00:00Z', 'noon'), 'is no instant'],
    ['no YAML at all', 'layers: [', 'icu.yaml: '],
  ])('refuses %s, and says where', async (_what, text, says) => {
    const result = await runIn(
      { disk: { 'icu.yaml': text } },
      'schedule',
      'set',
      'icu',
      '-f',
      'icu.yaml',
    );
    expect(result.status).toBe(2);
    expect(result.stderr).toContain(says);
    expect(kept(result)).toBeUndefined();
  });

  test('takes what schedule get prints', async () => {
    const shown = await runIn({}, 'schedule', 'get', 'icu', '-o', 'yaml');
    const disk = { 'again.yaml': shown.stdout };
    const result = await runIn({ disk }, 'schedule', 'set', 'icu', '-f', 'again.yaml');
    expect(result.status).toBe(0);
    expect(toSafeYaml(kept(result)?.layers)).toBe(
      toSafeYaml([
        {
          name: 'days',
          users: ['anna', 'ben'],
          rotation: { start: '2026-02-23T07:00', every: 1, unit: 'week' },
          restrictions: [],
        },
      ]),
    );
  });
});

test('the example is a schedule without a gap', async () => {
  const text = readFileSync(
    join(import.meta.dirname, '../../../examples/icu-schedule.yaml'),
    'utf8',
  );
  const { stdout, status } = await runIn(
    { disk: { 'icu.yaml': text } },
    ...['schedule', 'preview', '-f', 'icu.yaml', '--from', '2026-12-20T12:00:00Z', '-o', 'json'],
  );
  expect(status).toBe(0);
  const { shifts } = JSON.parse(stdout) as { shifts: { user: string | null }[] };
  expect(new Set(shifts.map(({ user }) => user))).toEqual(
    new Set(['anna', 'ben', 'cara', 'dan', 'eve', 'finn', 'gina']),
  );
});

describe('schedule override', () => {
  test('changes the version it saw, for the time that was given', async () => {
    const result = await runIn({}, 'schedule', 'override', 'icu', '--user', 'cara', '--for', '8h');
    expect(result.status).toBe(0);
    const until = NOW + 8 * 3_600_000;
    expect(kept(result)).toMatchObject({
      expectedVersion: 5,
      overrides: [{ user: 'cara', from: NOW, until }],
    });
    expect(kept(result)?.shifts.find(({ user }) => user === 'cara')).toMatchObject({ until });
  });

  test('needs to know who and until when', async () => {
    const result = await runIn({}, 'schedule', 'override', 'icu', '--user', 'cara');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('--for or --until');
  });
});

describe('schedule override --clear', () => {
  const clear = (...flags: readonly string[]) =>
    runIn({}, 'schedule', 'override', 'icu', '--clear', ...flags);

  test('of somebody who has none says so, and changes nothing', async () => {
    const result = await clear('--user', 'craa');
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('no override of craa is left to take back');
    expect(kept(result)).toBeUndefined();
  });

  test.each(['--for 8h', '--until 2026-12-24T06:00:00Z', '--from 2026-12-24T06:00:00Z'])(
    'does not go with %s, which would mean something else',
    async (flags) => {
      const result = await clear(...flags.split(' '));
      expect(result.status).toBe(2);
      expect(kept(result)).toBeUndefined();
    },
  );

  test('of all takes back what there is', async () => {
    expect(kept(await clear())).toMatchObject({ overrides: [], expectedVersion: 5 });
  });
});

describe('what can be looked at', () => {
  test('is who is on call, in local time', async () => {
    const { stdout, status } = await runIn({}, 'schedule', 'who');
    expect(status).toBe(0);
    expect(stdout).toMatch(/icu +anna +Sun 2026-03-01 04:04 +Sun 2026-03-01 16:04/);
  });

  test('is when nobody is', async () => {
    const { stdout } = await runIn({}, 'schedule', 'get', 'icu');
    expect(stdout).toContain('layer days: anna, ben, each week from 2026-02-23T07:00');
    expect(stdout).toMatch(/NOBODY +Sun 2026-03-01 16:04/);
  });

  test('is what a file would do, without a cluster', async () => {
    const { stdout, calls, status } = await runIn(
      { disk: { 'icu.yaml': FILE } },
      ...['schedule', 'preview', '-f', 'icu.yaml', '--days', '30', '-o', 'json'],
    );
    expect(status).toBe(0);
    expect(calls).toEqual([]);
    const { shifts } = JSON.parse(stdout) as { shifts: { user: string }[] };
    expect(shifts.map(({ user }) => user)).toEqual([
      'anna',
      'cara',
      'ben',
      'anna',
      'ben',
      'anna',
      'ben',
    ]);
  });

  test('is only what is there', async () => {
    const { stderr, status } = await runIn({}, 'schedule', 'get', 'ward');
    expect(status).toBe(3);
    expect(stderr).toContain('there is no schedule ward; there are icu');
  });
});

describe('policy set', () => {
  const set = (...steps: readonly string[]) =>
    runIn({}, 'policy', 'set', 'icu', ...steps.flatMap((step) => ['--step', step]));

  test('says which schedules are not there, each once, and does what was asked', async () => {
    const unknown = ['user:anna,schedule:nope=30s', 'schedule:nope,schedule:icu=1m'];
    const result = await set(...unknown);
    expect(result.status).toBe(0);
    expect(result.calls.filter(({ method }) => method === 'keep')).toHaveLength(1);
    expect(result.stderr).toBe(
      'tocsin: there is no schedule nope: until there is, schedule:nope tells nobody; there are icu\n',
    );
  });

  test.each(['schedule:icu=30s', 'user:schedule=30s', '=30s'])(
    'has nothing to say of the step %s',
    async (step) => {
      expect((await set(step)).stderr).toBe('');
    },
  );
});
