import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, term } from '../../src/base/ids.ts';
import { SETTLE_TICKS } from '../../src/base/limits.ts';
import type { Entry, Message, Ready } from '../../src/raft/types.ts';
import { DiskWriter } from '../../src/replica/pipeline/disk-writer.ts';
import { type HeldWrite, MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import { CLUSTER, digest, endOfAll, entriesAfter, hard } from '../storage/entries.ts';
import { numbered, numberOf, readyOf } from './scripted.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a core would do between two Readys: cut some entries off and append others, several times over. */
interface Change {
  readonly cut: number;
  readonly append: number;
}

/** A log and a writer: changes go in as Readys, and the disk takes its time. */
class Stage {
  readonly held: HeldWrite[] = [];
  readonly released: number[] = [];
  readonly snapshots: string[] = [''];
  readonly faults: unknown[] = [];
  readonly disk: MemoryDisk = new MemoryDisk(CLUSTER);
  readonly store = this.disk.open();
  readonly writer: DiskWriter;
  idles = 0;
  log: Entry[] = [];
  #term = 1;

  constructor() {
    this.disk.onWrite = (write) => this.held.push(write);
    this.writer = new DiskWriter(this.store, logIndex(0), {
      release: (messages) => this.release(messages),
      idle: () => {
        this.idles += 1;
      },
      failed: (error) => this.faults.push(error),
    });
  }

  static async open(): Promise<Stage> {
    const stage = new Stage();
    await stage.store.load();
    return stage;
  }

  release(messages: readonly Message[]): void {
    for (const message of messages) this.released.push(numberOf(message));
  }

  /** The Ready that these changes, all in one turn, lead to. */
  change(changes: readonly Change[], withMessage: boolean): void {
    let append: Entry[] = [];
    let truncateFrom: number | undefined;
    for (const { cut, append: count } of changes) {
      const keep = Math.max(0, this.log.length - cut);
      if (keep < this.log.length) {
        this.#term += 1;
        append = append.filter((entry) => entry.index <= keep);
        truncateFrom = Math.min(truncateFrom ?? keep + 1, keep + 1);
        this.log = this.log.slice(0, keep);
      }
      const added = entriesAfter(endOfAll(this.log), this.#term, Array(count).fill(3));
      this.log.push(...added);
      append.push(...added);
    }
    const writes = append.length > 0 || truncateFrom !== undefined;
    this.snapshots.push(digest(this.log).join());
    this.add(
      readyOf({
        append,
        truncateFrom: truncateFrom === undefined ? undefined : logIndex(truncateFrom),
        hardState: writes ? { ...hard(this.#term), term: term(this.#term) } : undefined,
        sendAfterSync: withMessage ? [numbered(this.snapshots.length - 1)] : [],
      }),
    );
  }

  add(ready: Ready): void {
    this.release(this.writer.add(ready));
  }

  /** The newest Ready whose state the disk holds. */
  async onDisk(): Promise<number> {
    return this.snapshots.lastIndexOf(digest((await this.store.load()).tail).join());
  }
}

const aChange = fc.record({ cut: fc.nat(4), append: fc.integer({ min: 1, max: 4 }) });
const aStep = fc.oneof(
  fc.record({ do: fc.constant('ready' as const), changes: fc.array(aChange, { maxLength: 3 }) }),
  fc.record({ do: fc.constant('start' as const) }),
  fc.record({ do: fc.constant('complete' as const) }),
);

test('whatever is cut and appended while the disk is slow, it ends up there, and no message leaves before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { maxLength: 40 }), async (steps) => {
      const stage = new Stage();
      const { writer } = stage;
      for (const step of [...steps, ...Array(3).fill({ do: 'start' }).flatMap(finish)]) {
        if (step.do === 'ready') stage.change(step.changes, true);
        else if (step.do === 'start') writer.start();
        else stage.held.shift()?.complete();
        await turn();
        expect(stage.faults).toEqual([]);
        // What is called durable can be read, and is what the log holds.
        if (writer.durable > 0) {
          const read = await stage.store.read(logIndex(1), writer.durable, 1e6);
          expect(digest(read)).toEqual(digest(stage.log.slice(0, writer.durable)));
        }
        if (!writer.writing) {
          const reached = await stage.onDisk();
          for (const number of stage.released) expect(number).toBeLessThanOrEqual(reached);
        }
      }
      expect(await stage.onDisk()).toBe(stage.snapshots.length - 1);
      expect(writer.durable).toBe(stage.log.length);
      const all = stage.snapshots.slice(1).map((_, at) => at + 1);
      expect(stage.released).toEqual(all);
    }),
    { numRuns: 300 },
  );
});

const finish = (start: { do: 'start' }) => [start, { do: 'complete' as const }];

test('a cut of entries that only wait to be written is no cut of the disk', async () => {
  const stage = await Stage.open();
  stage.change([{ cut: 0, append: 2 }], true);
  stage.writer.start();
  stage.change([{ cut: 0, append: 3 }], true);
  stage.change([{ cut: 1, append: 1 }], true);
  stage.held.shift()?.complete();
  await turn();
  stage.writer.start();
  await turn();
  expect(stage.faults).toEqual([]);
  expect(stage.held[0]?.batch.truncateFrom).toBeUndefined();
  stage.held.shift()?.complete();
  await turn();
  expect(stage.writer.durable).toBe(5);
});

test('after a failed write nothing more is released, nothing is written, and the fault is told once', async () => {
  const stage = await Stage.open();
  stage.change([{ cut: 0, append: 1 }], true);
  stage.writer.start();
  stage.change([{ cut: 0, append: 1 }], true);
  stage.add(readyOf({ sendAfterSync: [numbered(9)] }));
  stage.held.shift()?.fail('kept');
  await turn();
  stage.writer.start();
  await turn();
  expect(stage.released).toEqual([]);
  expect(stage.held).toEqual([]);
  expect(stage.idles).toBe(0);
  expect(stage.faults).toMatchObject([{ code: 'DISK_FAILED' }]);
});

test('a message that depends on the write under way alone does not wait for the next one', async () => {
  const stage = await Stage.open();
  stage.change([{ cut: 0, append: 1 }], true);
  stage.writer.start();
  stage.add(readyOf({ sendAfterSync: [numbered(2)] }));
  expect(stage.released).toEqual([]);
  stage.held.shift()?.complete();
  await turn();
  expect(stage.released).toEqual([1, 2]);
  stage.add(readyOf({ sendAfterSync: [numbered(3)] }));
  expect(stage.released).toEqual([1, 2, 3]);
});

test('the store settles in a pause, and not between the writes of one who asks again at once', async () => {
  const stage = await Stage.open();
  let settled = 0;
  stage.store.settle = () => {
    settled += 1;
  };
  for (let write = 0; write < 5; write += 1) {
    stage.change([{ cut: 0, append: 1 }], true);
    stage.writer.start();
    stage.writer.tick();
    stage.held.shift()?.complete();
    await turn();
    for (let tick = 1; tick < SETTLE_TICKS; tick += 1) stage.writer.tick();
  }
  expect(settled).toBe(0);
  stage.writer.tick();
  expect(settled).toBe(1);
});
