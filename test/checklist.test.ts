import { describe, expect, test } from 'vitest';
import { CHAPTERS, PITFALLS } from './checklist/index.ts';
import type { Item } from './checklist/table.ts';
import { complaintAbout, type Titles, titlesIn } from './checklist/titles.ts';
import { MUTANTS } from './mutants/table.ts';

const ITEMS = 206;
const PITFALLS_KNOWN = 74;

const read = new Map<string, Titles | undefined>();
const titles = (file: string): Titles | undefined => {
  if (!read.has(file)) read.set(file, titlesIn(file));
  return read.get(file);
};

const complaints = (items: readonly Item[]): string[] =>
  items.flatMap((item) =>
    'tests' in item ? item.tests.flatMap((name) => complaintAbout(name, titles) ?? []) : [],
  );

const numbers = CHAPTERS.flatMap(({ items }) => [...items.keys()]);
const items = CHAPTERS.flatMap(({ items: each }) => [...each.values()]);

describe('the list of what a Raft engine has to show', () => {
  test(`has all ${ITEMS} items, in order`, () => {
    expect(numbers).toEqual(Array.from({ length: ITEMS }, (_, at) => at + 1));
    expect(PITFALLS).toHaveLength(PITFALLS_KNOWN);
  });

  test('names only tests that are there', () => {
    expect(complaints(items)).toEqual([]);
    expect(complaints(PITFALLS.map(({ item }) => item))).toEqual([]);
  });

  test('proves an item by at least one test, or says why not', () => {
    for (const item of [...items, ...PITFALLS.map((pitfall) => pitfall.item)]) {
      if ('tests' in item) expect(item.tests, item.claim).not.toEqual([]);
      if ('notHere' in item) expect(item.notHere, item.claim).not.toBe('');
    }
  });

  test('puts each mistake back by a mutant, or says why there can be none', () => {
    const known = new Set(MUTANTS.map(({ name }) => name));
    for (const { mutant } of PITFALLS)
      if (typeof mutant === 'string') expect(known).toContain(mutant);
      else expect(mutant.none).not.toBe('');
  });

  test('finds out a test, a file or a row that is not there', () => {
    expect(complaintAbout('raft/votes › no such claim', titles)).toContain('no test of that title');
    expect(complaintAbout('raft/nothing › at all', titles)).toContain('no such file');
    const row = 'raft/replication › a follower %s (§5.3)';
    expect(complaintAbout(`${row} › cuts what conflicts`, titles)).toBeUndefined();
    expect(complaintAbout(`${row} › sings`, titles)).toContain('no such row');
  });
});
