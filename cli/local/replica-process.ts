import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { assert, must } from '../../src/base/assert.ts';
import { type Code, isCode, TocsinError } from '../../src/base/errors.ts';
import type { ReplicaId } from '../../src/base/ids.ts';
import { LOCAL_START_MS_MAX } from '../../src/base/limits.ts';
import { PARENT_FOLDER_VARIABLE, PARENT_PIPE_VARIABLE } from './parent-guard.ts';
import { childIsGone, reapChild } from './reaper.ts';

export interface ReplicaProcessOptions {
  readonly id: ReplicaId;
  readonly clusterId: string;
  readonly address: string;
  /** A formatted data folder. */
  readonly folder: string;
  /** Words before the command that runs it, such as another one that puts it somewhere. @defaultValue none */
  readonly command?: readonly string[];
  /** More variables of its environment. @defaultValue none */
  readonly environment?: Readonly<Record<string, string>>;
  /** More flags of `serve`. */
  readonly flags?: readonly string[];
  /** Compiled program whose `serve` runs the replica. */
  readonly program: string;
  /** To be removed by the child if this process is gone before it could. */
  readonly temporaryFolder: string | undefined;
  /** Told when the process ended though nobody here ended it. */
  readonly onDeath: (what: string) => void;
}

const LOOK_MS = 10;
const LAST_LINES = 5;

/**
 * One replica as a child process, which can be started, killed and started again. What it prints goes to files beside
 * its data folder.
 */
export class ReplicaProcess {
  readonly options: ReplicaProcessOptions;
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #wanted = false;
  #waker: ChildProcess | undefined;

  constructor(options: ReplicaProcessOptions) {
    this.options = options;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Starts the process, before this returns, and resolves when it listens.
   * @throws TocsinError with the code with which it ended instead, and its last lines
   */
  async start(): Promise<void> {
    const { id } = this.options;
    assert(this.#child === undefined, `replica ${id} runs already`);
    const before = sizeOf(this.#stdoutPath);
    const errorsBefore = sizeOf(this.#stderrPath);
    this.#spawn();
    const deadline = performance.now() + LOCAL_START_MS_MAX;
    while (this.#child !== undefined) {
      if ((await textFrom(this.#stdoutPath, before)).includes(' listens on ')) return;
      if (performance.now() > deadline) {
        await this.kill();
        throw new TocsinError('UNAVAILABLE', `replica ${id} did not listen in time`);
      }
      await pause(LOOK_MS);
    }
    await this.#gone;
    throw startFailure(id, await textFrom(this.#stderrPath, errorsBefore));
  }

  /** Ends it with SIGKILL and resolves when it is gone. The signal is sent before this returns. */
  async kill(): Promise<void> {
    this.#wanted = false;
    this.#child?.kill('SIGKILL');
    this.#endWaker();
    await this.#gone;
  }

  /** Stops it (SIGSTOP) until `resume`. */
  pause(): void {
    const pid = must(this.pid, `replica ${this.options.id} does not run`);
    this.#waker ??= spawnWaker(pid);
    process.kill(pid, 'SIGSTOP');
  }

  resume(): void {
    const pid = must(this.pid, `replica ${this.options.id} does not run`);
    process.kill(pid, 'SIGCONT');
    this.#endWaker();
  }

  get #stdoutPath(): string {
    return `${this.options.folder}.out`;
  }
  get #stderrPath(): string {
    return `${this.options.folder}.err`;
  }

  #spawn(): void {
    const { program, folder, clusterId, temporaryFolder, flags = [] } = this.options;
    const { command = [], environment = {} } = this.options;
    const serve = [program, 'serve', '--data', folder, '--cluster', clusterId, ...flags];
    const guard = pathToFileURL(join(dirname(program), 'local', 'parent-guard.js')).href;
    const stdout = openSync(this.#stdoutPath, 'a');
    const stderr = openSync(this.#stderrPath, 'a');
    try {
      const [first = '', ...words] = [...command, process.execPath, '--import', guard, ...serve];
      const child = spawn(first, words, {
        stdio: ['pipe', stdout, stderr],
        // A process group of its own: Ctrl-C is for the parent, which decides what it means.
        detached: true,
        env: {
          ...process.env,
          ...environment,
          [PARENT_PIPE_VARIABLE]: '1',
          ...(temporaryFolder === undefined ? {} : { [PARENT_FOLDER_VARIABLE]: temporaryFolder }),
        },
      });
      this.#adopt(child);
    } finally {
      closeSync(stdout);
      closeSync(stderr);
    }
  }

  #adopt(child: ChildProcess): void {
    const { pid } = child;
    this.#child = child;
    this.#wanted = true;
    if (pid !== undefined) reapChild(pid);
    // The pipe breaks when the child ends: that is what it is for.
    child.stdin?.on('error', () => {});
    this.#gone = new Promise((resolve) => {
      const end = (what: string): void => {
        if (this.#child !== child) return;
        this.#child = undefined;
        child.stdin?.destroy();
        this.#endWaker();
        if (pid !== undefined) childIsGone(pid);
        if (this.#wanted) this.options.onDeath(what);
        resolve();
      };
      child.once('exit', (code, signal) => end(signal ?? `exit ${code}`));
      child.once('error', (error) => end(error.message));
    });
  }

  #endWaker(): void {
    this.#waker?.kill('SIGKILL');
    this.#waker = undefined;
  }
}

/**
 * A stopped process cannot notice that its parent is gone. This shell does, by the end of its input, and wakes it up.
 */
function spawnWaker(pid: number): ChildProcess {
  const waker = spawn('sh', ['-c', `read line; kill -CONT ${pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  waker.on('error', () => {});
  waker.stdin?.on('error', () => {});
  if (waker.pid !== undefined) {
    const own = waker.pid;
    reapChild(own);
    waker.once('exit', () => {
      childIsGone(own);
      waker.stdin?.destroy();
    });
  }
  return waker;
}

/** The program says on its last lines why it ended: `tocsin: ADDRESS_IN_USE: …`. */
function startFailure(id: ReplicaId, stderr: string): TocsinError {
  const lines = stderr.trimEnd().split('\n').slice(-LAST_LINES);
  const said = /^tocsin: ([A-Z_]+):/m.exec(stderr)?.[1];
  const code: Code = isCode(said) ? said : 'INTERNAL';
  return new TocsinError(code, `replica ${id} ended at start: ${lines.join('\n')}`);
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

async function textFrom(path: string, offset: number): Promise<string> {
  return (await readFile(path)).subarray(offset).toString('utf8');
}
