import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { must } from '../../src/base/assert.ts';

const STOP_MS_MAX = 5_000;
const READY_MS_MAX = 20_000;
const LOOK_MS = 50;

/** Child processes and the folder they write to; both go when it is closed, or when this process ends. */
export class Processes {
  readonly folder: string;
  readonly #children: ChildProcess[] = [];
  readonly #onExit = (): void => this.#kill();

  private constructor(folder: string) {
    this.folder = folder;
    process.once('exit', this.#onExit);
  }

  static async open(name: string): Promise<Processes> {
    return new Processes(await mkdtemp(join(tmpdir(), `tocsin-bench-${name}-`)));
  }

  start(program: string, args: readonly string[]): void {
    const child = spawn(program, args, { stdio: 'ignore', cwd: this.folder });
    child.on('error', () => {});
    this.#children.push(child);
  }

  get pids(): readonly number[] {
    return this.#children.map(({ pid }) => must(pid, 'a program did not start'));
  }

  async close(): Promise<void> {
    const gone = this.#children.map(
      (child) => new Promise<void>((resolve) => child.once('exit', () => resolve())),
    );
    const running = gone.filter((_, at) => this.#children[at]?.exitCode === null);
    this.#kill();
    await Promise.race([Promise.all(running), pause(STOP_MS_MAX)]);
    process.removeListener('exit', this.#onExit);
    await rm(this.folder, { recursive: true, force: true });
  }

  #kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

/** Asks until it resolves. */
export async function until<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + READY_MS_MAX;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(LOOK_MS);
    }
  }
}

/** The first line a program prints about its version, or undefined if it is not installed. */
export function versionOf(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')[0]
      ?.trim();
  } catch {
    return undefined;
  }
}
