import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { runQuietly } from './progress.mjs';
import { buildStamp, fingerprint } from './stamps.mjs';

/** Every file below `folder`, as paths relative to it. */
function filesBelow(folder, prefix = '') {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(folder, join(prefix, entry.name)) : [join(prefix, entry.name)],
  );
}

const readOr = (path, fallback) => {
  try {
    return readFileSync(path);
  } catch {
    return fallback;
  }
};

/** The staging folder lies one level deeper than dist, so its source maps point one level too far up. */
const settle = (name, bytes) =>
  name.endsWith('.map')
    ? Buffer.from(bytes.toString('utf8').replace('"sources":["../', '"sources":["'))
    : bytes;

/**
 * Makes `dist` hold what `staging` holds, file by file. Each file is replaced in one step and only if it differs, so a
 * process that runs from `dist` meanwhile finds every module whole.
 */
function publish(staging, dist) {
  const made = new Set(filesBelow(staging));
  for (const name of made) {
    const bytes = settle(name, readFileSync(join(staging, name)));
    if (bytes.equals(readOr(join(dist, name), Buffer.alloc(0)))) continue;
    mkdirSync(dirname(join(dist, name)), { recursive: true });
    writeFileSync(join(staging, name), bytes);
    renameSync(join(staging, name), join(dist, name));
  }
  for (const folder of ['src', 'cli', 'bench', 'jepsen-lite']) {
    if (!existsSync(join(dist, folder))) continue;
    for (const name of filesBelow(dist, folder)) {
      if (!made.has(name)) rmSync(join(dist, name), { force: true });
    }
  }
}

/** Builds `dist/` from the sources; a build that fails leaves the last good one and no stamp. */
export async function compile(root, adopt) {
  const dist = join(root, 'dist');
  const staging = join(dist, `.next-${process.pid}`);
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const before = fingerprint(root);
  const project = ['-p', 'tsconfig.build.json', '--outDir', staging, '--noEmitOnError'];
  mkdirSync(dist, { recursive: true });
  for (const name of readdirSync(dist)) {
    // Left by a build that was killed: only the holder of the lock comes here.
    if (name.startsWith('.next-')) rmSync(join(dist, name), { recursive: true, force: true });
  }
  try {
    mkdirSync(staging);
    rmSync(buildStamp(root), { force: true });
    const colours = process.stderr.isTTY === true ? ['--pretty'] : [];
    const args = [tsc, ...project, ...colours];
    await runQuietly('building', process.execPath, args, { cwd: root }, adopt);
    publish(staging, dist);
    writeFileSync(join(staging, 'stamp'), before);
    renameSync(join(staging, 'stamp'), buildStamp(root));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
