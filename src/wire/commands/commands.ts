import { createHash } from 'node:crypto';
import { assert, must } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import {
  COMMAND_BYTES_MAX,
  COMMANDS_PER_FRAME_MAX,
  LONG_COMMAND_BYTES,
  UNIX_MILLIS_MAX,
} from '../../base/limits.ts';
import type { SessionPlace } from '../../statemachine/beside/sessions.ts';
import type { Command, Submission } from '../../statemachine/commands.ts';
import { BodyDecoder, encodeBody } from '../body.ts';
import { readU32, readU64, writeU32, writeU64 } from '../bytes.ts';
import { refuse } from '../check.ts';
import { checksum } from '../checksum.ts';
import { takesRoom, URGENCY_LEAST, urgencyOf } from './admission.ts';
import { bodyOf } from './command-body.ts';
import { CommandReader } from './command-reader.ts';
import { isRare } from './command-shapes.ts';
import { parseCommandBody } from './parse-command-body.ts';

/**
 * One command as bytes: made once by whoever sends it, and from then on the same bytes are in the
 * frame, in the log and on every replica. Layout in FORMAT.md, "Command record".
 */

export const COMMAND_HEADER_BYTES = 32;
export const KEY_BYTES = 16;
const VERSION = 1;
/** Flag: the key is a place in a session. */
const IN_SESSION = 1;
const KEY_AT = 8;
const OBSERVED_AT_AT = 24;

/** The number of a kind is its place; 0 is none. */
const TYPES: readonly (Command['type'] | undefined)[] = [
  undefined,
  'raise',
  'clear',
  'acknowledge',
  'unacknowledge',
  'accept',
  'reject',
  'pause',
  'resume',
  'escalate',
  'resolve',
  'transfer',
  'discharge',
  'void',
  'merge',
  'set-policy',
  'remove-policy',
  'report',
  'silence',
  'unsilence',
  'open-window',
  'end-window',
  'heartbeat',
  'retire-source',
  'open-incident',
  'change-incident',
  'transaction',
  'set-rule',
  'remove-rule',
  'set-schedule',
  'extend-schedule',
  'remove-schedule',
  'open-session',
  'keep-session',
  'end-session',
  'set-bed',
  'remove-bed',
  'admit-patient',
  'move-patient',
  'discharge-patient',
  'attach-device',
  'detach-device',
  'remove-device',
  'set-inhibition',
  'remove-inhibition',
  'restore-inhibitions',
];

const NUMBERS: ReadonlyMap<Command['type'] | undefined, number> = new Map(
  TYPES.map((type, number) => [type, number]),
);

/**
 * The record of a command that came through `parseCommand`, or that the compiler checked. `key`: 16
 * bytes; the same key with the same command is the same request, however often it is sent and
 * whatever `observedAt` the repetitions carry.
 * @throws TocsinError BAD_REQUEST when it holds too much, as a transaction or a long list can
 */
export function encodeCommand(command: Command, key: Uint8Array): Uint8Array {
  return encodeUnder(command, key, 0);
}

/** The record of a command that has a place in a session instead of a key of its own. */
export function encodeInSession(command: Command, { session, sequence }: SessionPlace): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  writeU64(key, 0, session);
  writeU64(key, 8, sequence);
  return encodeUnder(command, key, IN_SESSION);
}

function encodeUnder(command: Command, key: Uint8Array, flags: number): Uint8Array {
  assert(key.byteLength === KEY_BYTES, () => `key of ${key.byteLength} bytes, not ${KEY_BYTES}`);
  const body = encodeBody(bodyOf(command));
  const length = COMMAND_HEADER_BYTES + body.byteLength;
  if (length > COMMAND_BYTES_MAX)
    refuse('request', command.type, `has ${length} bytes, at most ${COMMAND_BYTES_MAX}`);

  const record = Buffer.allocUnsafe(length);
  writeU32(record, 0, length);
  record[4] = VERSION;
  record[5] = must(NUMBERS.get(command.type), 'a number for each kind of command');
  record[6] = urgencyOf(command);
  record[7] = flags;
  record.set(key, KEY_AT);
  writeU64(record, OBSERVED_AT_AT, command.observedAt);
  record.set(body, COMMAND_HEADER_BYTES);
  return record;
}

/** The key for an idempotency key that a user chose: the first 16 bytes of its SHA-256. */
export const keyFromText = (text: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(text, 'utf8').digest().subarray(0, KEY_BYTES));

/** What the server must know of a run of records before it queues them. */
export interface CommandCheck {
  readonly count: number;
  /** Of the most urgent one. */
  readonly urgency: number;
  /** Whether any of them can add to what is kept. */
  readonly takesRoom: boolean;
}

export interface CommandRecord {
  readonly command: Command;
  /** A piece of the body. */
  readonly bytes: Uint8Array;
}

/** Checks the records that fill `body`, in order, one at a time: each of them whole and a valid command, at least one. */
export class CommandsCheck implements CommandCheck {
  readonly #body: Uint8Array;
  readonly #decoder: CommandDecoder;
  #at = 0;
  count = 0;
  urgency: number = URGENCY_LEAST;
  takesRoom = false;

  /** @throws TocsinError BODY_MALFORMED when there are none */
  constructor(body: Uint8Array) {
    if (body.byteLength === 0) throw malformed('no commands');
    this.#body = body;
    this.#decoder = new CommandDecoder(body);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#body.byteLength;
  }

  /** Whether that can have been long. @throws TocsinError BODY_MALFORMED, BAD_REQUEST naming the field */
  next(): boolean {
    const [body, at] = [this.#body, this.#at];
    if (this.count === COMMANDS_PER_FRAME_MAX)
      throw malformed(`more than ${COMMANDS_PER_FRAME_MAX} commands`);
    const length = recordLengthAt(body, at);
    const command = this.#decoder.decode(at, length);
    const announced = body[at + 6] as number;
    if (announced !== urgencyOf(command))
      throw malformed(`command ${this.count}: urgency ${announced} does not fit its priority`);
    if (announced < this.urgency) this.urgency = announced;
    this.takesRoom ||= takesRoom(command);
    this.#at += length;
    this.count += 1;
    return length >= LONG_COMMAND_BYTES;
  }
}

/** All of them at once: see CommandsCheck. */
export function checkCommands(body: Uint8Array): CommandCheck {
  const check = new CommandsCheck(body);
  while (!check.isAtEnd) check.next();
  const { count, urgency, takesRoom: adds } = check;
  return { count, urgency, takesRoom: adds };
}

/** The records of a body in which `checkCommands` found nothing wrong, each with its command. */
export function* recordsOf(body: Uint8Array): Generator<CommandRecord> {
  const decoder = new CommandDecoder(body);
  for (let at = 0; at < body.byteLength; ) {
    const length = recordLengthAt(body, at);
    yield { command: decoder.decode(at, length), bytes: body.subarray(at, at + length) };
    at += length;
  }
}

/** All of them at once: see SubmissionReader. */
export function decodeSubmissions(body: Uint8Array): Submission[] {
  const reader = new SubmissionReader(body);
  const submissions: Submission[] = [];
  while (!reader.isAtEnd) submissions.push(reader.next());
  return submissions;
}

/**
 * Reads the commands of an entry, in order, one at a time. Total over contents: a record that is whole but does not hold
 * a valid command gives `command: undefined`, on every replica alike. Only a kind or version that
 * this program does not know throws: a later program may do something with it, so this one must not
 * go on without it.
 */
export class SubmissionReader {
  readonly #body: Buffer;
  readonly #decoder: CommandDecoder;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.#decoder = new CommandDecoder(body);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#body.byteLength;
  }

  /**
   * @throws TocsinError BODY_MALFORMED when the records do not fill the body, which the leader made sure of;
   * DATA_NEWER_FORMAT
   */
  next(): Submission {
    const [body, at] = [this.#body, this.#at];
    const length = recordLengthAt(body, at);
    checkKnown(body, at);
    const fingerprint = fingerprintAt(body, at, length);
    const command = this.#decoder.decodeOrUndefined(at, length);
    this.#at += length;
    if (body[at + 7] === IN_SESSION) {
      const place = placeAt(body, at);
      return { key: `X${place.session}.${place.sequence}`, fingerprint, command, place };
    }
    const key = body.toString('hex', at + KEY_AT, at + KEY_AT + KEY_BYTES);
    return { key, fingerprint, command };
  }
}

/** @throws TocsinError DATA_NEWER_FORMAT */
function checkKnown(body: Uint8Array, at: number): void {
  const [version, kind, flags] = [body[at + 4], body[at + 5] as number, body[at + 7]];
  if (version === VERSION && TYPES[kind] !== undefined && isFlags(flags)) return;
  const what = `a command of kind ${kind}, version ${version}, flags ${flags}`;
  throw new TocsinError('DATA_NEWER_FORMAT', `${what} is not known here`);
}

const isFlags = (flags: number | undefined): boolean => flags === 0 || flags === IN_SESSION;

/** @throws TocsinError BODY_MALFORMED */
function placeAt(bytes: Uint8Array, at: number): SessionPlace {
  const session = readU64(bytes, at + KEY_AT);
  const sequence = readU64(bytes, at + KEY_AT + 8);
  // What is no safe integer reads as NaN.
  if (!(session >= 1 && sequence >= 1)) throw malformed(`command record at ${at}: no place`);
  return { session, sequence };
}

const malformed = (what: string): TocsinError => new TocsinError('BODY_MALFORMED', what);

function recordLengthAt(body: Uint8Array, at: number): number {
  const left = body.byteLength - at;
  if (left < COMMAND_HEADER_BYTES) throw malformed(`command record at ${at}: only ${left} bytes`);
  const length = readU32(body, at);
  if (length <= COMMAND_HEADER_BYTES || length > COMMAND_BYTES_MAX)
    throw malformed(`command record at ${at}: length ${length}`);
  if (length > left) throw malformed(`command record at ${at}: ${length} bytes, ${left} left`);
  return length;
}

/** Commands out of records whose framing is right. */
class CommandDecoder {
  readonly #bytes: Uint8Array;
  readonly #reader: CommandReader;
  #decoder: BodyDecoder | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#reader = new CommandReader(bytes);
  }

  /** @throws TocsinError BODY_MALFORMED, BAD_REQUEST */
  decode(at: number, length: number): Command {
    const bytes = this.#bytes;
    if (bytes[at + 4] !== VERSION) throw malformed(`command version ${bytes[at + 4]} is not known`);
    const type = TYPES[bytes[at + 5] as number];
    if (type === undefined) throw malformed(`command kind ${bytes[at + 5]} is not known`);
    if (!isFlags(bytes[at + 7])) throw malformed(`command flags ${bytes[at + 7]} are not known`);
    if (bytes[at + 7] === IN_SESSION) placeAt(bytes, at);
    const observedAt = observedAtOf(bytes, at);
    const start = at + COMMAND_HEADER_BYTES;
    const command = isRare(type)
      ? undefined
      : this.#reader.read(type, observedAt, start, at + length);
    if (command !== undefined) return command;
    this.#decoder ??= new BodyDecoder(bytes);
    return parseCommandBody(type, observedAt, this.#decoder.decode(start, at + length));
  }

  decodeOrUndefined(at: number, length: number): Command | undefined {
    try {
      return this.decode(at, length);
    } catch (error) {
      if (TocsinError.is(error)) return undefined;
      throw error;
    }
  }
}

/** @throws TocsinError BAD_REQUEST */
function observedAtOf(bytes: Uint8Array, at: number): UnixMillis {
  const observedAt = readU64(bytes, at + OBSERVED_AT_AT);
  const isInstant = observedAt <= UNIX_MILLIS_MAX; // What is no safe integer reads as NaN.
  if (!isInstant) refuse('request', 'observedAt', `must be from 0 to ${UNIX_MILLIS_MAX}`);
  return unixMillis(observedAt);
}

/** CRC-32 of the kind byte and the body: what was asked, without key, urgency and when. */
function fingerprintAt(body: Uint8Array, at: number, length: number): number {
  const kind = checksum(body, at + 5, at + 6);
  return checksum(body, at + COMMAND_HEADER_BYTES, at + length, kind);
}
