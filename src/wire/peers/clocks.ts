import { TocsinError } from '../../base/errors.ts';
import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import { UNIX_MILLIS_MAX } from '../../base/limits.ts';
import { readU64, writeU64 } from '../bytes.ts';

/** What the clock of a replica shows, for whoever asked. */
export interface ClockTold {
  /** The number of the question, as it came. */
  readonly question: number;
  readonly wall: UnixMillis;
}

/** The body of CLOCK_ASK. */
export function encodeClockAsk(question: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, question);
  return bytes;
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeClockAsk(body: Uint8Array): number {
  if (body.byteLength !== 8) throw malformed(`${body.byteLength} bytes`);
  return safe(readU64(body, 0));
}

/** The body of CLOCK_TELL. */
export function encodeClockTold({ question, wall }: ClockTold): Uint8Array {
  const bytes = new Uint8Array(16);
  writeU64(bytes, 0, question);
  writeU64(bytes, 8, wall);
  return bytes;
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeClockTold(body: Uint8Array): ClockTold {
  if (body.byteLength !== 16) throw malformed(`${body.byteLength} bytes`);
  const wall = safe(readU64(body, 8));
  if (wall > UNIX_MILLIS_MAX) throw malformed(`${wall} is no instant`);
  return { question: safe(readU64(body, 0)), wall: unixMillis(wall) };
}

function safe(value: number): number {
  if (Number.isNaN(value)) throw malformed('not a safe integer');
  return value;
}

const malformed = (what: string): TocsinError =>
  new TocsinError('BODY_MALFORMED', `clock: ${what}`);
