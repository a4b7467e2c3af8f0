import { spawn } from 'node:child_process';
import { once as event } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { whyNoImages } from './disk-image.ts';
import { endOf } from './end.ts';
import { inject } from './injection.ts';

/** What this machine offers to break things with. */
export interface Tools {
  /** Why no system call of a running process can be made to fail here; undefined = it can. */
  readonly noInjection: string | undefined;
  /** libfaketime, or undefined where it is not installed. */
  readonly faketime: string | undefined;
  /** Why replicas cannot have disks of their own, whose power can be cut; undefined = they can. */
  readonly noImages: string | undefined;
}

const FAKETIME = 'libfaketimeMT.so.1';
const LIBRARIES = ['/usr/lib', '/usr/local/lib', '/usr/lib64'];

/** Tries them; what is written for that is in `folder`, and is gone afterwards. */
export async function findTools(folder: string): Promise<Tools> {
  return {
    noInjection: await whyNoInjection(),
    faketime: findFaketime(),
    noImages: await whyNoImages(folder),
  };
}

/** Tries it on a process of its own: where it is installed it may still not be allowed. */
async function whyNoInjection(): Promise<string | undefined> {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], {
    stdio: 'ignore',
  });
  const gone = event(child, 'close');
  const end = await inject(child.pid ?? 0, ['fsync'], 'error=EIO');
  await endOf(end === undefined ? [] : [end])();
  child.kill('SIGKILL');
  await gone;
  return end === undefined ? 'strace is not installed, or may not look into processes' : undefined;
}

/** Set LIBFAKETIME to where it is, if it is nowhere that systems put it. */
function findFaketime(): string | undefined {
  const folders = LIBRARIES.filter((folder) => existsSync(folder)).flatMap((folder) => [
    folder,
    ...readdirSync(folder).map((name) => join(folder, name)),
  ]);
  const places = folders.map((folder) => join(folder, 'faketime', FAKETIME));
  return [process.env['LIBFAKETIME'] ?? '', ...places].find((path) => existsSync(path));
}
