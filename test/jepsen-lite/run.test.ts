import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jepsen } from './harness.ts';

const SEED = process.env['SEED'] ?? `${Date.now()}`;

test.each([
  ['proxy', 'kill,isolate,one-way,loss,pause,reset,duplicate,reorder'],
  ['auto', 'kill,halves,clients,loss,members,disk-slow'],
])(
  `a short run under faults over the network %s is valid, and leaves a report (SEED=${SEED})`,
  {
    timeout: 120_000,
  },
  async (network, nemeses) => {
    const out = await mkdtemp(join(tmpdir(), 'tocsin-jepsen-'));
    try {
      const load = ['--time', '6', '--rate', '100', '--interval', '0.7', '--lasts', '0.7'];
      const faults = ['--nemesis', nemeses, '--network', network, '--minimum', '20'];
      const { status, printed } = await jepsen([
        ...load,
        ...faults,
        '--seed',
        SEED,
        '--out',
        out,
        '--json',
      ]);
      const said = JSON.parse(printed);
      expect({ status, verdict: said.verdict, why: said.why }).toEqual({
        status: 0,
        verdict: 'valid',
        why: [],
      });
      expect(Object.keys(said.faults).length).toBeGreaterThan(0);
      const page = await readFile(join(out, 'report.html'), 'utf8');
      expect(page).toContain('<svg');
      expect(page).not.toMatch(/(src|href)=/);
      const lines = (await readFile(join(out, 'history.jsonl'), 'utf8')).trim().split('\n');
      expect(lines.length).toBeGreaterThan(said.checks.operations);
      for (const line of lines) JSON.parse(line);
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  },
);

test('a run in which too little was acknowledged is void', { timeout: 120_000 }, async () => {
  const out = await mkdtemp(join(tmpdir(), 'tocsin-jepsen-'));
  try {
    const args = ['--time', '1', '--nemesis', 'none', '--replicas', '1', '--minimum', '100000'];
    const { status, printed } = await jepsen([...args, '--out', out, '--json']);
    expect({ status, verdict: JSON.parse(printed).verdict }).toEqual({
      status: 2,
      verdict: 'VOID',
    });
  } finally {
    await rm(out, { recursive: true, force: true });
  }
});
