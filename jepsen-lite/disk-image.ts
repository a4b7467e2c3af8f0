import { mkdir, open, rename, rm } from 'node:fs/promises';
import { DISK_FREE_BYTES_LOW } from '../src/base/limits.ts';
import { system } from './system.ts';

/** Holes for the most part: a replica that sees less than it wants free takes only what ends something. */
const IMAGE_BYTES: number = DISK_FREE_BYTES_LOW * 2;
/** Seconds between commits of the journal that nobody asked for: more than a run waits. */
const COMMIT_SECONDS = 300;

/**
 * A disk of its own: a file system in a file, mounted where its replica alone sees it, and for as long as that runs. What a
 * copy of the file holds at any moment is what a power cut then would have left: all that was synced.
 */
export class DiskImage {
  readonly #path: string;
  readonly #folder: string;

  private constructor(path: string, folder: string) {
    this.#path = path;
    this.#folder = folder;
  }

  /** A new one, for the data in `folder`. @throws Error when this machine, or this user, cannot make one */
  static async make(folder: string): Promise<DiskImage> {
    const path = `${folder}.disk`;
    await mkdir(folder, { recursive: true });
    const file = await open(path, 'w');
    await file.truncate(IMAGE_BYTES);
    await file.close();
    await system(['mkfs.ext4', '-q', '-F', path]);
    return new DiskImage(path, folder);
  }

  /** Goes before a command that is to see it. */
  get command(): readonly string[] {
    const mount = `mount -o loop,commit=${COMMIT_SECONDS} "$0" "$1"`;
    const script = `${mount} && rm -rf "$1/lost+found" && shift && exec "$@"`;
    return ['unshare', '--mount', 'sh', '-c', script, this.#path, this.#folder];
  }

  /** Takes what a power cut would leave now. It is on the disk after `cutPower`. */
  async catchSynced(): Promise<void> {
    await system(['cp', '--sparse=always', this.#path, this.#caught]);
  }

  /** Puts in place what was caught, when nobody uses the disk. */
  async cutPower(): Promise<void> {
    await rename(this.#caught, this.#path);
  }

  get #caught(): string {
    return `${this.#path}.caught`;
  }
}

/** Why there are no such disks here, or undefined. */
export async function whyNoImages(folder: string): Promise<string | undefined> {
  const trial = `${folder}/trial`;
  try {
    const { command } = await DiskImage.make(trial);
    await system([...command, 'true']);
    return undefined;
  } catch {
    return 'file systems in files can be mounted by root alone, and with loop devices';
  } finally {
    await rm(trial, { recursive: true, force: true });
    await rm(`${trial}.disk`, { force: true });
  }
}
