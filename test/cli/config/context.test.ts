import { describe, expect, test } from 'vitest';
import { World } from '../commands/world.ts';

const CONFIG = '/u/nurse/.config/tocsin/config.yaml';
const env = { HOME: '/u/nurse' };
const ICU = '/ip4/10.0.0.1/tcp/7400';
const ED = '/ip4/10.0.0.2/tcp/7400';

/** Runs one command line after another on the same disk. */
class Desk {
  disk: Record<string, string> = {};

  async run(line: string): Promise<string> {
    const world = new World({ env, disk: this.disk });
    const { status, stdout, stderr } = await world.run(...line.split(' '));
    this.disk = Object.fromEntries(world.disk);
    expect(status, stderr).toBe(0);
    return stdout;
  }

  /** Which replicas a command asks now. */
  async asks(): Promise<unknown> {
    const { calls } = await new World({ env, disk: this.disk }).run('alert', 'list');
    return calls[0]?.args[0];
  }
}

describe('contexts', () => {
  test('are added, selected, left again for the one before, and removed', async () => {
    const desk = new Desk();
    await desk.run(`context add icu --endpoints ${ICU} --actor kim --timeout 3s`);
    await desk.run(`context add ed --endpoints ${ED}`);
    expect(await desk.asks()).toMatchObject({ endpoints: [ICU], name: 'kim', timeoutMs: 3_000 });

    await desk.run('context select ed');
    expect(await desk.asks()).toMatchObject({ endpoints: [ED], name: 'nurse' });
    expect(await desk.run('context list')).toMatch(/^ {3}NAME.*\n {3}icu .*actor=kim.*\n\* {2}ed /);

    await desk.run('context select -');
    expect(await desk.asks()).toMatchObject({ endpoints: [ICU] });
    await desk.run('context remove icu');
    expect(await desk.run('context list')).not.toContain('icu');
    expect(await desk.asks()).toMatchObject({ endpoints: ['/ip4/127.0.0.1/tcp/7400'] });
  });

  test('are changed without touching what people wrote around them', async () => {
    const desk = new Desk();
    const before = '# ours\ndefaults:\n  timeout: 4s # slow link\n';
    desk.disk = { [CONFIG]: before };
    await desk.run(`context add icu --endpoints ${ICU}`);

    expect(desk.disk[CONFIG]).toContain('# ours\ndefaults:\n  timeout: 4s # slow link\n');
    await desk.run('context remove icu');
    expect(desk.disk[CONFIG]).toContain('# slow link');
  });

  test('are checked by connecting', async () => {
    const desk = new Desk();
    await desk.run(`context add icu --endpoints ${ICU}`);

    expect(await desk.run('context check')).toMatch(
      /^icu: cluster [0-9a-f]{32}, replica 1 leads\n$/,
    );
  });

  test('say which variables keep them from deciding', async () => {
    const text = `contexts:\n  icu: {endpoints: ${ICU}}\n`;
    const select = async (set: Record<string, string>): Promise<string> => {
      const world = new World({ env: { ...env, ...set }, disk: { [CONFIG]: text } });
      return (await world.run('context', 'select', 'icu')).stdout;
    };

    expect(await select({ TOCSIN_TIMEOUT: '3s', TOCSIN_CONTEXT: 'icu' })).toBe('icu is in use\n');
    expect(await select({ TOCSIN_ENDPOINTS: ED })).toMatch(/in use, but .*TOCSIN_ENDPOINTS:/);
    expect(await select({ TOCSIN_CONTEXT: 'ed' })).toMatch(/in use, but .*TOCSIN_CONTEXT:/);
  });

  test('that are not there are not selected', async () => {
    const world = new World({ env });
    const { status, stderr } = await world.run('context', 'select', 'icu');

    expect(status).toBe(2);
    expect(stderr).toContain('there is no context icu');
  });
});
