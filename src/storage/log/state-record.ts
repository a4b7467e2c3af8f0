import { crc32 } from 'node:zlib';
import { TocsinError } from '../../base/errors.ts';
import { logIndex, replicaId, term } from '../../base/ids.ts';
import type { HardState } from '../../raft/types.ts';
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '../../wire/bytes.ts';
import type { LogPlace } from '../types.ts';
import type { Mark, Voted } from './high-water.ts';

/**
 * The hard state, and where the log began and ended when it was written: a log that lost its beginning or its end is told
 * from a short one, as long as the state itself is not lost with it.
 *
 *     at  0  u32  magic number 'TOCH'        at 32  u64  index of the last entry
 *         4  u8   version, 2                    40  u64  chain hash of the last entry
 *         5  u8   which copy, 0 or 1            48  u64  index of the place that the log begins after
 *         6  u16  vote, 0 = nobody              56  u64  term of that place
 *         8  u64  sequence                      64  u64  chain hash of that place
 *        16  u64  term                          72  u32  1 = a vote may have been forgotten, else 0
 *        24  u64  commit                        76  u32  CRC-32 of the bytes before
 */
export interface StoredState {
  /** Counts writes: the two copies of one write carry the same. */
  readonly sequence: number;
  readonly hardState: HardState;
  readonly lastIndex: number;
  readonly lastChain: number;
  readonly base: LogPlace;
}

export const STATE_RECORD_BYTES = 80;
export type StateCopy = 0 | 1;

const MAGIC = 0x48434f54; // 'TOCH'
const VERSION = 2;
const CRC_AT = 76;

export function encodeState(state: StoredState, copy: StateCopy): Uint8Array {
  const bytes = new Uint8Array(STATE_RECORD_BYTES);
  writeU32(bytes, 0, MAGIC);
  bytes[4] = VERSION;
  bytes[5] = copy;
  writeU16(bytes, 6, state.hardState.vote ?? 0);
  writeU64(bytes, 8, state.sequence);
  writeU64(bytes, 16, state.hardState.term);
  writeU64(bytes, 24, state.hardState.commit);
  writeU64(bytes, 32, state.lastIndex);
  writeU64(bytes, 40, state.lastChain);
  writeU64(bytes, 48, state.base.index);
  writeU64(bytes, 56, state.base.term);
  writeU64(bytes, 64, state.base.chain);
  writeU32(bytes, 72, state.hardState.abstain === true ? 1 : 0);
  writeU32(bytes, CRC_AT, crc32(bytes.subarray(0, CRC_AT)));
  return bytes;
}

/** The state in `bytes`, or what is wrong with them. */
export function decodeState(bytes: Uint8Array, copy: StateCopy): StoredState | string {
  if (bytes.byteLength !== STATE_RECORD_BYTES) return `${bytes.byteLength} bytes`;
  if (readU32(bytes, 0) !== MAGIC) return 'wrong magic number';
  if (crc32(bytes.subarray(0, CRC_AT)) !== readU32(bytes, CRC_AT)) return 'wrong checksum';
  if (bytes[4] !== VERSION) return `version ${bytes[4]} is not known`;
  if (bytes[5] !== copy) return `it is copy ${bytes[5]}`;
  for (const at of [8, 16, 24, 32, 40, 48, 56, 64])
    if (Number.isNaN(readU64(bytes, at))) return `field at ${at} is not a safe integer`;
  const vote = readU16(bytes, 6);
  return {
    sequence: readU64(bytes, 8),
    hardState: {
      term: term(readU64(bytes, 16)),
      vote: vote === 0 ? undefined : replicaId(vote),
      commit: logIndex(readU64(bytes, 24)),
      ...(readU32(bytes, 72) === 1 ? { abstain: true } : {}),
    },
    lastIndex: readU64(bytes, 32),
    lastChain: readU64(bytes, 40),
    base: {
      index: logIndex(readU64(bytes, 48)),
      term: term(readU64(bytes, 56)),
      chain: readU64(bytes, 64),
    },
  };
}

/** What the copies of the hard state and the mark say together. */
export interface Known {
  readonly sequence: number;
  readonly hardState: HardState;
  readonly base: LogPlace;
  /** Where the log ends, at least. */
  readonly end: Pick<LogPlace, 'index' | 'chain'>;
  /** The newest writes that were durable are lost: the log may have gone on behind `end`. */
  readonly lost: boolean;
  /** All of them say the same. */
  readonly agreed: boolean;
}

/**
 * A vote is believed wherever it stands: each place may have lost the newest. What was acknowledged stands in both copies
 * and, as to term and vote, in the mark; so a copy that differs is a sign that more may be lost, and the replica abstains.
 * A vote that stands in the mark alone was never acknowledged.
 * @throws TocsinError DATA_CORRUPT when no copy is whole
 */
export function reconcile(copies: readonly (StoredState | string)[], mark: Mark): Known {
  const whole = copies.filter((copy) => typeof copy !== 'string');
  const [newest] = [...whole].sort((a, b) => b.sequence - a.sequence);
  if (newest === undefined)
    throw new TocsinError('DATA_CORRUPT', `both copies of the hard state: ${copies.join(', ')}`);
  const same = whole.length === 2 && whole.every((copy) => sameState(copy, newest));
  const lost = newest.sequence < mark.sequence;
  const { commit } = newest.hardState;
  const voted = isLaterVote(mark.voted, newest.hardState) ? mark.voted : newest.hardState;
  // A later vote that stands in the mark alone ends no doubt: what ended it may have been lost with it.
  const doubts = [newest.hardState, mark.voted].some(({ abstain }) => abstain === true);
  const doubt = !same || lost || mark.isLost === true || doubts;
  return {
    sequence: Math.max(newest.sequence, mark.sequence),
    hardState: { term: voted.term, vote: voted.vote, commit, ...(doubt ? { abstain: true } : {}) },
    base: newest.base,
    end: lost ? mark.last : { index: logIndex(newest.lastIndex), chain: newest.lastChain },
    lost,
    agreed:
      same &&
      !lost &&
      mark.isLost !== true &&
      voted === newest.hardState &&
      doubt === (newest.hardState.abstain === true),
  };
}

const isLaterVote = (one: Voted, other: Voted): boolean =>
  one.term > other.term ||
  (one.term === other.term && one.vote !== undefined && other.vote === undefined);

/** Whether nothing was promised in `one` that was not in `other`. */
export const sameVote = (one: Voted, other: Voted): boolean =>
  one.term === other.term &&
  one.vote === other.vote &&
  (one.abstain === true) === (other.abstain === true);

/** Whether two copies are of the same write. */
export const sameState = (a: StoredState, b: StoredState): boolean =>
  Buffer.compare(encodeState(a, 0), encodeState(b, 0)) === 0;
