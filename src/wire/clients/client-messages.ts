import { assert } from '../../base/assert.ts';
import { type Code, isCode, TocsinError } from '../../base/errors.ts';
import { type Revision, revision } from '../../base/ids.ts';
import {
  ADDRESS_CHARS_MAX,
  COMMANDS_PER_FRAME_MAX,
  GETS_PER_FRAME_MAX,
  LIST_PAGE_MAX,
  REQUEST_MS_MAX,
  SUBMIT_BYTES_MAX,
  TEXT_CHARS_MAX,
} from '../../base/limits.ts';
import type { Consistency } from '../../statemachine/alert-api.ts';
import type { AlertFilter, AlertId, AlertRef } from '../../statemachine/types.ts';
import { decodeBody, encodeBody } from '../body.ts';
import { readU32, writeU32 } from '../bytes.ts';
import {
  asArray,
  asDedupKey,
  asFields,
  asLine,
  asText,
  asWhole,
  refuse,
  toText,
  type Unchecked,
} from '../check.ts';
import { CommandsCheck } from '../commands/commands.ts';
import { parseFilter } from '../commands/parse.ts';
import { alertNumber, parseAlertId, parseRevision } from '../commands/parse-parts.ts';
import { parseConsistency } from './consistency.ts';

/** What a client asks, and how it is told that it failed. Answers are in answers.ts. */

const SUBMIT_HEADER_BYTES = 8;

export interface SubmitRequest {
  /** How long the caller will wait, counted from the arrival at the server. */
  readonly timeoutMs: number;
  readonly count: number;
  /** Of the most urgent command: 0 urgent, 1 routine, 2 background. */
  readonly urgency: number;
  /** Whether any of them can add to what is kept. */
  readonly takesRoom: boolean;
  /** The command records, one after another: a piece of the body. */
  readonly commands: Uint8Array;
}

/** `commands`: records of `encodeCommand`, at least one. The parts of a SUBMIT body, not copied. */
export function encodeSubmit(
  timeoutMs: number,
  commands: readonly Uint8Array[],
): readonly Uint8Array[] {
  assert(timeoutMs >= 1 && timeoutMs <= REQUEST_MS_MAX, `timeout ${timeoutMs} is out of range`);
  assert(commands.length >= 1, 'nothing to submit');
  assert(
    commands.length <= COMMANDS_PER_FRAME_MAX,
    `${commands.length} commands are over ${COMMANDS_PER_FRAME_MAX}`,
  );
  const header = new Uint8Array(SUBMIT_HEADER_BYTES);
  writeU32(header, 0, Math.ceil(timeoutMs));
  writeU32(header, 4, commands.length);
  return [header, ...commands];
}

/** A SUBMIT body, whose commands are checked one at a time: many take long. */
export class SubmitReader {
  readonly timeoutMs: number;
  readonly #commands: Uint8Array;
  readonly #announced: number;
  readonly #check: CommandsCheck;

  /** @throws TocsinError BODY_MALFORMED, BAD_REQUEST naming the field */
  constructor(body: Uint8Array) {
    if (body.byteLength < SUBMIT_HEADER_BYTES)
      throw new TocsinError('BODY_MALFORMED', `only ${body.byteLength} bytes`);
    this.timeoutMs = asWhole('request', 'timeoutMs', readU32(body, 0), 1, REQUEST_MS_MAX);
    this.#commands = body.subarray(SUBMIT_HEADER_BYTES);
    const { byteLength } = this.#commands;
    if (byteLength > SUBMIT_BYTES_MAX)
      throw new TocsinError(
        'BAD_REQUEST',
        `${byteLength} bytes of commands, at most ${SUBMIT_BYTES_MAX} in one request`,
      );
    this.#announced = readU32(body, 4);
    if (this.#announced > COMMANDS_PER_FRAME_MAX)
      throw new TocsinError(
        'BODY_MALFORMED',
        `${this.#announced} commands, at most ${COMMANDS_PER_FRAME_MAX}`,
      );
    this.#check = new CommandsCheck(this.#commands);
  }

  get isAtEnd(): boolean {
    return this.#check.isAtEnd;
  }

  /** Checks the next command. Whether that can have been long. @throws TocsinError BODY_MALFORMED, BAD_REQUEST naming the field */
  next(): boolean {
    return this.#check.next();
  }

  /** What is asked, once all commands were found valid. @throws TocsinError BODY_MALFORMED */
  finish(): SubmitRequest {
    const { count, urgency, takesRoom } = this.#check;
    if (count !== this.#announced)
      throw new TocsinError('BODY_MALFORMED', `${count} commands, ${this.#announced} announced`);
    return { timeoutMs: this.timeoutMs, count, urgency, takesRoom, commands: this.#commands };
  }
}

/** All of it at once: see SubmitReader. */
export function decodeSubmit(body: Uint8Array): SubmitRequest {
  const reader = new SubmitReader(body);
  while (!reader.isAtEnd) reader.next();
  return reader.finish();
}

export interface GetRequest {
  /** 1 … GETS_PER_FRAME_MAX. */
  readonly refs: readonly AlertRef[];
  readonly consistency: Consistency;
}

export function encodeGet({ refs, consistency }: GetRequest): Uint8Array {
  assert(refs.length >= 1 && refs.length <= GETS_PER_FRAME_MAX, `a GET of ${refs.length} alerts`);
  const places = refs.map((ref) => ('id' in ref ? alertNumber(ref.id) : ref.dedupKey));
  return encodeBody({ refs: places, consistency });
}

const GET: ReadonlySet<string> = new Set<keyof GetRequest>(['refs', 'consistency']);

/** @throws TocsinError BODY_MALFORMED, BAD_REQUEST naming the field */
export function decodeGet(body: Uint8Array): GetRequest {
  const get: Unchecked<GetRequest> = asFields('request', 'get', decodeBody(body), GET);
  const refs = asArray('request', 'refs', get.refs, GETS_PER_FRAME_MAX);
  if (refs.length === 0) refuse('request', 'refs', 'must be one at least');
  return { refs: refs.map(parsePlainRef), consistency: parseConsistency(get.consistency) };
}

/** A number is that of an alert's id, a text is a dedup key. */
const parsePlainRef = (value: unknown): AlertRef =>
  typeof value === 'number'
    ? { id: `A${asWhole('request', 'refs', value, 1, Number.MAX_SAFE_INTEGER)}` }
    : { dedupKey: asDedupKey('request', 'refs', value) };

export interface ListRequest {
  readonly filter: AlertFilter;
  readonly consistency: Consistency;
  /** 1 … LIST_PAGE_MAX. */
  readonly limit: number;
  /** The page begins after this alert; undefined = with the first. */
  readonly after: AlertId | undefined;
  /** The revision whose state the page is of; absent = now. */
  readonly at?: Revision;
}

export function encodeList(request: ListRequest): Uint8Array {
  const { filter, consistency, limit, after, at } = request;
  return encodeBody({
    filter: present(filter),
    consistency,
    limit,
    ...(after === undefined ? {} : { after }),
    ...(at === undefined ? {} : { at }),
  });
}

const LIST: ReadonlySet<string> = new Set<keyof ListRequest>([
  'filter',
  'consistency',
  'limit',
  'after',
  'at',
]);

/** @throws TocsinError BODY_MALFORMED, BAD_REQUEST naming the field */
export function decodeList(body: Uint8Array): ListRequest {
  const list: Unchecked<ListRequest> = asFields('request', 'list', decodeBody(body), LIST);
  return {
    filter: parseFilter(list.filter),
    consistency: parseConsistency(list.consistency),
    limit: asWhole('request', 'limit', list.limit, 1, LIST_PAGE_MAX),
    after: list.after === undefined ? undefined : parseAlertId('request', 'after', list.after),
    ...(list.at === undefined ? {} : { at: parseRevision('request', 'at', list.at) }),
  };
}

export interface WatchRequest {
  /** The first revision to be told; undefined = what happens from now on. */
  readonly from: Revision | undefined;
  /** Undefined = every alert. */
  readonly filter: AlertFilter | undefined;
}

export function encodeWatch(request: WatchRequest): Uint8Array {
  const { from, filter } = request;
  return encodeBody({
    ...(from === undefined ? {} : { from }),
    ...(filter === undefined ? {} : { filter: present(filter) }),
  });
}

const WATCH: ReadonlySet<string> = new Set<keyof WatchRequest>(['from', 'filter']);

/** @throws TocsinError BODY_MALFORMED, BAD_REQUEST naming the field */
export function decodeWatch(body: Uint8Array): WatchRequest {
  const { from, filter }: Unchecked<WatchRequest> = asFields(
    'request',
    'watch',
    decodeBody(body),
    WATCH,
  );
  return {
    from:
      from === undefined
        ? undefined
        : revision(asWhole('request', 'from', from, 1, Number.MAX_SAFE_INTEGER)),
    filter: filter === undefined ? undefined : parseFilter(filter),
  };
}

/**
 * For the types that say everything by themselves: PING, PONG, STATUS, CANCEL. Their bodies are
 * empty.
 * @throws TocsinError BODY_MALFORMED
 */
export function decodeEmpty(body: Uint8Array): void {
  if (body.byteLength !== 0)
    throw new TocsinError('BODY_MALFORMED', `${body.byteLength} bytes where none belong`);
}

/**
 * The body of FAIL and of REFUSE. Only code, message and the leader's address travel; a message
 * that is too long or holds control characters is cut and cleaned.
 */
export function encodeFail(error: TocsinError): Uint8Array {
  const fields = { code: error.code, message: toText(error.message, TEXT_CHARS_MAX) };
  const { leader } = error;
  return encodeBody(leader !== undefined && isAddress(leader) ? { ...fields, leader } : fields);
}

/** Multiaddrs are ASCII; what is not cannot be dialled, and is not worth the room in a frame. */
const isAddress = (text: string): boolean =>
  text.length <= ADDRESS_CHARS_MAX && /^[\x21-\x7e]+$/.test(text);

/** @throws TocsinError BODY_MALFORMED when the body does not hold an error */
export function decodeFail(body: Uint8Array): TocsinError {
  const fail: Unchecked<{ code: Code; message: string; leader: string }> = asFields(
    'answer',
    'fail',
    decodeBody(body),
    undefined,
  );
  const { code, leader } = fail;
  if (!isCode(code)) refuse('answer', 'code', 'is not known');
  const message = asText('answer', 'message', fail.message);
  if (leader === undefined) return new TocsinError(code, message);
  const address = asLine('answer', 'leader', leader, 1, ADDRESS_CHARS_MAX);
  return new TocsinError(code, message, { leader: address });
}

/** The filter without fields that are there but undefined. */
function present(filter: AlertFilter): AlertFilter {
  const entries = Object.entries(filter).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}
