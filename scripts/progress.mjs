import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A long step with a line that shows it lives: rewritten in place on a terminal, plain lines elsewhere. */

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const TTY_MS = 100;
const PLAIN_MS = 10_000;

function startProgress(title) {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  const isTerminal = process.stderr.isTTY === true;
  let frame = 0;
  const draw = () => {
    frame += 1;
    process.stderr.write(`\r\u001b[2K${FRAMES[frame % FRAMES.length]} ${title} ${seconds()} s`);
  };
  const say = () => process.stderr.write(`tocsin: ${title}, ${seconds()} s so far\n`);
  if (!isTerminal) process.stderr.write(`tocsin: ${title}\n`);
  const timer = setInterval(isTerminal ? draw : say, isTerminal ? TTY_MS : PLAIN_MS);
  return (outcome) => {
    clearInterval(timer);
    if (isTerminal) process.stderr.write('\r\u001b[2K');
    process.stderr.write(`tocsin: ${title}: ${outcome} in ${seconds()} s\n`);
  };
}

/** Ends this process the way `signal` would have, for a parent that waits for it. */
export function dieBy(signal) {
  process.exit(128 + (constants.signals[signal] ?? 1));
}

/**
 * Runs a quiet child under a progress line. Its output is shown only when it fails.
 *
 * @param {string} title what happens, for people
 * @param {string} file program
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @param {(pid: number | undefined) => void} started told the child's pid
 * @returns {Promise<void>} rejects with the output when the child fails
 */
export async function runQuietly(title, file, args, options, started) {
  const done = startProgress(title);
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  started(child.pid);
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  let caught;
  const stop = (signal) => {
    caught = signal;
    child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, stop);
  const status = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  for (const signal of signals) process.off(signal, stop);
  done(status === 0 ? 'done' : 'failed');
  if (caught !== undefined) dieBy(caught);
  if (status === 0) return;
  throw new Error(`${title} failed (${status}):\n${Buffer.concat(output).toString('utf8').trim()}`);
}
