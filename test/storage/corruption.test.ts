import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { Prng } from '../../src/base/prng.ts';
import { openFolder } from '../../src/storage/data-folder.ts';
import { findTableDamage } from '../../src/storage/level/level-table.ts';
import { decodeMark } from '../../src/storage/log/high-water.ts';
import { decodeMeta } from '../../src/storage/snapshots.ts';
import type { LogStore } from '../../src/storage/types.ts';
import { recordOf } from '../../src/wire/log/record.ts';
import { Figures } from './corruption/figures.ts';
import { copySample, kindOf, makeSample, type Sample } from './corruption/sample.ts';
import {
  chunksJudge,
  currentJudge,
  entryJudge,
  identityJudge,
  type Judge,
  logJudge,
  manifestJudge,
  markJudge,
  metaJudge,
  tableJudge,
  type Verdict,
} from './corruption/verdicts.ts';
import { digest } from './entries.ts';
import { remove, temporaryFolder } from './folders.ts';
import { heal } from './heal.ts';

/**
 * Every bit flipped and every length cut, of every file of a real data folder of a megabyte. `npm run test:corruption` takes
 * all of them and prints the figures; otherwise a part of them, spread evenly.
 */
const FULL = process.env['FULL'] === '1';
/** Prime, so that every bit of a byte, and every kind of byte, has its turn. */
const STRIDE = FULL ? 1 : 499;
const OPENED = FULL ? 1_500 : 60;
const { TEST_SEED: SEED = '20261126' } = process.env;

describe('a megabyte of a data folder', () => {
  let root = '';
  let sample: Sample;
  let peer: LogStore;
  let trial = 0;
  const figures = new Figures();

  beforeAll(async () => {
    root = await temporaryFolder();
    sample = await makeSample(join(root, 'sample'));
    await copySample(sample, join(root, 'peer'));
    peer = (await openFolder(join(root, 'peer'))).store;
    await peer.load();
  });
  afterAll(async () => {
    await peer.close();
    await remove(root);
  });

  const fileLike = (pattern: RegExp): Buffer => {
    const found = [...sample.files].find(([name]) => pattern.test(name));
    return must(found, `no file like ${pattern}`)[1];
  };

  function judgeOf(name: string, bytes: Buffer): Judge {
    if (name.endsWith('.ldb')) return tableJudge(bytes);
    if (name.endsWith('.log')) return logJudge(bytes, markSequence());
    if (name.startsWith('MANIFEST')) return manifestJudge(bytes);
    if (name === 'CURRENT') return currentJudge();
    if (name === 'high-water') return markJudge(bytes);
    if (name === 'identity') return identityJudge(bytes);
    if (name.endsWith('.meta')) return metaJudge(bytes);
    const meta = sample.files.get(name.replace(/\.data$/, '.meta'));
    return chunksJudge(must(decodeMeta(must(meta, `what is ${name}?`)), 'its meta'));
  }

  const markSequence = (): number =>
    must(decodeMark(fileLike(/^high-water$/)), 'the mark').mark.sequence;

  test('has all kinds of files in it, and is whole', async () => {
    const bytes = [...sample.files.values()].reduce((sum, { length }) => sum + length, 0);
    expect(bytes).toBeGreaterThan(1_000_000);
    const kinds = new Set([...sample.files.keys()].map(kindOf));
    expect([...kinds].sort()).toEqual([
      'CURRENT',
      'MANIFEST',
      'high-water',
      'identity',
      'log file (.log)',
      'snapshot chunks (.data)',
      'snapshot meta (.meta)',
      'table (.ldb)',
    ]);
    expect(await open((path) => path)).toBe('harmless');
  });

  test('shows every flipped bit and every cut, in memory', { timeout: 3_600_000 }, () => {
    for (const [name, bytes] of sample.files)
      figures.take(kindOf(name), name, bytes, judgeOf(name, bytes), STRIDE);
    for (const entry of sample.log) {
      const { bytes } = recordOf(entry);
      figures.take(
        'entry record',
        `entry ${entry.index}`,
        Buffer.from(bytes),
        entryJudge(),
        STRIDE,
      );
    }
    expect(figures.silent).toEqual([]);
  });

  test('a table as a whole is judged as its blocks are', { timeout: 600_000 }, () => {
    for (const [name, whole] of sample.files) {
      if (!name.endsWith('.ldb')) continue;
      const bytes = Buffer.from(whole);
      for (let bit = 0; bit < bytes.length * 8; bit += FULL ? 997 : 19_997) {
        const mask = 1 << (bit & 7);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ mask;
        expect(findTableDamage(bytes), `${name}, bit ${bit}`).toBeDefined();
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ mask;
      }
    }
  });

  test('what the bytes alone do not tell, an open folder does', {
    timeout: 3_600_000,
  }, async () => {
    for (const each of figures.undecided) {
      const verdict = await open((path) => writeFile(join(path, 'raft', each.name), each.damaged));
      expect(verdict, `${each.name}: ${each.what}`).not.toBe('SILENT');
      figures.decide(each, kindOf(each.name), verdict);
    }
  });

  const opened = new Map<string, number>();
  test('really opened, nothing wrong is ever served, and a peer gives back the rest', {
    timeout: 3_600_000,
  }, async () => {
    const chance = new Prng(Number(SEED));
    const names = [...sample.files.keys()];
    for (let turn = 0; turn < OPENED; turn += 1) {
      const name = must(names[turn % names.length], 'a file');
      const bytes = Buffer.from(must(sample.files.get(name), name));
      const at = chance.between(0, bytes.length - 1);
      const isCut = chance.chance(0.3);
      const bit = chance.between(0, 7);
      const verdict = await open((path) => {
        const file = join(path, 'raft', name);
        if (isCut) return truncate(file, at);
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        return writeFile(file, bytes);
      });
      const what = `${name}, ${isCut ? 'cut at' : `bit ${bit} of byte`} ${at}`;
      expect(verdict, `seed ${SEED}: ${what}`).not.toBe('SILENT');
      const key = `${kindOf(name)} ${isCut ? 'cut' : 'flipped'}: ${verdict}`;
      opened.set(key, (opened.get(key) ?? 0) + 1);
    }
  });

  /** Opens a copy that was changed: what does the product make of it, and does a peer bring it back to what was written? */
  async function open(change: (path: string) => unknown): Promise<Verdict> {
    trial += 1;
    const path = join(root, `trial-${trial}`);
    await copySample(sample, path);
    await change(path);
    try {
      const { store } = await openFolder(path);
      try {
        return await judgeStore(store);
      } finally {
        await store.close();
      }
    } catch (error) {
      if (!TocsinError.is(error) || error.code !== 'DATA_CORRUPT') throw error;
      return 'detected';
    } finally {
      await remove(path);
    }
  }

  async function judgeStore(store: LogStore): Promise<Verdict> {
    const first = await store.load();
    const healed = await heal(store, peer);
    const whole = sample.log.slice(healed.base.index);
    const isSame = digest(healed.tail).join() === digest(whole).join();
    const isTerm = healed.hardState.term === whole.at(-1)?.term;
    if (!isSame || !isTerm || healed.damage !== undefined) return 'SILENT';
    const { snapshot } = healed;
    if (snapshot === undefined || snapshot.index < healed.base.index) return 'SILENT';
    for (const number of snapshot.chunks.keys())
      if (
        Buffer.compare(
          await store.snapshots.readChunk(snapshot.id, number),
          await chunkOf(snapshot.id, number),
        ) !== 0
      )
        return 'SILENT';
    return first.damage === undefined ? 'harmless' : 'detected';
  }

  const chunkOf = (id: string, number: number): Promise<Uint8Array> =>
    peer.snapshots.readChunk(id, number);

  test('the figures', () => {
    if (!FULL) return;
    const counts = [...opened]
      .sort()
      .map(([what, count]) => `${String(count).padStart(6)}  ${what}`);
    process.stdout.write(
      `\n${figures.table()}\n\nreally opened, loaded and healed by a peer (seed ${SEED}):\n${counts.join('\n')}\n`,
    );
  });
});
