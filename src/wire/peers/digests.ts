import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, logIndex } from '../../base/ids.ts';
import { DIGESTS_PER_FRAME_MAX } from '../../base/limits.ts';
import { readU64, writeU64 } from '../bytes.ts';

/** A place in the log, and the digest of the state that everything up to it led to. */
export interface Checkpoint {
  readonly index: LogIndex;
  readonly digest: number;
}

const CHECKPOINT_BYTES = 16;

/** The body of DIGESTS: 1 … DIGESTS_PER_FRAME_MAX checkpoints, rising. */
export function encodeDigests(checkpoints: readonly Checkpoint[]): Uint8Array {
  const bytes = new Uint8Array(checkpoints.length * CHECKPOINT_BYTES);
  for (const [at, { index, digest }] of checkpoints.entries()) {
    writeU64(bytes, at * CHECKPOINT_BYTES, index);
    writeU64(bytes, at * CHECKPOINT_BYTES + 8, digest);
  }
  return bytes;
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeDigests(body: Uint8Array): readonly Checkpoint[] {
  const count = body.byteLength / CHECKPOINT_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > DIGESTS_PER_FRAME_MAX)
    throw malformed(`${body.byteLength} bytes`);
  const checkpoints: Checkpoint[] = [];
  let before = 0;
  for (let at = 0; at < body.byteLength; at += CHECKPOINT_BYTES) {
    const index = readU64(body, at);
    const digest = readU64(body, at + 8);
    if (Number.isNaN(index) || Number.isNaN(digest)) throw malformed('not a safe integer');
    if (index <= before) throw malformed(`index ${index} after ${before}`);
    before = index;
    checkpoints.push({ index: logIndex(index), digest });
  }
  return checkpoints;
}

const malformed = (what: string): TocsinError =>
  new TocsinError('BODY_MALFORMED', `digests: ${what}`);
