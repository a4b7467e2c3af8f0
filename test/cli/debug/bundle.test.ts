import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../../src/base/errors.ts';
import { anAlert, pageOf, SETTLED, World } from '../commands/world.ts';

const BUNDLE = ['debug', 'bundle', '--measure-for', '1ms', '--out', 'b.json'];

describe('the bundle', () => {
  test('holds versions, settings, every member and this machine', async () => {
    const world = new World(SETTLED);
    const { status, stdout } = await world.run(...BUNDLE);
    const bundle = JSON.parse(world.disk.get('b.json') ?? '');

    expect(status).toBe(0);
    expect(stdout).toBe('wrote b.json\n');
    expect(bundle).toMatchObject({
      time: '2026-03-01T03:04:05Z',
      settings: { found: [{ key: 'endpoints', origin: 'context icu' }] },
      cluster: { found: { verdict: expect.stringContaining('well'), seen: { leader: 1 } } },
      machine: { found: { verdicts: expect.any(Array) } },
    });
  });

  test('holds nothing of alerts or people', async () => {
    const pages = [pageOf([anAlert({ text: 'Mrs Miller fell' })])];
    const env = { ...SETTLED.env, TOCSIN_ACTOR: 'nurse-miller' };
    const world = new World({ ...SETTLED, env, answers: { pages } });
    await world.run(...BUNDLE);

    expect(world.disk.get('b.json')).not.toMatch(/miller/i);
    expect(world.calls.map(({ method }) => method)).not.toContain('list');
  });

  test('is written all the same when the cluster is away, and says why', async () => {
    const connect = new TocsinError('UNAVAILABLE', 'nobody there');
    const world = new World({ answers: { connect } });
    const { status, stdout } = await world.run(...BUNDLE);

    expect(status).toBe(0);
    expect(stdout).toContain('without cluster');
    expect(JSON.parse(world.disk.get('b.json') ?? '').cluster).toEqual({
      failed: 'UNAVAILABLE: nobody there',
    });
  });
});
