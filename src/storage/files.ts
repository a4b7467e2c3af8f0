import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assert } from '../base/assert.ts';
import { faultOf } from './level/level.ts';

/** The files of one folder, as few operations as snapshots need. Nothing stays open between calls. */
export interface Files {
  names(): Promise<readonly string[]>;
  size(name: string): Promise<number>;
  /** Up to `length` bytes; fewer at the end of the file. */
  read(name: string, at: number, length: number): Promise<Uint8Array>;
  /** Makes the file if there is none. Durable after `sync`. */
  write(name: string, at: number, bytes: Uint8Array): Promise<void>;
  sync(name: string): Promise<void>;
  /** Replaces what has that name. Durable, as is every new name, after `syncNames`. */
  rename(from: string, to: string): Promise<void>;
  /** Does nothing if there is none. */
  remove(name: string): Promise<void>;
  syncNames(): Promise<void>;
}

/** Makes names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Those of a folder on disk, which is made with the first file. Operations throw DISK_FAILED or DISK_FULL. */
export const filesIn = (folder: string): Files => new FolderFiles(folder);

async function guard<T>(what: string, action: () => Promise<T> | T): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw faultOf(error, what);
  }
}

class FolderFiles implements Files {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  names(): Promise<readonly string[]> {
    return guard(this.#folder, () => (existsSync(this.#folder) ? readdir(this.#folder) : []));
  }

  size(name: string): Promise<number> {
    return guard(name, async () => (await stat(this.#path(name))).size);
  }

  read(name: string, at: number, length: number): Promise<Uint8Array> {
    return this.#with(name, 'r', async (handle) => {
      const bytes = Buffer.allocUnsafeSlow(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, at + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    });
  }

  async write(name: string, at: number, bytes: Uint8Array): Promise<void> {
    await this.#makeFolder();
    // 'r+' would not make the file, 'w' would empty it.
    await this.#with(name, 'a', async () => undefined);
    await this.#with(name, 'r+', async (handle) => {
      const { bytesWritten } = await handle.write(bytes, 0, bytes.byteLength, at);
      assert(bytesWritten === bytes.byteLength, `wrote ${bytesWritten} of ${bytes.byteLength}`);
    });
  }

  async sync(name: string): Promise<void> {
    await this.#with(name, 'r+', (handle) => handle.datasync());
  }

  rename(from: string, to: string): Promise<void> {
    return guard(from, () => rename(this.#path(from), this.#path(to)));
  }

  remove(name: string): Promise<void> {
    return guard(name, () => rm(this.#path(name), { force: true }));
  }

  syncNames(): Promise<void> {
    return guard(this.#folder, () => syncFolder(this.#folder));
  }

  #with<T>(
    name: string,
    flags: string,
    action: (handle: Awaited<ReturnType<typeof open>>) => Promise<T>,
  ): Promise<T> {
    return guard(this.#path(name), async () => {
      const handle = await open(this.#path(name), flags, 0o600);
      try {
        return await action(handle);
      } finally {
        await handle.close();
      }
    });
  }

  async #makeFolder(): Promise<void> {
    if (existsSync(this.#folder)) return;
    await guard(this.#folder, async () => {
      await mkdir(this.#folder, { mode: 0o700, recursive: true });
      await syncFolder(dirname(this.#folder));
    });
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}
