import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { programPath } from '../../../cli/local/program.ts';
import { parseOptions, replayOf } from '../../../src/testing/sim/options.ts';
import { emptyTotals, faultsOf, rateOf } from '../../../src/testing/sim/totals.ts';

test.each(['seeds', 'minutes', 'from', 'stride', 'seed'])('--%s takes a number only', (name) => {
  for (const text of ['abc', '', '-1', '1e99', 'NaN'])
    expect(() => parseOptions([`--${name}=${text}`]), text).toThrow(`--${name} ${text}`);
  expect(parseOptions([`--${name}=7`])).toMatchObject({ [name]: 7 });
});

test.each(['{', '7', '[]', 'null'])('--scenario %s is refused', (text) => {
  expect(() => parseOptions(['--scenario', text])).toThrow('is not a JSON object');
});

test.each([
  ['src/testing/sim/main.js', ['--seeds', 'abc'], 'sim: --seeds abc is not a number'],
  ['jepsen-lite/main.js', ['--rate', 'abc'], 'jepsen: --rate abc is not a number'],
])('%s %j ends with the status of misuse', (main, args, says) => {
  const path = join(programPath(), '..', '..', main);
  const { status, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(says) });
});

test('the line that replays a seed holds all that does not come from the seed', () => {
  expect(replayOf(7, {})).toBe('npm run sim -- --seed 7 --trace');
  const { overrides } = parseOptions(['--scenario', '{"replicas":5}']);
  expect(replayOf(7, overrides)).toBe(
    `npm run sim -- --seed 7 --trace --scenario '{"replicas":5}'`,
  );
});

test('conditions that could not be decided are said', () => {
  expect(rateOf({ ...emptyTotals(), undecided: 3 }, 1)).toContain('3 conditions not decided');
});

test('faults are told by kind, the most frequent first', () => {
  expect(faultsOf({ ...emptyTotals(), faults: { pause: 2, kill: 7 } })).toBe('kill 7, pause 2');
});
