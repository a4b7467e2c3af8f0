import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare, requireNode } from './prepare.mjs';
import { dieBy } from './progress.mjs';

/**
 * node scripts/ensure.mjs [--rebuild] [--env NAME=VALUE] [-- COMMAND [ARGUMENT…]]
 *
 * Installs and builds what is missing in this checkout, then runs COMMAND (node, or the command of an installed
 * package) with its arguments, and ends as it ends. `npm test` and the other scripts begin with this, so that they work
 * on a fresh clone.
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function usage(problem) {
  process.stderr.write(
    `${problem}\nusage: node scripts/ensure.mjs [--rebuild] [--env NAME=VALUE] [-- COMMAND …]\n`,
  );
  process.exit(2);
}

function parse(args) {
  const parsed = { rebuild: false, env: {}, command: [] };
  while (args.length > 0) {
    const word = args.shift();
    if (word === '--') parsed.command = args.splice(0);
    else if (word === '--rebuild') parsed.rebuild = true;
    else if (word === '--env') {
      const [name, value] = (args.shift() ?? '').split('=');
      if (!name || value === undefined) usage('--env wants NAME=VALUE');
      parsed.env[name] = value;
    } else usage(`unknown argument ${word}`);
  }
  return parsed;
}

/** The script behind a command of an installed package, to be run by this very Node. */
function scriptOf(command) {
  const link = join(root, 'node_modules', '.bin', command);
  if (!existsSync(link)) usage(`no such command: ${command}`);
  return realpathSync(link);
}

function run([command, ...args], env) {
  const script = command === 'node' ? [] : [scriptOf(command)];
  const child = spawn(process.execPath, [...script, ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  // A terminal sends Ctrl-C to the child as well; sent twice, it would look like impatience.
  const forward = (signal) => {
    if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  child.once('error', (error) => {
    process.stderr.write(`${command}: ${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => (signal === null ? process.exit(code) : dieBy(signal)));
}

requireNode();
const { rebuild, env, command } = parse(process.argv.slice(2));
try {
  await prepare(root, { rebuild });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
if (command.length > 0) run(command, env);
