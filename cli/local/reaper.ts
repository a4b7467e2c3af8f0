import { removeTemporaryFolder } from './parent-guard.ts';

/**
 * What must not outlive this process: child processes by their ids, and temporary folders. Ends them when the process
 * ends by itself, by an uncaught error or by a signal. (A process killed with SIGKILL runs nothing: see parent-guard.ts.)
 */

const children: Set<number> = new Set();
const folders: Set<string> = new Set();

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** A negative id is that of a group. */
export function reapChild(pid: number): void {
  children.add(pid);
  watch();
}

export function childIsGone(pid: number): void {
  children.delete(pid);
  unwatchIfIdle();
}

export function reapFolder(folder: string): void {
  folders.add(folder);
  watch();
}

export function folderIsGone(folder: string): void {
  folders.delete(folder);
  unwatchIfIdle();
}

let watching = false;

function watch(): void {
  if (watching) return;
  watching = true;
  process.on('exit', reap);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function unwatchIfIdle(): void {
  if (!watching || children.size > 0 || folders.size > 0) return;
  watching = false;
  process.off('exit', reap);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

/** Whoever else listens to the signal decides what it means; if nobody does, it ends the process, as it would have. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  reap();
  for (const each of SIGNALS) process.off(each, onSignal);
  process.kill(process.pid, signal);
}

function reap(): void {
  for (const pid of children) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }
  for (const folder of folders) removeTemporaryFolder(folder);
  children.clear();
  folders.clear();
}
