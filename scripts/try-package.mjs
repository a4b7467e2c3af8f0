import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * node scripts/try-package.mjs
 *
 * Packs the package, installs it in an empty project as a user would, takes the library of the data folder away again,
 * and lets a program that uses nothing but the client talk to a replica of this checkout. Its types are checked too.
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cli = join(root, 'dist', 'cli', 'main.js');
const CLUSTER = '0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c';
const WITHOUT = ['level', 'classic-level', 'abstract-level', 'commander', 'cli-table3'];

const PROGRAM = `import { type Alert, connect, TocsinError } from 'tocsin/client';

const endpoints = [process.argv[2] ?? ''];
await using alerts = await connect({ endpoints, name: 'try-package' });
const { alertId } = await alerts.raise({ dedupKey: 'bed:1', condition: 'HR:HI', priority: 'high' });
const { value } = await alerts.get({ id: alertId });
const found: Alert | undefined = value;
const refused = await alerts.clear({ target: { id: 'A99' } }).catch((error: unknown) => error);
if (found?.dedupKey !== 'bed:1') throw new Error('the alert is not there');
if (!TocsinError.is(refused) || refused.code !== 'ALERT_NOT_FOUND') throw new Error('not refused');
console.log('raised and read', alertId);
`;

const run = (file, args, cwd) =>
  execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Resolves when it says that it listens. */
function serve(folder) {
  const child = spawn(process.execPath, [cli, 'serve', '--data', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const listening = new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', (code) => reject(new Error(`the replica ended with ${code}`)));
  });
  return { child, listening };
}

function install(project) {
  const [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--silent', '--pack-destination', project], root),
  );
  writeFileSync(
    join(project, 'package.json'),
    '{ "name": "a-user", "private": true, "type": "module" }\n',
  );
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['install', ...flags, join(project, packed.filename)], project);
  for (const name of WITHOUT)
    rmSync(join(project, 'node_modules', name), { recursive: true, force: true });
  const left = readdirSync(join(project, 'node_modules')).filter((name) => WITHOUT.includes(name));
  if (left.length > 0) throw new Error(`${left.join(', ')} could not be taken away`);
}

/** Checks the program against the types of the package, and leaves what Node 20 can run. */
function compile(project) {
  writeFileSync(join(project, 'program.ts'), PROGRAM);
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
  const target = [
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--lib',
    'es2023,esnext.disposable',
  ];
  run(
    process.execPath,
    [tsc, '--strict', '--skipLibCheck', ...target, ...types, 'program.ts'],
    project,
  );
}

const project = mkdtempSync(join(tmpdir(), 'tocsin-package-'));
let replica;
try {
  install(project);
  compile(project);
  const folder = join(project, 'r1');
  const address = `/ip4/127.0.0.1/tcp/${await freePort()}`;
  run(
    process.execPath,
    [
      cli,
      'format',
      '--data',
      folder,
      '--replica',
      '1',
      '--members',
      `1=${address}`,
      '--cluster',
      CLUSTER,
    ],
    root,
  );
  const { child, listening } = serve(folder);
  replica = child;
  await listening;
  process.stdout.write(run(process.execPath, ['program.js', address], project));
} finally {
  if (replica !== undefined && replica.exitCode === null) {
    const ended = new Promise((resolve) => replica.once('exit', resolve));
    replica.kill('SIGKILL');
    await ended;
  }
  rmSync(project, { recursive: true, force: true });
}
