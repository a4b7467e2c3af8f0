import { describe, expect, test } from 'vitest';
import { runLoad } from '../../../cli/bench/load.ts';
import { TocsinError } from '../../../src/base/errors.ts';
import { CLUSTER, DONE, runIn, World } from '../commands/world.ts';

const SHORT = ['bench', '--duration', '30ms', '--in-flight', '3'];

/** Answers when it is asked to, and counts. */
function fakeClient(fail?: TocsinError) {
  const seen = { raised: 0, cleared: 0, read: 0, most: 0, now: 0 };
  const call = async <T>(name: 'raised' | 'cleared' | 'read', value: T): Promise<T> => {
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    await new Promise<void>((resolve) => setImmediate(resolve));
    seen.now -= 1;
    seen[name] += 1;
    if (fail !== undefined) throw fail;
    return value;
  };
  const client = {
    raise: () => call('raised', DONE),
    clear: () => call('cleared', DONE),
    get: () => call('read', { value: undefined, revision: DONE.revision }),
  };
  return { seen, client };
}

const load = (client: ReturnType<typeof fakeClient>['client'], kind: 'read' | 'write') =>
  runLoad({
    client,
    kind,
    runId: 'test',
    durationMs: 30,
    inFlight: 5,
    signal: new AbortController().signal,
  });

describe('a load', () => {
  test('keeps so many calls under way, and clears what it raises', async () => {
    const { seen, client } = fakeClient();
    const result = await load(client, 'write');

    expect(seen.most).toBe(5);
    expect(seen.raised).toBe(seen.cleared);
    expect(result.calls).toBe(seen.raised + seen.cleared);
    expect(result.failed).toBe(0);
    expect(result.latency.p50).toBeGreaterThan(0);
    expect(result.latency.max).toBeGreaterThanOrEqual(result.latency.p99);
  });

  test('of reads changes nothing', async () => {
    const { seen, client } = fakeClient();
    await load(client, 'read');

    expect(seen).toMatchObject({ raised: 0, cleared: 0 });
    expect(seen.read).toBeGreaterThan(0);
  });

  test('counts what fails, and tells the first of it', async () => {
    const { client } = fakeClient(new TocsinError('OVERLOADED', 'full'));
    const result = await load(client, 'write');

    expect(result).toMatchObject({ calls: 0, problem: 'OVERLOADED: full' });
    expect(result.failed).toBeGreaterThan(0);
  });
});

describe('a cluster that is in use', () => {
  const wrote = (world: World): boolean => world.calls.some(({ method }) => method === 'raise');

  test.each<readonly [string, readonly string[], boolean, readonly string[], boolean]>([
    ['is not loaded by a script that says nothing', [], false, [], false],
    ['is loaded by one that names it', ['--confirm', CLUSTER], false, [], true],
    ['is not loaded under another name', ['--confirm', 'icu'], false, [], false],
    ['is loaded when somebody types its name', [], true, [CLUSTER], true],
    ['is not loaded when somebody types anything else', [], true, ['yes'], false],
    ['is not loaded when nobody types', [], true, [], false],
  ])('%s', async (_what, flags, isTTY, typed, isLoaded) => {
    const world = new World({ isTTY, typed });
    const { status, stderr } = await world.run(...SHORT, ...flags);

    expect(wrote(world)).toBe(isLoaded);
    expect(status).toBe(isLoaded ? 0 : 2);
    if (!isLoaded) expect(stderr).toContain(`--confirm ${CLUSTER}`);
    if (isTTY) expect(stderr).toContain(`type ${CLUSTER} to go on`);
  });

  test('is left alone by a dry run, which says what it would do', async () => {
    const world = new World();
    const { stdout, status } = await world.run(...SHORT, '--dry-run');

    expect(status).toBe(0);
    expect(wrote(world)).toBe(false);
    expect(stdout).toBe(
      `this puts 3 writes at a time on cluster ${CLUSTER} for 30 ms; nothing was done\n`,
    );
  });

  test('tells rates and latencies', async () => {
    const { stdout } = await runIn({}, ...SHORT, '--confirm', CLUSTER);

    expect(stdout).toMatch(
      /^\d+ writes in [\d.]+ s: \d+\/s\nlatency p50 [\d.]+ ms, p99 [\d.]+ ms, p99\.9 [\d.]+ ms, longest [\d.]+ ms\n$/,
    );
  });
});
