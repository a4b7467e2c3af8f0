import { rmSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * A replica that was started by a LocalCluster must not outlive it, not even when the parent was killed and could clean
 * up nothing. The parent holds the other end of the child's standard input; the system closes it when the parent is
 * gone, however it went. The child loads this file before the program (`node --import`), and loading it is enough.
 */

/** Set to 1 by a parent whose pipe is the standard input. */
export const PARENT_PIPE_VARIABLE = 'TOCSIN_PARENT_PIPE';
/** Set by a parent to the temporary folder that is to be gone when it is. */
export const PARENT_FOLDER_VARIABLE = 'TOCSIN_PARENT_FOLDER';
/** How the names of such folders begin; nothing else is ever removed. */
export const TEMPORARY_FOLDER_PREFIX = 'tocsin-local-';

if (process.env[PARENT_PIPE_VARIABLE] === '1') endWithParent();

/** Ends this process when its parent is gone. Does not keep the process alive. */
function endWithParent(): void {
  const folder = process.env[PARENT_FOLDER_VARIABLE];
  const end = (): void => {
    if (folder !== undefined) removeTemporaryFolder(folder);
    // As a crash: there is nobody left to whom an orderly end would matter.
    process.kill(process.pid, 'SIGKILL');
  };
  const { stdin } = process;
  stdin.once('end', end).once('close', end).once('error', end);
  stdin.resume();
  if ('unref' in stdin) stdin.unref();
}

/** Removes a folder that was made for one cluster, also while its replicas are still writing. */
export function removeTemporaryFolder(folder: string): void {
  if (!basename(folder).startsWith(TEMPORARY_FOLDER_PREFIX)) return;
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 });
  } catch {
    // Somebody else holds on to it; nothing more can be done from here.
  }
}
