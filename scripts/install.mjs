import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { runQuietly } from './progress.mjs';
import { installStamp, stampOfInstall, textOf } from './stamps.mjs';

/** Settings of an outer `npm run` or `npx` that would make an inner `npm ci` install something else, elsewhere. */
const FOREIGN_SETTING =
  /^npm_config_(local_prefix|prefix|global|location|package|call|omit|include|only|production|dev|optional|dry_run|workspace|workspaces|package_lock|package_lock_only|ignore_scripts)$/i;

const ARGUMENTS = [
  'ci',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--include=dev',
  '--include=optional',
  '--loglevel=error',
];

/** The npm that runs this script if there is one, else the one of the path. */
function npmCommand() {
  const outer = process.env.npm_execpath ?? '';
  if (/^np[mx]-cli\.js$/.test(basename(outer))) {
    const cli = join(dirname(outer), 'npm-cli.js');
    if (existsSync(cli)) return { file: process.execPath, args: [cli, ...ARGUMENTS], shell: false };
  }
  // On Windows npm is a shell script.
  return { file: 'npm', args: ARGUMENTS, shell: process.platform === 'win32' };
}

const readJson = (path) => {
  try {
    return JSON.parse(textOf(path));
  } catch {
    return undefined;
  }
};

/** Whether the last install was for another kind of machine, whose native modules are of no use here. */
const isForeign = (root) => {
  const last = readJson(installStamp(root));
  return last !== undefined && last.machine !== JSON.parse(stampOfInstall(root)).machine;
};

/**
 * Whether npm itself says that it has put every package of the lockfile there, as after an `npm ci` by hand.
 * Optional ones may be missing: they are for other machines.
 */
function isAllThere(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const found = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (wanted === undefined || found === undefined) return false;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' ||
      entry.optional === true ||
      (found[path]?.version === entry.version && existsSync(join(root, path))),
  );
}

/** So that `npx tocsin` in the checkout finds the command without a detour through npx's cache. */
function linkCommand(root) {
  if (process.platform === 'win32') return;
  const folder = join(root, 'node_modules', '.bin');
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'tocsin'), { force: true });
  symlinkSync(join('..', '..', 'bin', 'tocsin.js'), join(folder, 'tocsin'));
  try {
    chmodSync(join(root, 'bin', 'tocsin.js'), 0o755);
  } catch {
    // A checkout that belongs to somebody else: the mode is as git set it.
  }
}

/** Installs what the lockfile says, without install scripts: every native module brings its binary along. */
export async function install(root, adopt) {
  if (!existsSync(join(root, 'package-lock.json'))) {
    throw new Error(`${root} has no package-lock.json, so there is nothing to install from`);
  }
  const stamp = stampOfInstall(root);
  if (isForeign(root) || !isAllThere(root)) {
    const { file, args, shell } = npmCommand();
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !FOREIGN_SETTING.test(name)),
    );
    await runQuietly('installing dependencies', file, args, { cwd: root, env, shell }, adopt);
  }
  linkCommand(root);
  const fresh = `${installStamp(root)}-${process.pid}`;
  writeFileSync(fresh, stamp);
  renameSync(fresh, installStamp(root));
}
