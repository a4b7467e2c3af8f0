import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * node scripts/complete-lockfile.mjs [--check]
 *
 * Gives every optional package that another package of the lockfile names an entry of its own. A registry mirror that
 * carries the binaries of only some platforms leaves the others out of the lockfile, and then `npm ci` refuses to
 * install on any platform. The added entries have an exact version and a platform, but no integrity, which only a
 * registry that has the package can tell; an `npm install` against a full registry adds it.
 */

const LOCKFILE = fileURLToPath(new URL('../package-lock.json', import.meta.url));

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];

/** Which machines a package is for, as its name says: `…-linux-arm64-musl`. */
function platformOf(name) {
  const words = name.split('/').pop().split('-');
  const os = SYSTEMS.filter((system) => words.includes(system));
  const cpu = PROCESSORS.filter((processor) => words.includes(processor));
  if (words.some((word) => word.startsWith('linux')))
    os.push(...(os.length === 0 ? ['linux'] : []));
  if (name === 'fsevents') os.push('darwin');
  const isMusl = words.some((word) => word.startsWith('musl'));
  const isGnu = words.some((word) => word.startsWith('gnu'));
  return {
    ...(os.length > 0 && { os }),
    ...(cpu.length > 0 && { cpu }),
    ...(isMusl && { libc: ['musl'] }),
    ...(isGnu && { libc: ['glibc'] }),
  };
}

/** Where Node finds `name` from the package at `path`: its own node_modules, or one further up. */
function placesOf(path, name) {
  const places = [];
  for (
    let base = path;
    ;
    base = base.slice(0, base.lastIndexOf('node_modules/')).replace(/\/$/, '')
  ) {
    places.push(`${base === '' ? '' : `${base}/`}node_modules/${name}`);
    if (base === '') return places;
  }
}

/** The entries which a lockfile lacks, by their path. */
export function missingEntries(lockfile) {
  const missing = {};
  for (const [path, entry] of Object.entries(lockfile.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const places = placesOf(path, name);
      if (places.some((place) => place in lockfile.packages)) continue;
      const version = range.replace(/^[~^]/, '');
      const top = places[places.length - 1];
      const place = (missing[top]?.version ?? version) === version ? top : places[0];
      missing[place] = {
        version,
        ...(entry.dev && { dev: true }),
        optional: true,
        ...platformOf(name),
      };
    }
  }
  return missing;
}

function main() {
  const lockfile = JSON.parse(readFileSync(LOCKFILE, 'utf8'));
  const missing = missingEntries(lockfile);
  const names = Object.keys(missing);
  if (process.argv.includes('--check')) {
    for (const name of names) process.stderr.write(`package-lock.json lacks ${name}\n`);
    process.exit(names.length === 0 ? 0 : 1);
  }
  const [[root, own], ...rest] = Object.entries(lockfile.packages);
  const all = [...rest, ...Object.entries(missing)].sort(([a], [b]) => (a < b ? -1 : 1));
  lockfile.packages = { [root]: own, ...Object.fromEntries(all) };
  writeFileSync(LOCKFILE, `${JSON.stringify(lockfile, undefined, 2)}\n`);
  process.stdout.write(`package-lock.json: ${names.length} entries added\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
