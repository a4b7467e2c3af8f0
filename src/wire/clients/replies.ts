import { isUtf8 } from 'node:buffer';
import { assert } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { revision } from '../../base/ids.ts';
import { COMMANDS_PER_FRAME_MAX, REFUSAL_CHARS_MAX } from '../../base/limits.ts';
import type {
  BatchReply,
  Done,
  Effect,
  Kept,
  NotTaken,
  Refusal,
} from '../../statemachine/types.ts';
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '../bytes.ts';
import { asName, asText, asWordAt, toText } from '../check.ts';
import { ACTIVATION_MAX, alertNumber } from '../commands/parse-parts.ts';
import { EFFECTS, KEPT_EFFECTS, placeOf, REFUSALS, STATES } from '../commands/words.ts';

/**
 * The replies to a SUBMIT, in the order of its commands. Fixed layouts, because there is one for
 * each command. Layout in FORMAT.md, "SUBMIT_REPLY".
 */

const DONE = 1;
const REFUSED = 2;
const KEPT = 3;
const NOT_TAKEN = 4;
const DONE_BYTES = 24;
const REFUSED_BYTES = 4;
const KEPT_BYTES = 12;
const COUNT_BYTES = 4;

/** The body of SUBMIT_REPLY. A refusal's message is cut to REFUSAL_CHARS_MAX. */
export function encodeReplies(replies: readonly BatchReply[]): Uint8Array {
  assert(
    replies.length <= COMMANDS_PER_FRAME_MAX,
    `${replies.length} replies are over ${COMMANDS_PER_FRAME_MAX}`,
  );
  let length = COUNT_BYTES;
  const texts = replies.map(textOf);
  replies.forEach((reply, i) => {
    length += fixedBytesOf(reply) + (texts[i]?.byteLength ?? 0);
  });
  const bytes = Buffer.allocUnsafe(length);
  writeU32(bytes, 0, replies.length);
  let at = COUNT_BYTES;
  replies.forEach((reply, i) => {
    const text = texts[i] ?? NO_TEXT;
    if (!reply.ok) at = writeRefusal(bytes, at, reply, text);
    else if ('alertId' in reply) at = writeDone(bytes, at, reply);
    else at = writeKept(bytes, at, reply, text);
  });
  return bytes;
}

const NO_TEXT: Uint8Array = new Uint8Array(0);

/** The part of a reply that has no fixed length. */
function textOf(reply: BatchReply): Uint8Array {
  if (!reply.ok) return Buffer.from(toText(reply.message, REFUSAL_CHARS_MAX));
  return 'alertId' in reply ? NO_TEXT : Buffer.from(reply.id);
}

const fixedBytesOf = (reply: BatchReply): number =>
  !reply.ok ? REFUSED_BYTES : 'alertId' in reply ? DONE_BYTES : KEPT_BYTES;

function writeKept(bytes: Uint8Array, at: number, kept: Kept, id: Uint8Array): number {
  bytes[at] = KEPT;
  bytes[at + 1] = placeOf(KEPT_EFFECTS, kept.effect);
  writeU16(bytes, at + 2, id.byteLength);
  writeU64(bytes, at + 4, kept.version);
  bytes.set(id, at + KEPT_BYTES);
  return at + KEPT_BYTES + id.byteLength;
}

function writeDone(bytes: Uint8Array, at: number, done: Done): number {
  const { activation } = done;
  assert(activation <= ACTIVATION_MAX, () => `activation ${activation} does not fit 32 bits`);
  bytes[at] = DONE;
  bytes[at + 1] = placeOf(EFFECTS, done.effect);
  bytes[at + 2] = placeOf(STATES, done.state);
  bytes[at + 3] = 0;
  writeU32(bytes, at + 4, activation);
  writeU64(bytes, at + 8, alertNumber(done.alertId));
  writeU64(bytes, at + 16, done.revision);
  return at + DONE_BYTES;
}

function writeRefusal(
  bytes: Uint8Array,
  at: number,
  refusal: Refusal | NotTaken,
  message: Uint8Array,
): number {
  const wasTaken = refusal.code !== 'DISK_FULL';
  bytes[at] = wasTaken ? REFUSED : NOT_TAKEN;
  bytes[at + 1] = wasTaken ? placeOf(REFUSALS, refusal.code) : 0;
  writeU16(bytes, at + 2, message.byteLength);
  bytes.set(message, at + REFUSED_BYTES);
  return at + REFUSED_BYTES + message.byteLength;
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeReplies(body: Uint8Array): BatchReply[] {
  if (body.byteLength < COUNT_BYTES) throw malformed(`only ${body.byteLength} bytes`);
  const count = readU32(body, 0);
  if (count > COMMANDS_PER_FRAME_MAX)
    throw malformed(`${count} replies, at most ${COMMANDS_PER_FRAME_MAX}`);
  const replies: BatchReply[] = [];
  let at = COUNT_BYTES;
  while (replies.length < count) {
    const left = body.byteLength - at;
    const kind = body[at];
    const fixed = kind === DONE ? DONE_BYTES : kind === KEPT ? KEPT_BYTES : REFUSED_BYTES;
    if (left < fixed) throw malformed(`reply ${replies.length}: only ${left} bytes`);
    if (kind === DONE) {
      replies.push(readDone(body, at));
      at += DONE_BYTES;
      continue;
    }
    if (kind !== REFUSED && kind !== KEPT && kind !== NOT_TAKEN)
      throw malformed(`reply kind ${kind} is not known`);
    const length = readU16(body, at + 2);
    if (left < fixed + length)
      throw malformed(`reply ${replies.length}: text of ${length} bytes, too few left`);
    const text = readText(body, at + fixed, length);
    replies.push(kind === KEPT ? readKept(body, at, text) : readNo(body, at, text));
    at += fixed + length;
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

function readText(body: Uint8Array, at: number, length: number): string {
  const bytes = body.subarray(at, at + length);
  if (!isUtf8(bytes)) throw malformed('text is not UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('utf8');
}

function readNo(body: Uint8Array, at: number, text: string): Refusal | NotTaken {
  const message = asText('answer', 'message', text);
  const code = body[at + 1];
  if (body[at] === REFUSED)
    return { ok: false, code: asWordAt('answer', 'code', code, REFUSALS), message };
  if (code !== 0) throw malformed('reserved byte is not zero');
  return { ok: false, code: 'DISK_FULL', message };
}

function readKept(body: Uint8Array, at: number, text: string): Kept {
  const version = readU64(body, at + 4);
  if (Number.isNaN(version)) throw malformed('version is not a safe integer');
  return {
    ok: true,
    effect: asWordAt('answer', 'effect', body[at + 1], KEPT_EFFECTS),
    id: asName('answer', 'id', text),
    version,
  };
}

const malformed = (what: string): TocsinError => new TocsinError('BODY_MALFORMED', what);
