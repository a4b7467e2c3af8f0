import { mkdirSync, readFileSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** One process at a time installs or builds a checkout; the others wait, and then find the work done. */

const POLL_MS = 100;
const TOUCH_MS = 1_000;
/** A lock nobody touched for so long, while this process watched, is abandoned even if its pid is in use again. */
const SILENCE_MS_MAX = 60_000;
const STEAL_MS_MAX = 10_000;

/** Whose the lock is: this process, and the child that works for it and might outlive it. */
const ownedBy = (...pids) => JSON.stringify({ host: hostname(), pids });

function create(path) {
  try {
    writeFileSync(path, ownedBy(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function remove(path) {
  try {
    unlinkSync(path);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

const ageMs = (path) => {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : Date.now() - stat.mtimeMs;
};

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

/** Whether everyone who owns the lock is known to be gone. Says no where it cannot know. */
function isAbandoned(text) {
  try {
    const { host, pids } = JSON.parse(text);
    return host === hostname() && !pids.some(isAlive);
  } catch {
    return false;
  }
}

const readOr = (path, fallback) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
};

/** Removes an abandoned lock. Two that try at once must not remove the lock which one of them took in between. */
function steal(path, text) {
  const guard = `${path}-steal`;
  if (!create(guard)) {
    if ((ageMs(guard) ?? 0) > STEAL_MS_MAX) remove(guard);
    return;
  }
  try {
    if (readOr(path, '') === text) remove(path);
  } finally {
    remove(guard);
  }
}

async function take(path) {
  let seen = '';
  let silentMs = 0;
  for (let polls = 0; !create(path); polls += 1) {
    const text = readOr(path, '');
    const state = `${text} ${statSync(path, { throwIfNoEntry: false })?.mtimeMs}`;
    silentMs = state === seen ? silentMs + POLL_MS : 0;
    seen = state;
    if (polls === 10)
      process.stderr.write('tocsin: another process prepares this checkout, waiting\n');
    if (isAbandoned(text) || silentMs > SILENCE_MS_MAX) {
      steal(path, text);
      silentMs = 0;
    } else {
      await pause(POLL_MS);
    }
  }
}

/**
 * Runs `work` while holding the lock of the checkout, and lets go of it however the work ends. `work` is given a
 * function that tells the lock which child works for this process: should this process be killed, the lock holds until
 * the child has ended too.
 *
 * @template T
 * @param {string} root folder of the checkout
 * @param {(adopt: (pid: number | undefined) => void) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(root, work) {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const path = join(root, 'dist', '.lock');
  await take(path);
  let mine = ownedBy(process.pid);
  const isMine = () => readOr(path, '') === mine;
  const letGo = () => isMine() && remove(path);
  const adopt = (pid) => {
    if (pid === undefined || !isMine()) return;
    mine = ownedBy(process.pid, pid);
    writeFileSync(path, mine);
  };
  const touch = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // The folder was removed under us; the work will say what is wrong.
    }
  }, TOUCH_MS);
  process.once('exit', letGo);
  try {
    return await work(adopt);
  } finally {
    clearInterval(touch);
    process.off('exit', letGo);
    letGo();
  }
}
