import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import type { Entry, HardState } from '../../src/raft/types.ts';
import type { LogStore, TermStart } from '../../src/storage/types.ts';
import { damageContract } from './damage-contract.ts';
import { at, digest, emptyLogEnd, endOfAll, entriesAfter, hard, writing } from './entries.ts';
import type { Rig } from './rig.ts';
import { scrubContract } from './scrub-contract.ts';
import { snapshotContract } from './snapshot-contract.ts';

/** What every log store promises, whatever it stores in. */
export function logStoreContract(name: string, makeRig: () => Promise<Rig>): void {
  damageContract(name, makeRig);
  scrubContract(name, makeRig);
  describe(`${name} keeps the log store contract`, () => {
    let rig: Rig;
    let opened: LogStore[] = [];
    const open = async (): Promise<LogStore> => {
      const store = await rig.open();
      opened.push(store);
      return store;
    };

    beforeEach(async () => {
      rig = await makeRig();
    });
    afterEach(async () => {
      for (const store of opened) await store.close();
      opened = [];
      await rig.dispose();
    });

    reopening(open, () => rig);
    replacing(open);
    reading(open);
    refusing(open, () => rig);
    snapshotContract(open, () => rig);
    stories(makeRig);
  });
}

type Open = () => Promise<LogStore>;

function reopening(open: Open, rig: () => Rig): void {
  test('a new log is empty, in term 0, without a vote', async () => {
    const store = await open();
    expect(await store.load()).toEqual({
      hardState: hard(0),
      damage: undefined,
      snapshot: undefined,
      base: emptyLogEnd,
      tail: [],
      terms: [],
      configurations: [],
    });
  });

  test.each(['close', 'crash'] as const)('what was written is there after %s', async (how) => {
    const store = await open();
    await store.load();
    const first = entriesAfter(emptyLogEnd, 3, [0, 10, 300]);
    const second = entriesAfter(endOfAll(first), 5, [7]);
    await store.write(writing(first, hard(3, 0, replicaId(2))));
    await store.write(writing(second, hard(5, 3)));
    await (how === 'close' ? store.close() : rig().crash(store));

    const again = await open();
    const restored = await again.load();
    expect(restored.hardState).toEqual(hard(5, 3));
    expect(digest(restored.tail)).toEqual(digest([...first, ...second]));
    expect(restored.terms).toEqual([
      { from: 1, term: 3 },
      { from: 4, term: 5 },
    ]);
  });

  test.each([1, 2, 65_535])('a vote for replica %d survives', async (id) => {
    const store = await open();
    await store.load();
    await store.write(writing([], hard(9, 0, replicaId(id))));
    await store.close();
    const again = await open();
    expect((await again.load()).hardState).toEqual(hard(9, 0, replicaId(id)));
  });

  test('a write without hard state keeps the one before', async () => {
    const store = await open();
    await store.load();
    await store.write(writing([], hard(2, 0, replicaId(3))));
    await store.write(writing(entriesAfter(emptyLogEnd, 2, [1])));
    await rig().crash(store);
    expect((await (await open()).load()).hardState).toEqual(hard(2, 0, replicaId(3)));
  });
}

function replacing(open: Open): void {
  test('entries from a cut on are replaced by those of another term', async () => {
    const store = await open();
    await store.load();
    const old = entriesAfter(emptyLogEnd, 1, [5, 5, 5, 5, 5]);
    await store.write(writing(old, hard(1, 2)));
    const kept = old.slice(0, 2);
    const fresh = entriesAfter(endOfAll(kept), 4, [9]);
    await store.write(writing(fresh, hard(4, 2), 3));
    expect(digest(await store.read(at(1), at(3), 1e6))).toEqual(digest([...kept, ...fresh]));
    await store.close();
    const restored = await (await open()).load();
    expect(digest(restored.tail)).toEqual(digest([...kept, ...fresh]));
    expect(restored.terms).toEqual(runsOf([...kept, ...fresh]));
  });

  test.each([1, 2, 4])('a cut from %d on with nothing after it', async (from) => {
    const store = await open();
    await store.load();
    const old = entriesAfter(emptyLogEnd, 1, [5, 5, 5, 5]);
    await store.write(writing(old, hard(1)));
    await store.write(writing([], undefined, from));
    await store.close();
    expect(digest((await (await open()).load()).tail)).toEqual(digest(old.slice(0, from - 1)));
  });

  test('nothing that agreement forbids is written', async () => {
    const store = await open();
    await store.load();
    const log = entriesAfter(emptyLogEnd, 2, [1, 2, 3]);
    await store.write(writing(log, hard(2, 2, replicaId(1))));
    const next = entriesAfter(endOfAll(log), 2, [4, 5]);
    const forbidden = [
      ['a gap', writing(next.slice(1))],
      ['an entry twice', writing(log.slice(2))],
      ['another history', writing(entriesAfter({ ...endOfAll(log), chain: 1 }, 2, [4]))],
      ['a term that falls', writing(entriesAfter(endOfAll(log), 1, [4]))],
      ['an entry beyond the current term', writing(entriesAfter(endOfAll(log), 3, [4]))],
      ['a cut of what is committed', writing([], undefined, 2)],
      ['a cut behind the end', writing([], undefined, 5)],
      ['a cut that leaves a gap', writing(next, undefined, 3)],
      ['an older current term', writing([], hard(1, 2))],
      ['a second vote', writing([], hard(2, 2, replicaId(2)))],
      ['a vote taken back', writing([], hard(2, 2))],
      ['a commit that falls', writing([], hard(2, 1, replicaId(1)))],
      ['a commit beyond the log', writing([], hard(2, 4, replicaId(1)))],
    ] as const;
    for (const [what, batch] of forbidden)
      await expect(store.write(batch), what).rejects.toThrow(
        expect.objectContaining({ name: 'BugError' }),
      );
    await store.write(writing(next, undefined, 4));
    expect(digest(await store.read(at(1), at(5), 1e6))).toEqual(digest([...log, ...next]));
  });
}

function reading(open: Open): void {
  test('a page holds what fits, and always at least one entry', async () => {
    const store = await open();
    await store.load();
    // Records of 100 and 1,000 bytes.
    const log = entriesAfter(emptyLogEnd, 1, [36, 36, 936, 36, 36]);
    await store.write(writing(log, hard(1)));
    const lengthOf = async (from: number, to: number, bytesMax: number): Promise<number> =>
      (await store.read(at(from), at(to), bytesMax)).length;

    expect(await lengthOf(1, 5, 1)).toBe(1);
    expect(await lengthOf(1, 5, 199)).toBe(1);
    expect(await lengthOf(1, 5, 200)).toBe(2);
    expect(await lengthOf(1, 5, 1199)).toBe(2);
    expect(await lengthOf(1, 5, 1200)).toBe(3);
    expect(await lengthOf(3, 5, 10)).toBe(1);
    expect(await lengthOf(1, 5, 1e9)).toBe(5);
    expect(await lengthOf(2, 4, 1e9)).toBe(3);
    expect(await lengthOf(5, 5, 1e9)).toBe(1);
  });

  test('reading page by page gives the whole log', async () => {
    const store = await open();
    await store.load();
    const sizes = Array.from({ length: 700 }, (_, i) => (i * 7919) % 3000);
    const log = entriesAfter(emptyLogEnd, 1, sizes);
    await store.write(writing(log, hard(1)));
    const seen: Entry[] = [];
    while (seen.length < log.length)
      seen.push(...(await store.read(at(seen.length + 1), at(log.length), 10_000)));
    expect(digest(seen)).toEqual(digest(log));
  });

  test('a page beyond the log, or an empty one, is a bug of the caller', async () => {
    const store = await open();
    await store.load();
    await store.write(writing(entriesAfter(emptyLogEnd, 1, [1, 1]), hard(1)));
    for (const [from, to, bytesMax] of [
      [1, 3, 10],
      [0, 2, 10],
      [2, 1, 10],
      [1, 2, 0],
    ] as const)
      await expect(store.read(at(from), at(to), bytesMax)).rejects.toThrow(
        expect.objectContaining({ name: 'BugError' }),
      );
  });
}

function refusing(open: Open, rig: () => Rig): void {
  const coded = (code: string): Error => expect.objectContaining({ code });

  test('a second store on the same disk is refused until the first is closed', async () => {
    const store = await open();
    await expect(open()).rejects.toThrow(coded('DATA_LOCKED'));
    await store.close();
    await (await open()).load();
  });

  test('after a failed write everything fails, until the next start', async () => {
    const store = await open();
    await store.load();
    const log = entriesAfter(emptyLogEnd, 1, [1]);
    await store.write(writing(log, hard(1)));
    rig().failNextWrite();
    const more = entriesAfter(endOfAll(log), 1, [2]);
    await expect(store.write(writing(more))).rejects.toThrow(coded('DISK_FAILED'));
    await expect(store.write(writing(more))).rejects.toThrow(coded('DISK_FAILED'));
    await expect(store.read(at(1), at(1), 100)).rejects.toThrow(coded('DISK_FAILED'));
    await expect(store.load()).rejects.toThrow(coded('DISK_FAILED'));
    await store.close();
    const { tail } = await (await open()).load();
    expect(digest([...log, ...more]).slice(0, tail.length)).toEqual(digest(tail));
    expect(tail.length).toBeGreaterThanOrEqual(1);
  });

  test('a closed store says so, and may be closed again', async () => {
    const store = await open();
    await store.load();
    await store.close();
    await store.close();
    await expect(store.load()).rejects.toThrow(coded('CLOSED'));
    await expect(store.write(writing([], hard(1)))).rejects.toThrow(coded('CLOSED'));
    await expect(store.read(at(1), at(1), 1)).rejects.toThrow(coded('CLOSED'));
  });

  test('a second write before the first is done is a bug of the caller', async () => {
    const store = await open();
    await store.load();
    const first = store.write(writing([], hard(1)));
    await expect(store.write(writing([], hard(2)))).rejects.toThrow('a write is under way');
    await first;
    await store.write(writing([], hard(2)));
  });

  test('closing waits for the write under way', async () => {
    const store = await open();
    await store.load();
    const log = entriesAfter(emptyLogEnd, 1, [100_000]);
    const write = store.write(writing(log, hard(1)));
    await store.close();
    await write;
    expect(digest((await (await open()).load()).tail)).toEqual(digest(log));
  });
}

type Step =
  | { readonly do: 'append'; readonly sizes: readonly number[]; readonly newTerm: boolean }
  | { readonly do: 'replace'; readonly back: number; readonly sizes: readonly number[] }
  | { readonly do: 'commit' | 'close' | 'crash' }
  | { readonly do: 'vote'; readonly id: number }
  | { readonly do: 'read'; readonly from: number; readonly to: number; readonly bytesMax: number };

const sizes = fc.array(fc.oneof(fc.nat(100), fc.nat(5000)), { maxLength: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('append'), sizes, newTerm: fc.boolean() }),
  fc.record({ do: fc.constant('replace'), back: fc.nat(8), sizes }),
  fc.record({ do: fc.constantFrom('commit', 'close', 'crash') }),
  fc.record({ do: fc.constant('vote'), id: fc.integer({ min: 1, max: 5 }) }),
  fc.record({
    do: fc.constant('read'),
    from: fc.nat(30),
    to: fc.nat(30),
    bytesMax: fc.integer({ min: 1, max: 20_000 }),
  }),
);

function stories(makeRig: () => Promise<Rig>): void {
  test('any story of writes, restarts and crashes leaves what a plain list says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const rig = await makeRig();
        const story = new Story(rig);
        try {
          await story.start();
          for (const each of steps) await story.take(each);
          await story.restart('crash');
        } finally {
          await story.end();
          await rig.dispose();
        }
      }),
      { numRuns: 30 },
    );
  }, 30_000);
}

/** A store and the plain list it has to equal. */
class Story {
  readonly #rig: Rig;
  #store: LogStore | undefined;
  #entries: Entry[] = [];
  #hardState: HardState = hard(0);

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  async start(): Promise<void> {
    this.#store = await this.#rig.open();
    const restored = await this.#store.load();
    expect(restored.hardState).toEqual(this.#hardState);
    expect(digest(restored.tail)).toEqual(digest(this.#entries));
    expect(restored.terms).toEqual(runsOf(this.#entries));
  }

  async restart(how: 'close' | 'crash'): Promise<void> {
    const store = this.#store!;
    await (how === 'close' ? store.close() : this.#rig.crash(store));
    await this.start();
  }

  async end(): Promise<void> {
    await this.#store?.close();
  }

  async take(step: Step): Promise<void> {
    const { term: now, commit } = this.#hardState;
    const last = this.#entries.length;
    switch (step.do) {
      case 'append':
        return this.#write(
          last,
          step.sizes,
          hard(step.newTerm ? now + 1 : Math.max(now, 1), commit),
        );
      case 'replace':
        return this.#write(Math.max(commit, last - step.back), step.sizes, hard(now + 1, commit));
      case 'commit':
        return this.#write(last, [], { ...this.#hardState, commit: at(last) });
      case 'vote':
        return this.#write(last, [], hard(now + 1, commit, replicaId(step.id)));
      case 'read':
        return this.#read(step.from, step.to, step.bytesMax);
      case 'close':
      case 'crash':
        return this.restart(step.do);
    }
  }

  async #write(keep: number, sizes: readonly number[], next: HardState): Promise<void> {
    const kept = this.#entries.slice(0, keep);
    const more = entriesAfter(endOfAll(kept), next.term, sizes);
    const vote = next.term === this.#hardState.term ? this.#hardState.vote : next.vote;
    this.#hardState = { ...next, vote };
    const cut = keep < this.#entries.length ? keep + 1 : undefined;
    await this.#store!.write(writing(more, this.#hardState, cut));
    this.#entries = [...kept, ...more];
  }

  async #read(from: number, to: number, bytesMax: number): Promise<void> {
    const last = this.#entries.length;
    if (last === 0) return;
    const first = 1 + (from % last);
    const end = first + (to % (last - first + 1));
    const got = await this.#store!.read(at(first), at(end), bytesMax);
    const wanted = this.#entries.slice(first - 1, end);
    let bytes = 0;
    const fit = wanted.filter((entry, i) => {
      bytes += entry.payload.byteLength;
      return i === 0 || bytes <= bytesMax;
    });
    expect(digest(got)).toEqual(digest(fit));
  }
}

/** Where each run of equal terms begins. */
export function runsOf(entries: readonly Entry[]): TermStart[] {
  const runs: TermStart[] = [];
  for (const entry of entries)
    if (runs.at(-1)?.term !== entry.term) runs.push({ from: entry.index, term: entry.term });
  return runs;
}
