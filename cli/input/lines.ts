import { createReadStream } from 'node:fs';
import { TocsinError } from '../../src/base/errors.ts';
import { RECORDING_LINE_BYTES_MAX } from '../../src/base/limits.ts';

export interface Line {
  /** The first one is 1. */
  readonly number: number;
  readonly text: string;
  /** Ended by a line feed, not by the end of the file. */
  readonly isWhole: boolean;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * The lines of a text file, ended by LF or CRLF, the last one by either or by the end of the file. Holds one line and one
 * chunk in memory, whatever the file.
 * @throws TocsinError BAD_RECORDING naming file and line: unreadable, not UTF-8, binary, a line over the limit
 */
export async function* readLines(path: string): AsyncGenerator<Line, void, undefined> {
  const decode = lineDecoder(path);
  let number = 1;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of readChunks(path)) {
    let bytes = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
      yield decode(bytes.subarray(0, end), number);
      number += 1;
      bytes = bytes.subarray(end + 1);
    }
    checkLength(path, bytes, number);
    rest = bytes;
  }
  if (rest.byteLength > 0) yield { ...decode(rest, number), isWhole: false };
}

export const badRecording = (
  path: string,
  line: number | undefined,
  what: string,
  cause?: unknown,
): TocsinError =>
  new TocsinError('BAD_RECORDING', `${path}${line === undefined ? '' : `:${line}`}: ${what}`, {
    cause,
  });

async function* readChunks(path: string): AsyncGenerator<Buffer, void, undefined> {
  const stream = createReadStream(path, { highWaterMark: 64 * 1024 });
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw badRecording(path, undefined, `cannot be read: ${reasonOf(error)}`, error);
  } finally {
    stream.destroy();
  }
}

function lineDecoder(path: string): (bytes: Buffer, number: number) => Line {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (bytes, number) => {
    checkLength(path, bytes, number);
    const end = bytes.byteLength - (bytes.at(-1) === CARRIAGE_RETURN ? 1 : 0);
    let text: string;
    try {
      text = utf8.decode(bytes.subarray(0, end));
    } catch (error) {
      throw badRecording(path, number, 'is not UTF-8 text', error);
    }
    if (text.includes('\0')) throw badRecording(path, number, 'is binary, not text');
    if (number === 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    return { number, text, isWhole: true };
  };
}

function checkLength(path: string, bytes: Buffer, number: number): void {
  if (bytes.byteLength <= RECORDING_LINE_BYTES_MAX) return;
  throw badRecording(path, number, `line is longer than ${RECORDING_LINE_BYTES_MAX} bytes`);
}

/** The system's code, such as ENOENT, or the message. */
export const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
