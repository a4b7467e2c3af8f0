import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePorts } from '../../cli/local/free-ports.ts';
import { programPath } from '../../cli/local/program.ts';

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Somebody who has nothing but the command line, real processes, and folders of their own. */
export class Operator {
  /** By replica, from number 1 on. */
  readonly addresses: readonly string[];
  readonly #folder: string;
  readonly #program: string = programPath();
  readonly #running: Map<number, ChildProcess> = new Map();

  private constructor(folder: string, addresses: readonly string[]) {
    this.#folder = folder;
    this.addresses = addresses;
  }

  static async with(ports: number): Promise<Operator> {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-operate-'));
    return new Operator(
      folder,
      (await freePorts(ports)).map((port) => `/ip4/127.0.0.1/tcp/${port}`),
    );
  }

  tocsin(...argv: readonly string[]): Promise<Ended> {
    return new Promise((resolve) => {
      execFile(process.execPath, [this.#program, ...argv], (error, stdout, stderr) =>
        resolve({ status: Number(error?.code ?? 0), stdout, stderr }),
      );
    });
  }

  async ok(...argv: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.tocsin(...argv);
    expect(status, `${argv.join(' ')}: ${stderr}`).toBe(0);
    return stdout;
  }

  dataOf(id: number): string {
    return join(this.#folder, `r${id}`);
  }
  addressOf(id: number): string {
    return this.addresses[id - 1] ?? '';
  }

  /** Folders of a new cluster of replicas 1 to `size`; its id. */
  async format(size: number): Promise<string> {
    const ids = Array.from({ length: size }, (_, at) => at + 1);
    const members = ids.map((id) => `${id}=${this.addressOf(id)}`).join(',');
    const one = (id: number, ...more: readonly string[]): Promise<string> =>
      this.ok(
        ...['format', '--data', this.dataOf(id), '--replica', `${id}`, '--members', members],
        ...more,
      );
    const { clusterId } = JSON.parse(await one(1, '-o', 'json'));
    for (const id of ids.slice(1)) await one(id, '--cluster', clusterId);
    return clusterId;
  }

  /** A folder for a replica that is to join those of replica 1. */
  async formatJoining(id: number): Promise<void> {
    const own = ['--replica', `${id}`, '--members', `${id}=${this.addressOf(id)}`];
    await this.ok('format', '--data', this.dataOf(id), ...own, '--join', this.addressOf(1));
  }

  /** Resolves when it listens. */
  async serve(id: number, ...flags: readonly string[]): Promise<void> {
    const argv = ['serve', '--data', this.dataOf(id), ...flags];
    const child = spawn(process.execPath, [this.#program, ...argv], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#running.set(id, child);
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (bytes: Buffer) => {
        if (bytes.toString().includes(' listens on ')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`replica ${id} ended with ${code}`)));
    });
  }

  async kill(id: number): Promise<void> {
    const child = this.#running.get(id);
    if (child === undefined) return;
    this.#running.delete(id);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    child.stdout?.destroy();
  }

  async killAll(): Promise<void> {
    for (const id of [...this.#running.keys()]) await this.kill(id);
  }

  async close(): Promise<void> {
    await this.killAll();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
