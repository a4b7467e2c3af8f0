import { decodeIdentity } from '../../../src/storage/identity.ts';
import { carve } from '../../../src/storage/level/carve.ts';
import { findLogDamage, isFragment, readLogRecords } from '../../../src/storage/level/level-log.ts';
import { readManifest } from '../../../src/storage/level/level-manifest.ts';
import {
  blocksOf,
  findBlockDamage,
  findTableDamage,
} from '../../../src/storage/level/level-table.ts';
import { decodeMark } from '../../../src/storage/log/high-water.ts';
import { decodeMeta, isChunk } from '../../../src/storage/snapshots.ts';
import { EntryRecord } from '../../../src/wire/log/record.ts';
import type { SnapshotMeta } from '../../../src/wire/log/snapshot-meta.ts';

/**
 * What the product's own functions make of one file with one bit flipped, or cut at one place. `detected`: they refuse the
 * bytes, or know what is lost. `harmless`: what they read is what was written. `opened` cannot be told from the bytes alone:
 * LevelDB has to be asked.
 */
export type Verdict = 'detected' | 'harmless' | 'opened' | 'SILENT';

export interface Judge {
  /** Of the file with a bit flipped in byte `at`; `bytes` has it flipped. */
  flipped(bytes: Buffer, at: number): Verdict;
  /** Of the first `length` bytes. */
  cut(bytes: Buffer, length: number): Verdict;
}

const judged = (isRefused: boolean, isSame: boolean): Verdict => {
  if (isRefused) return 'detected';
  return isSame ? 'harmless' : 'SILENT';
};

const refuses = (action: () => unknown): boolean => {
  try {
    action();
    return false;
  } catch {
    return true;
  }
};

/**
 * A table: the verdict of the block that the byte is in. The verdict on the whole file is that of its blocks, each of which
 * answers for itself; the test holds that against the whole function, too.
 */
export function tableJudge(whole: Buffer): Judge {
  const blocks = blocksOf(whole);
  if (typeof blocks === 'string') throw new Error(blocks);
  const trailer = 5;
  const footer = 48;
  return {
    flipped: (bytes, at) => {
      if (at >= bytes.length - footer) return judged(findTableDamage(bytes) !== undefined, false);
      const block = blocks.find((each) => at < each.at + each.length + trailer);
      if (block === undefined) return 'SILENT';
      return judged(findBlockDamage(bytes, block) !== undefined, false);
    },
    cut: (bytes, length) =>
      length === bytes.length
        ? 'harmless'
        : judged(findTableDamage(bytes.subarray(0, length)) !== undefined, false),
  };
}

/** Where the fragments of a log file begin, and whether the one there begins a record. */
function fragmentsOf(bytes: Buffer): { readonly at: number; readonly end: number }[] {
  const found: { at: number; end: number }[] = [];
  for (let at = 0; at + 7 <= bytes.length; ) {
    const left = 32_768 - (at % 32_768);
    if (left < 7) {
      at += left;
      continue;
    }
    const end = at + 7 + bytes.readUInt16LE(at + 4);
    found.push({ at, end });
    at = end;
  }
  return found;
}

/**
 * A log file. A fragment that is damaged is damage of the file, unless it belongs to the last write: then it looks like what
 * a crash tears, LevelDB drops that write, and the mark in the second place knows that it was durable.
 */
export function logJudge(whole: Buffer, markSequence: number): Judge {
  const fragments = fragmentsOf(whole);
  const sequences = statesAfter(whole);
  const lastWriteAt = sequences.at(-2)?.end ?? 0;
  const knowsLoss = (length: number): boolean =>
    (sequences.findLast(({ end }) => end <= length)?.sequence ?? -1) < markSequence;
  /** Computed once for each fragment: with it damaged, does the whole file show it? */
  const shows = new Map<number, boolean>();
  const showsDamage = (bytes: Buffer, at: number): boolean => {
    const known = shows.get(at);
    if (known !== undefined) return known;
    const answer = findLogDamage(bytes) !== undefined;
    shows.set(at, answer);
    return answer;
  };
  return {
    flipped: (bytes, at) => {
      const fragment = fragments.find((each) => at < each.end && at >= each.at);
      if (fragment === undefined) return 'harmless'; // what is left over at the end of a block is read by nobody
      if (isFragment(bytes, fragment.at, 32_768 - (fragment.at % 32_768))) return 'SILENT';
      // A length that is wrong can lead anywhere: those are looked at one by one.
      const isLength = at - fragment.at === 4 || at - fragment.at === 5;
      const isShown = isLength
        ? findLogDamage(bytes) !== undefined
        : showsDamage(bytes, fragment.at);
      return judged(isShown || (fragment.at >= lastWriteAt && knowsLoss(lastWriteAt)), false);
    },
    cut: (bytes, length) =>
      length === bytes.length ? 'harmless' : judged(knowsLoss(length), false),
  };
}

/** Which write each record of a log file is, and where it ends in the file. */
function statesAfter(whole: Buffer): { readonly end: number; readonly sequence: number }[] {
  const records = readLogRecords(whole);
  if (typeof records === 'string') throw new Error(records);
  const ends = fragmentsOf(whole)
    .filter(({ at }) => [1, 4].includes(whole[at + 6] as number))
    .map(({ end }) => end);
  return records.map((record, i) => {
    const sequence = Math.max(...carve(Buffer.from(record)).states.map((state) => state.sequence));
    return { end: ends[i] as number, sequence };
  });
}

/** The manifest: refused, or read as it is, or as one torn there, of which only an open folder can tell. */
export function manifestJudge(whole: Buffer): Judge {
  const truth = JSON.stringify(plain(readManifest(whole)));
  const verdict = (bytes: Buffer): Verdict => {
    const manifest = readManifest(bytes);
    if (typeof manifest === 'string') return 'detected';
    return JSON.stringify(plain(manifest)) === truth ? 'harmless' : 'opened';
  };
  return { flipped: verdict, cut: (bytes, length) => verdict(bytes.subarray(0, length)) };
}

const plain = (manifest: ReturnType<typeof readManifest>): unknown =>
  typeof manifest === 'string' ? manifest : [manifest.logNumber, [...manifest.tables]];

/** The file that says which manifest counts; so small that each case is really opened. */
export const currentJudge = (): Judge => ({
  flipped: () => 'opened',
  cut: (bytes, length) => (length === bytes.length ? 'harmless' : 'opened'),
});

/** A mark that is damaged may know less than it did, never more and never something else. */
export function markJudge(whole: Buffer): Judge {
  const truth = decodeMark(whole);
  const older = decodeMark(withSlotGone(whole, truth?.slot ?? 0));
  const verdict = (bytes: Buffer): Verdict => {
    const found = decodeMark(bytes);
    if (found === undefined) return 'detected';
    const text = JSON.stringify(found.mark);
    const isKnown = [truth, older].some((each) => JSON.stringify(each?.mark) === text);
    return judged(false, isKnown);
  };
  return { flipped: verdict, cut: (bytes, length) => verdict(bytes.subarray(0, length)) };
}

function withSlotGone(bytes: Buffer, slot: 0 | 1): Buffer {
  const other = Buffer.from(bytes);
  return other.fill(0, slot * 4096, slot * 4096 + 48);
}

export function identityJudge(whole: Buffer): Judge {
  const truth = JSON.stringify(decodeIdentity(whole));
  const verdict = (bytes: Buffer): Verdict =>
    judged(
      refuses(() => decodeIdentity(bytes)),
      !refuses(() => decodeIdentity(bytes)) && JSON.stringify(decodeIdentity(bytes)) === truth,
    );
  return { flipped: verdict, cut: (bytes, length) => verdict(bytes.subarray(0, length)) };
}

export function metaJudge(whole: Buffer): Judge {
  const truth = JSON.stringify(decodeMeta(whole));
  const verdict = (bytes: Buffer): Verdict => {
    const meta = decodeMeta(bytes);
    return judged(meta === undefined, JSON.stringify(meta) === truth);
  };
  return { flipped: verdict, cut: (bytes, length) => verdict(bytes.subarray(0, length)) };
}

export function chunksJudge({ chunks }: SnapshotMeta): Judge {
  const ends: number[] = [];
  for (const { bytes } of chunks) ends.push((ends.at(-1) ?? 0) + bytes);
  const isWhole = (bytes: Buffer, number: number): boolean => {
    const end = ends[number] as number;
    const chunk = chunks[number] as (typeof chunks)[number];
    return isChunk(bytes.subarray(end - chunk.bytes, end), chunk);
  };
  return {
    flipped: (bytes, at) =>
      judged(
        !isWhole(
          bytes,
          ends.findIndex((end) => at < end),
        ),
        false,
      ),
    cut: (bytes, length) =>
      length === bytes.length
        ? 'harmless'
        : judged(
            !isWhole(
              bytes.subarray(0, length),
              ends.findIndex((end) => length < end),
            ),
            false,
          ),
  };
}

/** A record of the log, as the product reads it from wherever it finds it. */
export const entryJudge = (): Judge => ({
  flipped: (bytes) =>
    judged(
      refuses(() => EntryRecord.parse(bytes)),
      false,
    ),
  cut: (bytes, length) =>
    length === bytes.length
      ? 'harmless'
      : judged(
          refuses(() => EntryRecord.parse(bytes.subarray(0, length))),
          false,
        ),
});
