import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCode, MEANING, TocsinError } from '../../src/base/errors.ts';
import { logIndex, millis, replicaId } from '../../src/base/ids.ts';
import { SNAPSHOT_BYTES_PER_SECOND, SNAPSHOT_CHUNK_BYTES } from '../../src/base/limits.ts';
import { SnapshotFetch } from '../../src/replica/snapshots/snapshot-fetch.ts';
import { Turns } from '../../src/replica/turns.ts';
import { MemoryFiles } from '../../src/storage/memory-files.ts';
import { Snapshots } from '../../src/storage/snapshots.ts';
import type { SnapshotMeta, StagedSnapshot } from '../../src/storage/types.ts';
import { encodeSnapshotMeta } from '../../src/wire/log/snapshot-meta.ts';
import { decodeSnapshotFetch } from '../../src/wire/peers/bulk-messages.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { emptyLogEnd, endOfAll, entriesAfter } from '../storage/entries.ts';
import { chunksOf, subjectAt } from '../storage/snapshot-contract.ts';

const PEER = replicaId(2);
const PLACE = endOfAll(entriesAfter(emptyLogEnd, 1, [10, 20, 30]));

async function metaOf(): Promise<SnapshotMeta> {
  const writer = await new Snapshots(new MemoryFiles()).create(subjectAt(PLACE));
  for (const chunk of chunksOf(PLACE, 1)) await writer.append(chunk);
  return writer.commit();
}

/** Fetches from a peer that answers like that; `put` is what becomes of a chunk. */
async function fetchOf(
  clock: VirtualClock,
  answer: (meta: SnapshotMeta, chunk: number | undefined) => Promise<Uint8Array>,
  staged: Pick<StagedSnapshot, 'missing' | 'put'>,
): Promise<SnapshotFetch> {
  const meta = await metaOf();
  const whole: StagedSnapshot = {
    meta,
    get missing() {
      return staged.missing;
    },
    put: (chunk, bytes) => staged.put(chunk, bytes),
    finish: () => Promise.reject(new TocsinError('DATA_CORRUPT', 'it is made up')),
  };
  const snapshots = new Snapshots(new MemoryFiles());
  snapshots.stage = () => Promise.resolve(whole);
  return new SnapshotFetch({
    lane: {
      ask: (_peer, _type, [body = new Uint8Array(0)]) => {
        const asked = decodeSnapshotFetch(body);
        return answer(meta, asked.what === 'chunk' ? asked.chunk : undefined);
      },
    },
    clock,
    turns: new Turns(clock),
    snapshots,
    machine: { seed: 1 },
    log: () => {},
  });
}

const waiting = (clock: VirtualClock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(millis(ms), resolve);
  });

const A_DAY_MS = 86_400_000;

/** What becomes of one request for a chunk: how long it takes, and whether it is answered, and the chunk put down, in the end. */
interface Step {
  readonly ms: number;
  readonly fails: 'ask' | 'put' | undefined;
}

const steps: fc.Arbitrary<Step> = fc.record({
  ms: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 12 }) },
    { weight: 1, arbitrary: fc.integer({ min: 100, max: 9_000 }) },
  ),
  fails: fc.oneof(
    { weight: 20, arbitrary: fc.constant(undefined) },
    fc.constantFrom('ask' as const, 'put' as const),
  ),
});

/** The plan is repeated, after as many answers at once as `between` says. */
async function isHeld(plan: readonly Step[], between: number): Promise<void> {
  const clock = new VirtualClock();
  const came: number[] = [];
  let asked = 0;
  let isPut = true;
  const chunk = new Uint8Array(SNAPSHOT_CHUNK_BYTES);
  const answer = async (meta: SnapshotMeta, at: number | undefined): Promise<Uint8Array> => {
    if (at === undefined) return encodeSnapshotMeta(meta);
    const step = plan[asked % (plan.length + between)];
    asked += 1;
    if (step !== undefined && step.ms > 0) await waiting(clock, step.ms);
    isPut = step?.fails !== 'put';
    if (step?.fails === 'ask') throw new TocsinError('CONNECTION_LOST', 'so it is');
    came.push(clock.monotonic());
    return chunk;
  };
  const total = 600;
  const fetch = await fetchOf(clock, answer, {
    get missing() {
      return came.length < total ? came.length : undefined;
    },
    put: async () => {
      if (!isPut) throw new TocsinError('DISK_FULL', 'so it is');
    },
  });
  while (came.length < total)
    expect(await clock.settle(fetch.fetch(PEER, logIndex(0)), A_DAY_MS)).toBeUndefined();
  const perSecond = SNAPSHOT_BYTES_PER_SECOND / SNAPSHOT_CHUNK_BYTES;
  for (const [n, at] of came.entries()) {
    const later = came[n + perSecond + 1];
    if (later !== undefined) expect(later - at, `from chunk ${n} on`).toBeGreaterThanOrEqual(1_000);
  }
}

test('in no second more of a snapshot comes than the limit and one chunk, whatever stood still before or was broken off', async () => {
  const plans = fc.array(steps, { minLength: 1, maxLength: 60 });
  await fc.assert(fc.asyncProperty(plans, fc.integer({ min: 1, max: 300 }), isHeld), {
    numRuns: 30,
    examples: [
      [[{ ms: 9_000, fails: undefined }], 300],
      [[{ ms: 0, fails: 'ask' }], 1],
      [[{ ms: 0, fails: 'put' }], 1],
    ],
  });
});

test('a peer that answers at once is asked as fast as the limit allows', async () => {
  const clock = new VirtualClock();
  let left = 640;
  const fetch = await fetchOf(
    clock,
    async (meta, at) =>
      at === undefined ? encodeSnapshotMeta(meta) : new Uint8Array(SNAPSHOT_CHUNK_BYTES),
    {
      get missing() {
        return left > 0 ? 0 : undefined;
      },
      put: async () => {
        left -= 1;
      },
    },
  );
  await clock.settle(fetch.fetch(PEER, logIndex(0)));
  expect(clock.monotonic()).toBeLessThan(5_100);
});

const CODES = Object.keys(MEANING).filter(isCode);

test('of what goes wrong here an I/O error alone is a fault of this replica', async () => {
  for (const code of CODES) {
    const clock = new VirtualClock();
    const answer = async (meta: SnapshotMeta, at: number | undefined): Promise<Uint8Array> =>
      at === undefined ? encodeSnapshotMeta(meta) : new Uint8Array(1);
    const fails = new TocsinError(code, 'the disk was told to fail');
    const fetch = await fetchOf(clock, answer, { missing: 0, put: () => Promise.reject(fails) });
    const end = clock.settle(fetch.fetch(PEER, logIndex(0)));
    if (code === 'DISK_FAILED') await expect(end).rejects.toMatchObject({ code });
    else expect(await end, code).toBeUndefined();
  }
});
