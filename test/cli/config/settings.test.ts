import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { World } from '../commands/world.ts';

const CONFIG = '/u/nurse/.config/tocsin/config.yaml';
const HOME = { HOME: '/u/nurse' };
const address = (name: string): string => `/ip4/10.0.0.${name.length}/tcp/7400`;

/** From near to far. */
const SOURCES = ['flag', 'environment', 'commands', 'context', 'defaults'] as const;
type Source = (typeof SOURCES)[number];

/** A world in which `--endpoints` of `alert list` is named in these places, each with an address of its own. */
function worldOf(named: ReadonlySet<Source>): { world: World; argv: string[] } {
  const line = (source: Source): string =>
    named.has(source) ? `endpoints: ${address(source)}` : 'timeout: 3s';
  const text = [
    'context: icu',
    `contexts:\n  icu: {${line('context')}}`,
    `defaults: {${line('defaults')}}`,
    `commands:\n  alert list: {${line('commands')}}`,
  ].join('\n');
  const env = named.has('environment') ? { TOCSIN_ENDPOINTS: address('environment') } : {};
  const world = new World({ env: { ...HOME, ...env }, disk: { [CONFIG]: text } });
  const argv = ['alert', 'list', ...(named.has('flag') ? ['--endpoints', address('flag')] : [])];
  return { world, argv };
}

describe('a flag that is not given', () => {
  test('is worth what the nearest place says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...SOURCES]), async (places) => {
        const named = new Set(places);
        const { world, argv } = worldOf(named);
        const { status, calls } = await world.run(...argv);
        const nearest = SOURCES.find((source) => named.has(source));

        expect(status).toBe(0);
        expect(calls[0]?.args[0]).toMatchObject({
          endpoints: [nearest === undefined ? '/ip4/127.0.0.1/tcp/7400' : address(nearest)],
        });
      }),
    );
  });

  test('is worth what a context says that is named by flag, whatever the environment has', async () => {
    const { world } = worldOf(new Set<Source>(['environment', 'commands', 'context', 'defaults']));
    const { calls } = await world.run('alert', 'list', '--context', 'icu');
    expect(calls[0]?.args[0]).toMatchObject({ endpoints: [address('context')] });

    const { world: other, argv } = worldOf(new Set<Source>(['flag', 'environment', 'context']));
    const nearer = await other.run(...argv, '--context=icu');
    expect(nearer.calls[0]?.args[0]).toMatchObject({ endpoints: [address('flag')] });
  });

  test('is looked for under a variable that is mistyped, and the caller is told', async () => {
    const env = { ...HOME, TOCSIN_TIMOUT: '2s', TOCSIN_DATA: './r1', TOCSIN_SOMETHING: 'x' };
    const { status, stderr } = await new World({ env }).run('alert', 'list');
    expect(status).toBe(0);
    expect(stderr).toBe(
      'tocsin: no command knows the variable TOCSIN_TIMOUT (did you mean "TOCSIN_TIMEOUT"?)\n',
    );
  });

  test('says where its value comes from', async () => {
    const { world } = worldOf(new Set<Source>(['environment', 'context']));
    const { stdout } = await world.run(
      ...['config', 'show', 'alert', 'list', '--origin', '-o', 'json'],
    );

    expect(JSON.parse(stdout)).toContainEqual({
      command: 'alert list',
      key: 'endpoints',
      value: address('environment'),
      origin: 'environment',
      variable: 'TOCSIN_ENDPOINTS',
    });
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ key: 'limit', value: '100', origin: 'default' }),
    );
  });

  test('of the trend tier is not that of the replicas, which listen elsewhere', async () => {
    const text =
      'context: icu\ncontexts:\n  icu: {endpoints: /ip4/10.0.0.1/tcp/7400, trend-endpoints: /ip4/10.0.0.1/tcp/7500}';
    const env = { ...HOME, TOCSIN_ENDPOINTS: address('environment') };
    const argv = ['trend', 'latest'] as const;

    const bare = await new World({ env }).run(...argv);
    const inContext = await new World({ env, disk: { [CONFIG]: text } }).run(...argv);
    const named = { ...env, TOCSIN_TREND_ENDPOINTS: address('flag') };
    const inEnvironment = await new World({ env: named, disk: { [CONFIG]: text } }).run(...argv);

    for (const [{ calls }, asked] of [
      [bare, '/ip4/127.0.0.1/tcp/7500'],
      [inContext, '/ip4/10.0.0.1/tcp/7500'],
      [inEnvironment, address('flag')],
    ] as const)
      expect(calls[0]?.args[0]).toMatchObject({ endpoints: [asked] });
  });

  test('satisfies a command that requires it', async () => {
    const world = new World({ env: { TOCSIN_DATA: './r7' } });
    const { calls } = await world.interruptAfterOutput().run('serve');

    expect(calls[0]).toMatchObject({ method: 'startReplica', args: [{ folder: './r7' }] });
  });

  test('is replaced, not added to, by the flag', async () => {
    const world = new World({ env: { TOCSIN_PRIORITY: 'low' } });
    const { calls } = await world.run('alert', 'list', '--priority', 'high', '--priority', 'none');

    expect(calls.find(({ method }) => method === 'list')?.args[0]).toMatchObject({
      priorities: ['high', 'none'],
    });
  });
});

describe('a value that cannot be', () => {
  test.each<readonly [string, Record<string, string>, string, string]>([
    ['of a variable', { TOCSIN_TIMEOUT: 'soon' }, '', 'USAGE: TOCSIN_TIMEOUT "soon" is invalid.'],
    ['of a truth', { TOCSIN_OPEN: 'maybe' }, '', 'It must be true or false.'],
    [
      'in a file',
      {},
      'defaults: {timeout: soon}',
      'BAD_CONFIG: defaults: timeout "soon" is invalid.',
    ],
    ['of shape', {}, 'defaults: 7', `BAD_CONFIG: ${CONFIG}:1: defaults must be keys with values`],
    ['no YAML', {}, 'defaults: {', `BAD_CONFIG: ${CONFIG}:1: `],
    [
      'of a key',
      {},
      'context: a\ncontexts: {a: {}}\ndefault: {}',
      `${CONFIG}:3: unknown key "default" (did you mean "defaults"?)`,
    ],
    [
      'of a context',
      { TOCSIN_CONTEXT: 'icv' },
      'contexts: {icu: {}}',
      'there is no context icv (did you mean "icu"?)',
    ],
    [
      'of a missing file',
      { TOCSIN_CONFIG: '/nowhere.yaml' },
      '',
      'TOCSIN_CONFIG names /nowhere.yaml, which is not there',
    ],
  ])('%s stops the command before anything is asked', async (_name, env, text, said) => {
    const disk: Record<string, string> = text === '' ? {} : { [CONFIG]: text };
    const world = new World({ env: { ...HOME, ...env }, disk });
    const { status, stderr, calls } = await world.run('alert', 'list');

    expect(stderr).toContain(said);
    expect(status).toBe(2);
    expect(calls).toEqual([]);
  });

  test('does not keep anybody from help, or from mending it', async () => {
    const broken = { env: HOME, disk: { [CONFIG]: 'defaults: {' } };

    expect((await new World(broken).run('alert', 'list', '--help')).status).toBe(0);
    const { status, stdout } = await new World(broken).run('config', 'validate');
    expect(status).toBe(2);
    expect(stdout).toMatch(new RegExp(`^${CONFIG}:1: `));
  });
});

describe('a list in a file', () => {
  const runWith = (text: string, ...argv: readonly string[]) =>
    new World({ env: HOME, disk: { [CONFIG]: text } }).interruptAfterOutput().run(...argv);

  test('is a flag repeated, value by value', async () => {
    const raise = ['alert', 'raise', 'k1', '--condition', 'HR:HI', '--priority', 'high'];
    const { calls } = await runWith('commands: {alert raise: {label: [a=1, "b=2,3"]}}', ...raise);
    expect(calls.find(({ method }) => method === 'raise')?.args[0]).toMatchObject({
      labels: { a: '1', b: '2,3' },
    });

    const endpoints = [address('flag'), address('context')];
    const list = await runWith(`defaults: {endpoints: [${endpoints}]}`, 'alert', 'list');
    expect(list.calls[0]?.args[0]).toMatchObject({ endpoints });
  });

  test.each(['timeout: [3s]', 'actor: [kim, anna]', 'open: [true]', 'endpoints: []'])(
    '%s is refused, also by validate',
    async (line) => {
      const { status, stderr, calls } = await runWith(`defaults: {${line}}`, 'alert', 'list');
      expect([status, calls]).toEqual([2, []]);
      expect(stderr).toMatch(/^tocsin: BAD_CONFIG: .*list/);

      const validated = await runWith(`defaults: {${line}}`, 'config', 'validate');
      expect(validated.status).toBe(2);
      expect(validated.stdout).toMatch(new RegExp(`^${CONFIG}:1: .*list`));
    },
  );

  test('may stand for every flag whose help says that it is repeated', async () => {
    const { stdout } = await new World().run('config', 'schema');
    interface Flag {
      readonly type: string | readonly string[];
      readonly description: string;
    }
    const schema = JSON.parse(stdout) as {
      properties: { defaults: { properties: Record<string, Flag> } };
    };
    const flags = Object.entries(schema.properties.defaults.properties);
    const lists = flags.filter(([, { type }]) => type.includes('array')).map(([key]) => key);

    expect(lists).toEqual(
      expect.arrayContaining(['endpoints', 'members', 'send', 'step', 'label']),
    );
    for (const [key, { description }] of flags)
      if (description.includes('repeat the flag')) expect(lists).toContain(key);
  });
});

describe('tocsin config validate', () => {
  const validate = (text: string) =>
    new World({ disk: { 'c.yaml': text } }).run('config', 'validate', 'c.yaml');

  test('finds everything that is wrong, by line', async () => {
    const { status, stdout } = await validate(
      [
        'defaults:',
        '  timout: 3s',
        '  consistency: 5000',
        'commands:',
        '  alert lst: {limit: 5}',
        '  alert list:',
        '    limit: 7',
        '    beds: 3',
      ].join('\n'),
    );

    expect(status).toBe(2);
    expect(stdout.trim().split('\n')).toEqual([
      'c.yaml:2: no command has a flag "timout" (did you mean "timeout"?)',
      expect.stringMatching(/^c\.yaml:3: consistency "5000" is invalid\. /),
      'c.yaml:5: there is no command "alert lst" (did you mean "alert list"?)',
      'c.yaml:8: no command has a flag "beds" (did you mean "bed"?)',
    ]);
  });

  test('finds addresses that nobody could reach, wherever one belongs', async () => {
    const { status, stdout } = await validate(
      [
        'contexts:',
        '  icu:',
        '    endpoints: [/ip4/10.0.0.1/tcp/7400, "10.0.0.2:7400"]',
        '  lab: {endpoints: "/ip4/10.0.0.1/tcp/7400,/ip4/10.0.0.2/tcp/7400"}',
        'defaults: {endpoints: nowhere}',
        'commands:',
        '  serve:',
        '    listen: here',
        '    trend: there',
        '  format:',
        '    members: 1=/ip4/10.0.0.1/tcp/7400,2=elsewhere',
      ].join('\n'),
    );

    expect(status).toBe(2);
    expect(stdout.trim().split('\n')).toEqual([
      'c.yaml:3: endpoints 10.0.0.2:7400',
      'c.yaml:5: endpoints nowhere',
      'c.yaml:8: listen here',
      'c.yaml:9: trend there',
      'c.yaml:11: members elsewhere',
    ]);
  });

  test('accepts whatever the schema shows', async () => {
    const { stdout } = await new World().run('config', 'schema');
    const schema = JSON.parse(stdout) as {
      properties: { commands: { properties: Record<string, { properties: object }> } };
    };
    const commands = Object.keys(schema.properties.commands.properties);

    expect(commands).toContain('alert list');
    expect(await validate('{}')).toMatchObject({ status: 0, stdout: 'c.yaml: valid\n' });
    for (const name of commands)
      expect((await validate(`commands:\n  "${name}": {}`)).status, name).toBe(0);
  });
});
