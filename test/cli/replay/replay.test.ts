import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { SERVICES } from '../../../cli/commands/services.ts';
import { LocalCluster } from '../../../cli/local/local-cluster.ts';
import { replayCommand } from '../../../cli/replay/command.ts';
import { MEANING, TocsinError } from '../../../src/base/errors.ts';
import { connect } from '../../../src/client/client.ts';
import { World } from '../commands/world.ts';
import { EXPECTED_TEXT, folderOf, RESTLESS, RESTLESS_AND_SLOW } from './made-up.ts';

// Processes take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** A world in which the services are real. */
class LiveWorld extends World {
  override readonly services: typeof SERVICES = SERVICES;
}

interface Outcome {
  readonly error: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function replay(...argv: readonly string[]): Promise<Outcome> {
  const world = new LiveWorld();
  const command = replayCommand(world)
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  const error = await command.parseAsync([...argv], { from: 'user' }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(world.listeners).toBe(0);
  return { error, stdout: world.stdout.text, stderr: world.stderr.text };
}

async function outFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'alarms.csv');
}

/** The summary of a run that went well. */
function summary({ error, stdout }: Outcome): Record<string, unknown> {
  expect(error, stdout).toBeUndefined();
  return JSON.parse(stdout);
}

describe('against a running cluster', () => {
  let cluster: LocalCluster;
  let endpoints = '';
  beforeAll(async () => {
    cluster = await LocalCluster.start();
    endpoints = cluster.endpoints.join(',');
    await cluster.leader();
  });
  afterAll(() => cluster.close());

  async function revisionNow(): Promise<number> {
    const client = await connect({ endpoints: cluster.endpoints });
    try {
      return (await client.list({}, { limit: 1 })).revision;
    } finally {
      await client.close();
    }
  }

  test('two replays at once and a third one later do not mix', async () => {
    const folder = await folderOf(RESTLESS_AND_SLOW);
    const once = async (): Promise<string> => {
      const out = await outFile();
      const done = await replay(folder, '--endpoints', endpoints, '--json', '--out', out);
      expect(summary(done)).toMatchObject({
        rows: 200,
        samples: 780,
        raised: 3,
        cleared: 2,
        lost: 0,
        duplicated: 0,
        failed: 0,
        unknown: 0,
        digestsEqual: null,
        failoverMs: null,
        findings: [],
      });
      return await readFile(out, 'utf8');
    };
    expect(await Promise.all([once(), once()])).toEqual([EXPECTED_TEXT, EXPECTED_TEXT]);
    expect(await once()).toBe(EXPECTED_TEXT);
    expect(await cluster.converge()).toBe(true);
  });

  test('a malformed recording is told by file and line before anything is written', async () => {
    const before = await revisionNow();
    const folder = await folderOf({ '1': RESTLESS, '2': RESTLESS });
    const bad = join(folder, 'bidmc_2_Numerics.csv');
    const lines = (await readFile(bad, 'utf8')).split('\n');
    await writeFile(bad, lines.with(90, '89,fast,80,15,98').join('\n'));
    const out = await outFile();
    const { error } = await replay(folder, '--endpoints', endpoints, '--out', out);
    expect(error).toMatchObject({
      code: 'BAD_RECORDING',
      message: expect.stringContaining(`${bad}:91`),
    });
    expect(TocsinError.is(error) && MEANING[error.code].exit).toBe(2);
    expect(await revisionNow()).toBe(before);
    await expect(readFile(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('rules that cannot be used are told before anything is written', async () => {
    const before = await revisionNow();
    const folder = await folderOf({ '1': RESTLESS });
    const rules = join(folder, 'rules.yaml');
    await writeFile(rules, 'version: 1\nname: x\nrules:\n  - { id: a, metrik: HR }\n');
    const { error } = await replay(folder, '--endpoints', endpoints, '--rules', rules);
    expect(error).toMatchObject({ code: 'BAD_RULES' });
    expect(await revisionNow()).toBe(before);
  });

  test('the rules of a file take the place of the shipped ones', async () => {
    const folder = await folderOf({ '1': RESTLESS });
    const rules = join(folder, 'rules.json');
    const rule = { id: 'fast', metric: 'HR', side: 'HI', limit: 150, startAfter: 1, endAfter: 1 };
    const set = { version: 1, name: 'x', rules: [{ ...rule, priority: 'low' }] };
    await writeFile(rules, JSON.stringify(set));
    const out = await outFile();
    await replay(folder, '--endpoints', endpoints, '--rules', rules, '--out', out);
    expect(await readFile(out, 'utf8')).toBe(
      'patient,t,metric,kind,phase\n1,10,HR,HI,start\n1,40,HR,HI,end\n',
    );
  });

  test('Ctrl-C ends a slow replay at once, as cancelled', async () => {
    const folder = await folderOf({ '1': RESTLESS });
    const world = new LiveWorld();
    const playing = replayCommand(world).parseAsync(
      [folder, '--endpoints', endpoints, '--speed', '0.001'],
      { from: 'user' },
    );
    const settled = expect(playing).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect.poll(() => world.listeners).toBe(1);
    world.interrupt();
    await settled;
  });

  test('a file that cannot be written is told before anything is written', async () => {
    const before = await revisionNow();
    const folder = await folderOf({ '1': RESTLESS });
    for (const out of [folder, join(folder, 'none', 'alarms.csv')]) {
      const { error } = await replay(folder, '--endpoints', endpoints, '--out', out);
      expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining(out) });
    }
    expect(await revisionNow()).toBe(before);
  });
});

describe('without a cluster', () => {
  test.each([
    [['--kill-leader-after', '5'], /needs --local/],
    [['--replicas', '3'], /needs --local/],
    [['--local', '--endpoints', '/ip4/127.0.0.1/tcp/1'], /exclude each other/],
    [['--local', '--replicas', '2', '--kill-leader-after', '5'], /at least 3 replicas/],
    [['--local', '--kill-leader-after', '101'], /there are only 100 rows/],
  ])('%j is refused as usage', async (flags, message) => {
    const folder = await folderOf({ '1': RESTLESS });
    const { error } = await replay(folder, ...flags);
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringMatching(message) });
  });

  test.each([
    ['--speed', '0'],
    ['--speed', '-1'],
    ['--speed', 'fast'],
    ['--replicas', '0'],
    ['--kill-leader-after', '0'],
    ['--kill-leader-after', '1.5'],
    ['--colour', 'blue'],
  ])('%s %s is refused before anything is read', async (...flags) => {
    const { error } = await replay('/nowhere', ...flags);
    expect(error).toMatchObject({ code: expect.stringMatching(/^commander\./), exitCode: 1 });
  });

  test('a folder without recordings is told', async () => {
    const { error } = await replay(await folderOf({}), '--local');
    expect(error).toMatchObject({ code: 'BAD_RECORDING' });
    const nowhere = await replay('/nowhere', '--local');
    expect(nowhere.error).toMatchObject({ code: 'BAD_RECORDING' });
  });

  test('the help begins with examples', () => {
    let text = '';
    const command = replayCommand(new World()).configureOutput({
      writeOut: (more) => (text += more),
    });
    command.outputHelp();
    expect(text).toMatch(/^Examples:\n.*\n {2}tocsin replay .*--local/);
  });
});
