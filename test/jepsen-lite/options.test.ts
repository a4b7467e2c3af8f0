import { expect, test } from 'vitest';
import { NEMESES } from '../../jepsen-lite/nemeses/table.ts';
import { parseOptions } from '../../jepsen-lite/options.ts';
import { WORKLOADS, workloadsOf } from '../../jepsen-lite/workloads/table.ts';

test('options have defaults, and each nemesis and workload can be named', () => {
  const { nemeses, seconds, minimum, rate } = parseOptions([]);
  expect({ nemeses, minimum }).toEqual({ nemeses: NEMESES, minimum: (rate * seconds) / 50 });
  for (const name of NEMESES) expect(parseOptions(['--nemesis', name]).nemeses).toEqual([name]);
  for (const name of WORKLOADS) {
    expect(parseOptions(['--workload', name]).workload).toBe(name);
    expect(workloadsOf(name).length).toBeGreaterThan(0);
  }
  expect(parseOptions(['--nemesis', 'none']).nemeses).toEqual([]);
});

test.each([
  [['--nemesis', 'kil'], '--nemesis kil is not known'],
  [['--workload', 'bank'], '--workload bank is not known'],
  [['--time', 'long'], '--time long is not a number from 1'],
  [['--clients', '1.5'], '--clients 1.5 is not a whole number'],
  [['--attach', '10.0.0.1:7400'], '"10.0.0.1:7400" is not a TCP multiaddr'],
  [
    ['--attach', '/ip4/10.0.0.1/tcp/1', '--nemesis', 'kill'],
    '--nemesis is for a cluster of our own',
  ],
  [
    ['--attach', '/ip4/10.0.0.1/tcp/1', '--replicas', '5'],
    '--replicas is for a cluster of our own',
  ],
  [['--attach', '/ip4/10.0.0.1/tcp/1', '--workload', 'escalation'], 'does not show'],
  [['--sead', '1'], "Unknown option '--sead'"],
])('%j is refused by name', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
