import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.ts';
import type { Entry } from '../../src/raft/types.ts';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import { digest, endOfAll, entriesAfter, hard, writing } from './entries.ts';
import { copyInUse, identity, remove, temporaryFolder } from './folders.ts';

const POINTS = process.env['FULL'] === '1' ? 1_000 : 60;
const POINTS_PER_LIFE = 20;
const { TEST_SEED: SEED = '20261126' } = process.env;

let root = '';
beforeEach(async () => {
  root = await temporaryFolder();
});
afterEach(() => remove(root));

/** Log files of LevelDB in use, with their lengths: what is in them now is synced. */
async function lengths(raft: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const name of await readdir(raft))
    if (name.endsWith('.log')) found.set(name, (await stat(join(raft, name))).size);
  return found;
}

/**
 * What a power cut leaves: all that was synced, and of what came after it any beginning. Files are compared before and after
 * a write is begun, and the copy is cut anywhere in between.
 */
async function cutPower(
  raft: string,
  synced: ReadonlyMap<string, number>,
  chance: Prng,
): Promise<void> {
  for (const [name, length] of await lengths(raft)) {
    const safe = synced.get(name) ?? 0;
    if (length > safe) await truncate(join(raft, name), chance.between(safe, length));
  }
}

test('after a power cut at any moment the log is what was acknowledged, and perhaps the write under way', async () => {
  const chance = new Prng(Number(SEED));
  for (let life = 0; life * POINTS_PER_LIFE < POINTS; life += 1)
    await cutOften(join(root, `data-${life}`), chance);
}, 900_000);

/** The power of one folder is cut many times while it is written. */
async function cutOften(path: string, chance: Prng): Promise<void> {
  await formatFolder(path, identity);
  const { store } = await openFolder(path);
  let log: Entry[] = [];
  try {
    await store.load();
    for (let point = 0; point < POINTS_PER_LIFE; point += 1) {
      const term = 1 + Math.floor(point / 10);
      for (let write = chance.between(0, 3); write > 0; write -= 1) {
        const more = entriesAfter(endOfAll(log), term, [chance.between(0, 900)]);
        await store.write(writing(more, hard(term, log.length)));
        log = [...log, ...more];
        if (chance.chance(0.3)) store.settle();
      }
      const synced = await lengths(join(path, 'raft'));
      const next = entriesAfter(endOfAll(log), term, [chance.between(0, 40_000), 10]);
      const writingNext = store.write(writing(next, hard(term, log.length)));
      const image = `${path}-${point}`;
      await copyInUse(path, image);
      await writingNext;
      await cutPower(join(image, 'raft'), synced, chance);
      const seen = await contentsOf(image);
      const whole = [...log, ...next];
      expect([digest(log), digest(whole)], `seed ${SEED}, ${image}`).toContainEqual(seen);
      log = whole;
      await remove(image);
    }
  } finally {
    await store.close();
  }
}

async function contentsOf(path: string): Promise<string[]> {
  const { store } = await openFolder(path);
  try {
    const { damage, hardState, tail } = await store.load();
    expect(damage, 'a write that nobody was told of is no damage').toBeUndefined();
    expect(hardState.abstain, 'nor a reason to be silent').toBeUndefined();
    return digest(tail);
  } finally {
    await store.close();
  }
}
