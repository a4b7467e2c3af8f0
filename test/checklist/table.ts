/**
 * What a Raft engine has to show, and where this one shows it. docs/raft-tests.md is printed from these tables;
 * test/checklist.test.ts holds them against the tests that really exist.
 */

/** 'raft/votes › the title as written in the source', with ' › the row' of a table where one row is meant. */
export type TestName = string;

export type Item =
  | { readonly claim: string; readonly tests: readonly TestName[] }
  | { readonly claim: string; readonly notHere: string };

/** Numbered items under one heading, in order. */
export interface Chapter {
  readonly title: string;
  readonly items: ReadonlyMap<number, Item>;
}

/** A mistake that others made and this engine must not. */
export interface Pitfall {
  readonly item: Item;
  /** The mutant of test/mutants that puts the mistake back, or why there can be none. */
  readonly mutant: string | { readonly none: string };
}

export const by = (claim: string, ...tests: readonly TestName[]): Item => ({ claim, tests });
export const notHere = (claim: string, why: string): Item => ({ claim, notHere: why });

export const pitfall = (item: Item, mutant: Pitfall['mutant']): Pitfall => ({ item, mutant });

export const chapter = (title: string, items: Readonly<Record<number, Item>>): Chapter => ({
  title,
  items: new Map(Object.entries(items).map(([number, item]) => [Number(number), item])),
});
