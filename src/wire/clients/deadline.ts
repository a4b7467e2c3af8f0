import { TocsinError } from '../../base/errors.ts';
import { REQUEST_MS_MAX } from '../../base/limits.ts';
import { readU32, writeU32 } from '../bytes.ts';
import { asWhole } from '../check.ts';
import { FrameType } from '../frame.ts';

/** The time that a caller will wait, in front of the bodies of requests that may have to wait at the server. */

const TIME_BYTES = 4;

/** SUBMIT carries its time too, in a header of its own. */
const TIMED: ReadonlySet<FrameType> = new Set<FrameType>([
  FrameType.GET,
  FrameType.LIST,
  FrameType.RECORDS,
  FrameType.HISTORY,
  FrameType.ADMIN,
]);

export const isTimed = (type: FrameType): boolean => TIMED.has(type);

/** `timeoutMs`: what is left of it now; less than a millisecond counts as one. */
export function encodeTime(timeoutMs: number): Uint8Array {
  const time = new Uint8Array(TIME_BYTES);
  writeU32(time, 0, Math.min(REQUEST_MS_MAX, Math.max(1, Math.ceil(timeoutMs))));
  return time;
}

export interface Timed {
  /** How long the caller will wait, counted from when the server takes it up. */
  readonly timeoutMs: number;
  /** What is asked: a piece of the body. */
  readonly request: Uint8Array;
}

/** @throws TocsinError BODY_MALFORMED, BAD_REQUEST */
export function decodeTime(body: Uint8Array): Timed {
  if (body.byteLength < TIME_BYTES)
    throw new TocsinError('BODY_MALFORMED', `only ${body.byteLength} bytes`);
  const timeoutMs = asWhole('request', 'timeoutMs', readU32(body, 0), 1, REQUEST_MS_MAX);
  return { timeoutMs, request: body.subarray(TIME_BYTES) };
}
