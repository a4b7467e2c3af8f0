import { TocsinError } from '../../src/base/errors.ts';
import { TEXT_FILE_BYTES_MAX } from '../../src/base/limits.ts';
import type { Io } from './io.ts';

/** A file of the user as a whole; `-` is standard input. @throws TocsinError BAD_REQUEST */
export async function readText(io: Io, path: string): Promise<string> {
  const text = await io.files.read(path === '-' ? '/dev/stdin' : path);
  if (text === undefined) throw new TocsinError('BAD_REQUEST', `${path}: there is no such file`);
  if (text.length > TEXT_FILE_BYTES_MAX) throw tooLong(path);
  return text;
}

const tooLong = (path: string): TocsinError =>
  new TocsinError('BAD_REQUEST', `${path} is longer than ${TEXT_FILE_BYTES_MAX} characters`);
