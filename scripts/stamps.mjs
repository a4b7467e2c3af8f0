import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How a checkout knows that nothing is to be done: two files that hold the sizes and times of everything an install or
 * a build depends on. Comparing them takes some milliseconds and reads no source.
 */

/** Written into node_modules after an install that went well; an install from scratch removes it. */
export const installStamp = (root) => join(root, 'node_modules', '.tocsin-installed.json');
/** Written into dist after a build that went well. */
export const buildStamp = (root) => join(root, 'dist', '.stamp');

/** What tells one state of a file from another without reading it. */
export function mark(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.size} ${stat.mtimeMs}`;
}

/** The machine counts too: a folder shared between two kinds of machine holds the wrong native modules for one. */
export const stampOfInstall = (root) =>
  JSON.stringify({
    lockfile: mark(join(root, 'package-lock.json')),
    machine: `${process.platform} ${process.arch}`,
  });

function markTree(root, folder, marks) {
  let entries = [];
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) markTree(root, path, marks);
    else if (entry.name.endsWith('.ts')) marks.push(`${path} ${mark(join(root, path))}`);
  }
}

/** Everything a build depends on, one line per file; equal text means that the last build still holds. */
export function fingerprint(root) {
  const marks = [];
  for (const folder of ['src', 'cli', 'bench', 'jepsen-lite']) markTree(root, folder, marks);
  for (const name of [
    'tsconfig.json',
    'tsconfig.build.json',
    'package.json',
    'package-lock.json',
  ]) {
    marks.push(`${name} ${mark(join(root, name))}`);
  }
  return `${marks.sort().join('\n')}\n`;
}

/** Text of a file, empty where there is none. */
export function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export const isInstalled = (root) => textOf(installStamp(root)) === stampOfInstall(root);
export const isBuilt = (root) => textOf(buildStamp(root)) === fingerprint(root);
