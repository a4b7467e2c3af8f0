import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import { endAfter } from '../../src/storage/log/log-state.ts';
import { recordOf } from '../../src/wire/log/record.ts';
import { digest, emptyLogEnd, entriesAfter } from './entries.ts';
import { identity, remove, temporaryFolder } from './folders.ts';

const ROUNDS = 8;
let root = '';
/** The child as plain JavaScript; within node_modules, where it finds its dependencies. */
let program = '';
let running: ChildProcess | undefined;

beforeAll(async () => {
  root = await temporaryFolder();
  program = await mkdtemp(resolve('node_modules', '.tocsin-kill-'));
  await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      ssr: resolve('test/storage/append-until-killed.ts'),
      outDir: program,
      target: 'node20',
    },
  });
});
afterAll(async () => {
  running?.kill('SIGKILL');
  await remove(root);
  await remove(program);
});

/**
 * Runs the child until it has acknowledged `count` entries, kills it, and returns the last index it
 * acknowledged.
 */
function runUntilKilled(path: string, count: number): Promise<number> {
  const file = join(program, 'append-until-killed.js');
  const child = spawn(process.execPath, [file, path], { stdio: ['ignore', 'pipe', 'pipe'] });
  running = child;
  let heard = '';
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => {
    complaint += text.toString();
  });
  child.stdout.on('data', (text: Buffer) => {
    heard += text.toString();
    if (heard.split('\n').length > count) child.kill('SIGKILL');
  });
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (_code, signal) => {
      if (signal !== 'SIGKILL') failed(new Error(`the child ended by itself: ${complaint}`));
      else done(Number(heard.trimEnd().split('\n').at(-1)));
    });
  });
}

test('kill -9 at any moment loses nothing that was acknowledged', async () => {
  const { TEST_SEED: seed = '20250301' } = process.env;
  const chance = new Prng(Number(seed));
  const path = join(root, 'data');
  await formatFolder(path, identity);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const acknowledged = await runUntilKilled(path, chance.between(1, 80));
    const { store } = await openFolder(path);
    try {
      const { tail, hardState } = await store.load();
      const last = tail.at(-1)?.index ?? 0;
      expect(last, `seed ${seed}, round ${round}`).toBeGreaterThanOrEqual(acknowledged);
      expect(last, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(acknowledged + 1);
      expect(hardState.commit).toBe(last - 1);
      let end = emptyLogEnd;
      for (const entry of tail) {
        const expected = entriesAfter(end, 1, [(end.index * 7919) % 4000]);
        expect(digest([entry])).toEqual(digest(expected));
        end = endAfter(recordOf(entry));
      }
    } finally {
      await store.close();
    }
  }
}, 30_000);
