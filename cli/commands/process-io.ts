import { fstatSync } from 'node:fs';
import { userInfo } from 'node:os';
import { TocsinError } from '../../src/base/errors.ts';
import { foundNoRoom } from '../../src/base/no-room.ts';
import { onKeys } from '../input/keys.ts';
import type { Files, Io, Output } from './io.ts';
import { SERVICES } from './services.ts';

/** This process as the world of a command. To be called once: it listens to the errors of both streams. */
export function processIo(): Io {
  const gone = new AbortController();
  return {
    stdout: outputOf(process.stdout, (error) => gone.abort(lossOf(error))),
    stderr: outputOf(process.stderr, () => {}),
    stdin: {
      isTTY: process.stdin.isTTY === true,
      readLine,
      onKeys: process.stdin.isTTY === true ? onKeys : undefined,
    },
    env: process.env,
    isJournaled: isJournaled(process.env, 2),
    wall: () => Date.now(),
    loginName,
    onInterrupt,
    outputGone: gone.signal,
    files: FILES,
    services: SERVICES,
  };
}

const FILES: Files = {
  read: async (path) => {
    const { readFile } = await import('node:fs/promises');
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw new TocsinError('USAGE', `${path} cannot be read: ${String(error)}`, { cause: error });
    }
  },
  write: async (path, text) => {
    const [{ mkdir }, { dirname }, { writeWhole }] = await Promise.all([
      import('node:fs/promises'),
      import('node:path'),
      import('../output/whole-file.ts'),
    ]);
    try {
      await mkdir(dirname(path), { recursive: true });
    } catch (error) {
      throw new TocsinError('USAGE', `${path} cannot be written: ${String(error)}`, {
        cause: error,
      });
    }
    await writeWhole(path, text);
  },
};

/** A reader that went away is no error of ours: the rest is written into nothing. Undefined = that it is. */
function lossOf(error: Error): TocsinError | undefined {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') return undefined;
  const message = `not all of the answer could be written: ${error.message}`;
  return new TocsinError(foundNoRoom(error) ? 'DISK_FULL' : 'DISK_FAILED', message, {
    cause: error,
  });
}

function outputOf(stream: NodeJS.WriteStream, onGone: (error: Error) => void): Output {
  stream.on('error', onGone);
  return {
    isTTY: stream.isTTY === true,
    get columns(): number | undefined {
      return stream.isTTY === true && stream.columns > 0 ? stream.columns : undefined;
    },
    write: (text) => void stream.write(text),
    flush: () =>
      new Promise((resolve) =>
        stream.write('', (error) => {
          if (error !== undefined && error !== null) onGone(error);
          resolve();
        }),
      ),
  };
}

async function readLine(): Promise<string | undefined> {
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: process.stdin });
  try {
    return await new Promise((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(undefined));
    });
  } finally {
    lines.close();
  }
}

/**
 * Whether a file is the journal of systemd, as systemd.exec(5) has it: JOURNAL_STREAM names device and inode. It is inherited
 * by those whose output goes elsewhere, so to be set is not enough.
 */
export function isJournaled(
  { JOURNAL_STREAM: named }: Readonly<Record<string, string | undefined>>,
  file: number,
): boolean {
  if (named === undefined) return false;
  try {
    const { dev, ino } = fstatSync(file, { bigint: true });
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** A container may run under a number that has no name. */
function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

function onInterrupt(listener: () => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}
