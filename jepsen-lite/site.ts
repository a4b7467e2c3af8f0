import { existsSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { ReplicaProcess } from '../cli/local/replica-process.ts';
import { TocsinError } from '../src/base/errors.ts';
import type { DiskImage } from './disk-image.ts';
import { type End, once } from './end.ts';
import type { NetworkPlace } from './network/network.ts';

/** How a replica ends that does what SIGTERM asks; with the signal itself where it came before anybody listened. */
const ORDERLY: readonly string[] = ['exit 0', 'SIGTERM'];
/** How a replica ends that says why: by the code of an error, and not by a bug. */
const SAYS_WHY = /^tocsin: (?!INTERNAL)[A-Z_]+: /m;
const LAST_LINES = 5;
const ORDERLY_END_MS = 5_000;
const EXCUSED_END_MS = 1_000;
const LOOK_MS = 50;

/** One replica: a process of its own, formatted and served by the public command line. */
export class Site {
  readonly id: number;
  readonly place: NetworkPlace;
  /** Undefined = it shares this machine's. */
  readonly disk: DiskImage | undefined;
  readonly process: ReplicaProcess;
  /** Somebody is ending or starting it. */
  isBusy = false;
  /** It was taken out of the cluster, or is on its way in or out. */
  isMember = true;
  readonly #note: (death: string) => void;
  #isEnding = false;
  /** How many want it to stand still. */
  #stops = 0;
  /** The life in which something was done to it under which a replica may stop and say why. */
  #excused = 0;
  #lives = 0;
  /** Bytes of what it printed in earlier lives. */
  #printedBefore = 0;

  /** `note` is told of an end that nobody asked for. */
  constructor(
    id: number,
    { place, disk }: { readonly place: NetworkPlace; readonly disk: DiskImage | undefined },
    processOf: (onDeath: (what: string) => void) => ReplicaProcess,
    note: (death: string) => void,
  ) {
    this.id = id;
    this.place = place;
    this.disk = disk;
    this.#note = note;
    this.process = processOf((what) => this.#died(what));
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get folder(): string {
    return this.process.options.folder;
  }

  /** It runs, and nobody is about to change that. */
  get isUp(): boolean {
    return this.pid !== undefined && !this.isBusy;
  }

  /** @throws TocsinError when it ended instead of listening */
  async start(): Promise<void> {
    this.#lives += 1;
    this.#stops = 0;
    this.#printedBefore = statSync(this.#errors, { throwIfNoEntry: false })?.size ?? 0;
    await this.process.start();
  }

  /** Resolves when it listens, or when it was noted that it does not. */
  async startAgain(): Promise<void> {
    try {
      await this.start();
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.#note(`replica ${this.id} did not start again: ${error.code}: ${error.message}`);
    }
  }

  /** Starts it if it has ended, and nobody else is about to. */
  async revive(): Promise<void> {
    if (this.isBusy || this.pid !== undefined || !this.isMember) return;
    this.isBusy = true;
    await this.startAgain();
    this.isBusy = false;
  }

  /** Stands still until all have ended that wanted it to. */
  pause(): End {
    const life = this.#lives;
    if (this.pid === undefined) return once(() => {});
    if (this.#stops === 0) this.process.pause();
    this.#stops += 1;
    return once(() => {
      if (life !== this.#lives) return;
      this.#stops -= 1;
      if (this.#stops === 0 && this.pid !== undefined) this.process.resume();
    });
  }

  /** For the rest of this life, it does right if it stops and says why: what was done to it may show late. */
  excuse(): void {
    this.#excused = this.#lives;
  }

  /** Resolves when it has ended, or when it was given time for that. */
  async mayEnd(): Promise<void> {
    const deadline = performance.now() + EXCUSED_END_MS;
    while (this.isUp && performance.now() < deadline) await pause(LOOK_MS);
  }

  /** Resolves when it is gone. What does not end in order, in its time, is ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { pid } = this;
    if (pid !== undefined && this.#stops > 0) this.process.resume();
    this.#lives += 1;
    this.#stops = 0;
    if (signal === 'SIGTERM' && pid !== undefined) {
      this.#isEnding = true;
      process.kill(pid, signal);
      const deadline = performance.now() + ORDERLY_END_MS;
      while (this.pid !== undefined && performance.now() < deadline) await pause(LOOK_MS);
    }
    await this.process.kill();
    this.#isEnding = false;
  }

  /** What it wrote for its operators, in all its lives. */
  get printed(): readonly string[] {
    return existsSync(this.#errors) ? readFileSync(this.#errors, 'utf8').split('\n') : [];
  }

  #died(what: string): void {
    if (this.#isEnding && ORDERLY.includes(what)) return;
    const said = this.#lastLines();
    const isExcused = this.#excused === this.#lives;
    if (isExcused && what.startsWith('exit ') && SAYS_WHY.test(said)) return;
    this.#note(`replica ${this.id} ended by itself: ${what}: ${said}`);
  }

  get #errors(): string {
    return `${this.folder}.err`;
  }

  #lastLines(): string {
    return readFileSync(this.#errors)
      .subarray(this.#printedBefore)
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .slice(-LAST_LINES)
      .join('\n');
  }
}
