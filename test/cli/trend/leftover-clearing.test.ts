import { describe, expect, it, onTestFinished } from 'vitest';
import { LeftoverClearing } from '../../../cli/trend/leftover-clearing.ts';
import { OpenConditions } from '../../../cli/trend/open-conditions.ts';
import type { ListedRule } from '../../../src/base/rules/listed-rules.ts';
import type { RuleSet } from '../../../src/base/rules/rules.ts';
import { TREND_LEFTOVERS_MS } from '../../../src/base/trend-limits.ts';
import type { Client } from '../../../src/client/client.ts';
import { MemoryCluster } from '../../../src/testing/memory-cluster.ts';
import { SeriesRegistry } from '../../../src/trend/series.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { HR_HIGH } from '../../hr-high.ts';

const HIGH: ListedRule = { list: 'rules', ...HR_HIGH, limit: 130, startAfter: 3, endAfter: 3 };
const NONE: RuleSet = { version: 1, name: 'none', revision: 1, rules: [], missing: [] };

/** A cluster with one rule in force, and one replica's trends, which know of patient p at device m. */
async function stage(options: { readonly hasRules?: boolean } = {}) {
  const cluster = await MemoryCluster.start();
  onTestFinished(() => cluster.close());
  const client = await cluster.connect();
  if (options.hasRules ?? true) await client.keep({ type: 'set-rule', rule: HIGH });
  const open = new OpenConditions(client);
  const registry = new SeriesRegistry();
  registry.register({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
  const clock = new VirtualClock();
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  /** What is left open after it has looked once, in which the cluster is asked by `asked`. */
  const look = async (rules: RuleSet, asked: Pick<Client, 'clear' | 'records'> = client) => {
    const clearing = new LeftoverClearing({
      client: asked,
      book: open.book,
      registry,
      clock,
      log,
    });
    clearing.use(rules);
    await clock.run(TREND_LEFTOVERS_MS);
    await clearing.close();
    const { value } = await client.list({ open: true });
    return value.alerts
      .filter(({ presence }) => presence === 'present')
      .map(({ dedupKey }) => dedupKey);
  };
  const raise = async (dedupKey: string, rule?: string): Promise<void> => {
    const [, patient = '', device, ...condition] = dedupKey.split(':');
    const isScore = dedupKey.startsWith('score:');
    await client.raise({
      dedupKey,
      priority: 'high',
      condition: isScore ? (device ?? '') : condition.join(':'),
      subject: isScore || device === undefined ? { patient } : { patient, device },
      ...(rule === undefined ? {} : { cause: { metric: 'HR', value: null, rule } }),
    });
  };
  const begin = async (): Promise<void> => {
    await open.start((error) => lines.push(error.message));
    onTestFinished(() => open.close());
  };
  return { client, raise, begin, look, lines };
}

describe('what removed rules have left', () => {
  it('is cleared though its stream never returns; all else stays', async () => {
    const { raise, begin, look, lines } = await stage();
    await raise('phys:p:m:HR:HI', 'hr-high@1');
    await raise('phys:p:m:HR:LO', 'hr-low@1');
    await raise('phys:p:m:HR:LO/by-hr-high', 'hr-high@1');
    await raise('score:p:NEWS2', 'news2@1');
    await raise('tech:p:m:CLOCK', 'device-clock@1');
    await raise('tech:p:m:HR:TEC');
    await raise('phys:elsewhere:m:HR:LO', 'hr-low@1');
    await raise('other:p:m:HR:LO', 'hr-low@1');
    await begin();
    expect(await look({ ...NONE, rules: [HIGH] })).toEqual([
      'phys:p:m:HR:HI',
      'tech:p:m:CLOCK',
      'tech:p:m:HR:TEC',
      'phys:elsewhere:m:HR:LO',
      'other:p:m:HR:LO',
    ]);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe('phys:p:m:HR:LO is cleared: its rule hr-low is no longer in force');
  });

  it('is not what a rule raised of which this replica has not heard yet', async () => {
    const { raise, begin, look } = await stage();
    await raise('phys:p:m:HR:HI', 'hr-high@1');
    await begin();
    expect(await look(NONE)).toEqual(['phys:p:m:HR:HI']);
  });

  it('is not what is raised again while the cluster is asked', async () => {
    const { client, raise, begin, look, lines } = await stage();
    await raise('phys:p:m:HR:LO', 'hr-low@1');
    await begin();
    const asked = {
      clear: client.clear.bind(client),
      records: (async (...args: Parameters<Client['records']>) => {
        const answer = await client.records(...args);
        await raise('phys:p:m:HR:LO', 'hr-low@2');
        return answer;
      }) as Client['records'],
    };
    expect(await look(NONE, asked)).toEqual(['phys:p:m:HR:LO']);
    expect(lines).toEqual([]);
  });

  it('is left, and told of, while each replica judges by a file of its own', async () => {
    const { raise, begin, look, lines } = await stage({ hasRules: false });
    await raise('phys:p:m:HR:LO', 'hr-low@1');
    await begin();
    expect(await look(NONE)).toEqual(['phys:p:m:HR:LO']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('no rule here raises phys:p:m:HR:LO, and none is in force');
  });
});
