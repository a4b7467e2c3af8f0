import { isUtf8 } from 'node:buffer';
import { assert } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import { revision } from '../base/ids.ts';
import { COMMANDS_PER_FRAME_MAX, REFUSAL_CHARS_MAX } from '../base/limits.ts';
import type { Done, Effect, Refusal, Reply } from '../statemachine/types.ts';
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from './bytes.ts';
import { asText, asWordAt, toText } from './check.ts';
import { ACTIVATION_MAX, alertNumber } from './parse-parts.ts';
import { EFFECTS, placeOf, REFUSALS, STATES } from './words.ts';

/**
 * The replies to a SUBMIT, in the order of its commands. Fixed layouts, because there is one for
 * each command. Layout in FORMAT.md, "SUBMIT_REPLY".
 */

const DONE = 1;
const REFUSED = 2;
const DONE_BYTES = 24;
const REFUSED_BYTES = 4;
const COUNT_BYTES = 4;

/** The body of SUBMIT_REPLY. A refusal's message is cut to REFUSAL_CHARS_MAX. */
export function encodeReplies(replies: readonly Reply[]): Uint8Array {
  assert(
    replies.length <= COMMANDS_PER_FRAME_MAX,
    `${replies.length} replies are over ${COMMANDS_PER_FRAME_MAX}`,
  );
  let length = COUNT_BYTES;
  const messages: Uint8Array[] = [];
  for (const reply of replies) {
    if (!reply.ok) messages.push(Buffer.from(toText(reply.message, REFUSAL_CHARS_MAX)));
    length += reply.ok ? DONE_BYTES : REFUSED_BYTES + (messages.at(-1)?.byteLength ?? 0);
  }
  const bytes = Buffer.allocUnsafe(length);
  writeU32(bytes, 0, replies.length);
  let at = COUNT_BYTES;
  let nextMessage = 0;
  for (const reply of replies) {
    if (reply.ok) at = writeDone(bytes, at, reply);
    else {
      at = writeRefusal(bytes, at, reply, messages[nextMessage] ?? new Uint8Array(0));
      nextMessage += 1;
    }
  }
  return bytes;
}

function writeDone(bytes: Uint8Array, at: number, done: Done): number {
  assert(done.activation <= ACTIVATION_MAX, `activation ${done.activation} does not fit 32 bits`);
  bytes[at] = DONE;
  bytes[at + 1] = placeOf(EFFECTS, done.effect);
  bytes[at + 2] = placeOf(STATES, done.state);
  bytes[at + 3] = 0;
  writeU32(bytes, at + 4, done.activation);
  writeU64(bytes, at + 8, alertNumber(done.alertId));
  writeU64(bytes, at + 16, done.revision);
  return at + DONE_BYTES;
}

function writeRefusal(
  bytes: Uint8Array,
  at: number,
  refusal: Refusal,
  message: Uint8Array,
): number {
  bytes[at] = REFUSED;
  bytes[at + 1] = placeOf(REFUSALS, refusal.code);
  writeU16(bytes, at + 2, message.byteLength);
  bytes.set(message, at + REFUSED_BYTES);
  return at + REFUSED_BYTES + message.byteLength;
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeReplies(body: Uint8Array): Reply[] {
  if (body.byteLength < COUNT_BYTES) throw malformed(`only ${body.byteLength} bytes`);
  const count = readU32(body, 0);
  if (count > COMMANDS_PER_FRAME_MAX)
    throw malformed(`${count} replies, at most ${COMMANDS_PER_FRAME_MAX}`);
  const replies: Reply[] = [];
  let at = COUNT_BYTES;
  while (replies.length < count) {
    const left = body.byteLength - at;
    const isDone = body[at] === DONE;
    const fixed = isDone ? DONE_BYTES : REFUSED_BYTES;
    if (left < fixed) throw malformed(`reply ${replies.length}: only ${left} bytes`);
    if (isDone) {
      replies.push(readDone(body, at));
      at += DONE_BYTES;
      continue;
    }
    if (body[at] !== REFUSED) throw malformed(`reply kind ${body[at]} is not known`);
    const length = readU16(body, at + 2);
    if (left < REFUSED_BYTES + length)
      throw malformed(`reply ${replies.length}: message of ${length} bytes, too few left`);
    replies.push(readRefusal(body, at, length));
    at += REFUSED_BYTES + length;
  }
  if (at !== body.byteLength) throw malformed(`${body.byteLength - at} bytes too many`);
  return replies;
}

function readDone(body: Uint8Array, at: number): Done {
  const number = readU64(body, at + 8);
  const at16 = readU64(body, at + 16);
  if (Number.isNaN(number) || number === 0) throw malformed('alert number is out of range');
  if (Number.isNaN(at16)) throw malformed('revision is not a safe integer');
  if (body[at + 3] !== 0) throw malformed('reserved byte is not zero');
  const effect: Effect = asWordAt('answer', 'effect', body[at + 1], EFFECTS);
  return {
    ok: true,
    effect,
    alertId: `A${number}`,
    activation: readU32(body, at + 4),
    revision: revision(at16),
    state: asWordAt('answer', 'state', body[at + 2], STATES),
  };
}

function readRefusal(body: Uint8Array, at: number, length: number): Refusal {
  const bytes = body.subarray(at + REFUSED_BYTES, at + REFUSED_BYTES + length);
  if (!isUtf8(bytes)) throw malformed('message is not UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('utf8');
  return {
    ok: false,
    code: asWordAt('answer', 'code', body[at + 1], REFUSALS),
    message: asText('answer', 'message', text),
  };
}

const malformed = (what: string): TocsinError => new TocsinError('BODY_MALFORMED', what);
