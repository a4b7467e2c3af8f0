import { TocsinError } from '../../src/base/errors.ts';

/** The code of the TocsinError that `run` throws; anything else it throws is passed on. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (TocsinError.is(error)) return error.code;
    throw error;
  }
  return 'no error';
}

export function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (TocsinError.is(error)) return error.message;
    throw error;
  }
  return 'no error';
}

export const join = (parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts));

export const bytesOf = (hex: string): Uint8Array =>
  new Uint8Array(Buffer.from(hex.replace(/\s/g, ''), 'hex'));

/** Whether two values share memory. */
export const shares = (part: Uint8Array, whole: Uint8Array): boolean =>
  part.buffer === whole.buffer &&
  part.byteOffset >= whole.byteOffset &&
  part.byteOffset + part.byteLength <= whole.byteOffset + whole.byteLength;

/** A copy of its own memory: `slice` of a Buffer is none. */
export const copyOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);
