import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import type { Entry } from '../../src/raft/types.ts';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import type { LogStore, Restored } from '../../src/storage/types.ts';
import { digest, emptyLogEnd, endOfAll, entriesAfter, hard, writing } from './entries.ts';
import { copy, identity, remove, temporaryFolder } from './folders.ts';
import { heal } from './heal.ts';

/** What one damage does to the bytes of a file; undefined = the file is deleted. */
type Damage = (bytes: Buffer, places: readonly number[]) => Buffer | undefined;

const damages: Readonly<Record<string, Damage>> = {
  'one bit flipped': (bytes, [place]) => flip(bytes, [place!]),
  'eight bits flipped': (bytes, places) => flip(bytes, places),
  'the end cut off': (bytes, [place]) => bytes.subarray(0, place! % (bytes.length + 1)),
  'the end zeroed': (bytes, [place]) => fill(bytes, place! % (bytes.length + 1), bytes.length),
  'a stretch zeroed': (bytes, [place, size]) =>
    fill(bytes, place! % (bytes.length + 1), size! % 5000),
  'a stretch written elsewhere': (bytes, [from, to, size]) => {
    const moved = Buffer.from(bytes);
    const start = from! % (bytes.length + 1);
    moved.set(
      bytes
        .subarray(start, start + (size! % 4096))
        .subarray(0, bytes.length - (to! % (bytes.length + 1))),
      to! % (bytes.length + 1),
    );
    return moved;
  },
  'garbage at the end': (bytes, places) =>
    Buffer.concat([bytes, Buffer.from(places.map((p) => p & 255))]),
  'the file deleted': () => undefined,
};

function flip(bytes: Buffer, places: readonly number[]): Buffer {
  const other = Buffer.from(bytes);
  for (const place of places)
    if (bytes.length > 0) other[(place >> 3) % bytes.length]! ^= 1 << (place & 7);
  return other;
}

const fill = (bytes: Buffer, from: number, length: number): Buffer => {
  const other = Buffer.from(bytes);
  return other.fill(0, Math.min(from, other.length), Math.min(from + length, other.length));
};

describe('a damaged folder', () => {
  let root = '';
  let original = '';
  let files: string[] = [];
  /** What was durable in the end. */
  let whole: Pick<Restored, 'hardState' | 'tail'>;
  let peer: LogStore;

  beforeAll(async () => {
    root = await temporaryFolder();
    original = join(root, 'original');
    await formatFolder(original, identity);
    let log: Entry[] = [];
    // Three lives, so that tables and a log file both hold some; a cut in each; records over
    // several 32 KiB blocks.
    for (const life of [1, 2, 3]) {
      const { store } = await openFolder(original);
      try {
        await store.load();
        for (let i = 0; i < 12; i += 1) {
          const keep = i === 6 ? log.length - 2 : log.length;
          const kept = log.slice(0, keep);
          const more = entriesAfter(endOfAll(kept), life, i === 4 ? [] : [i * 700, 90]);
          const cut = keep < log.length ? keep + 1 : undefined;
          log = [...kept, ...more];
          const hardState = hard(life, Math.max(0, log.length - 4));
          await store.write(writing(more, hardState, cut));
          whole = { hardState, tail: log };
        }
      } finally {
        await store.close();
      }
    }
    expect(log.length).toBeGreaterThan(50);
    expect(emptyLogEnd.index).toBe(0);
    files = (await readdir(join(original, 'raft')))
      .filter((name) => !/^LO(G|CK)/.test(name))
      .sort();
    await copy(original, join(root, 'peer'));
    peer = (await openFolder(join(root, 'peer'))).store;
    await peer.load();
  });
  afterAll(async () => {
    await peer.close();
    await remove(root);
  });

  const outcomes = new Map<string, number>();

  test('answers with all that was once durable, of which a peer gives back what is lost, or with a code', async () => {
    const { DAMAGE_RUNS: runs = '60', DAMAGE_REPORT: report } = process.env;
    let trial = 0;
    const damaged = fc.record({
      file: fc.nat(),
      kind: fc.constantFrom(...Object.keys(damages)),
      places: fc.array(fc.nat(0x7fffffff), { minLength: 8, maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(damaged, async ({ file, kind, places }) => {
        trial += 1;
        const path = join(root, `trial-${trial}`);
        try {
          await copy(original, path);
          const name = files[file % files.length]!;
          const bytes = damages[kind]!(await readFile(join(path, 'raft', name)), places);
          if (bytes === undefined) await rm(join(path, 'raft', name));
          else await writeFile(join(path, 'raft', name), bytes);
          await judge(path, `${name.replace(/\d+/, 'N')} ${kind}`);
        } finally {
          await remove(path);
        }
      }),
      { numRuns: Number(runs) },
    );
    if (report !== undefined)
      await writeFile(
        report,
        [...outcomes]
          .map(([what, n]) => `${n}\t${what}`)
          .sort()
          .join('\n'),
      );
  }, 300_000);

  async function judge(path: string, what: string): Promise<void> {
    const count = (outcome: string): void => {
      const key = `${what}: ${outcome}`;
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
    };
    try {
      const { store } = await openFolder(path);
      try {
        const { damage, hardState: found } = await store.load();
        const { tail, hardState } = await heal(store, peer);
        expect(digest(tail), 'another log').toEqual(digest(whole.tail));
        expect(hardState.term, 'an older term').toBe(whole.hardState.term);
        expect(hardState.commit).toBeLessThanOrEqual(whole.hardState.commit);
        count(damage === undefined ? 'whole' : 'healed');
        if (found.abstain === true) count('abstains');
      } finally {
        await store.close();
      }
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      expect(['DATA_CORRUPT', 'DATA_MISSING', 'DISK_FAILED']).toContain(error.code);
      count(error.code);
    }
  }
});
