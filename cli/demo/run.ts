import { assert } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { type Revision, revision } from '../../src/base/ids.ts';
import { DEMO_COMMANDS_MAX } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import { type Client, connect } from '../../src/client/client.ts';
import { loadRules } from '../input/rules-file.ts';
import { WARD_METRICS, Ward } from '../input/ward.ts';
import { LocalCluster } from '../local/local-cluster.ts';
import { AlertSender } from '../pipeline/alert-sender.ts';
import { type Account, account, type Held } from './account.ts';
import { AlertBoard } from './alert-board.ts';
import { ClusterBoard } from './cluster-board.ts';
import { catchUp, comeToRest, killLeader } from './drama.ts';
import { Ledger } from './ledger.ts';
import { Nurse } from './nurse.ts';
import { readReplica } from './read-replica.ts';
import type { Reporter } from './reporter.ts';
import type { Scene } from './scene.ts';
import { shippedRules } from './shipped-rules.ts';
import { pauseFor, pauseUntil, unlessAborted } from './waiting.ts';
import { type FeedCounts, WardFeed } from './ward-feed.ts';

export interface DemoOptions {
  readonly beds: number;
  readonly seed: number;
  /** How long the ward plays. */
  readonly durationMs: number;
  readonly reporter: Reporter;
  /** Ends the demo at once; its reason is what `runDemo` rejects with. */
  readonly signal: AbortSignal;
}

export interface DemoResult {
  readonly raised: number;
  readonly acknowledged: number;
  readonly cleared: number;
  /** Undefined = nothing was committed after the kill. */
  readonly failoverMs: number | undefined;
  readonly account: Account;
  readonly feed: FeedCounts;
  /** Commands that callers were told of: done, surely not written, nobody knows. */
  readonly told: { readonly done: number; readonly none: number; readonly unknown: number };
  readonly seconds: number;
}

/** So much ward time is played, however short the demo is. */
const WARD_SECONDS = 300;
const SPEED_MAX = 30;
const LOOK_MS = 150;
const REREADS_MAX = 3;
const WARD_ACTOR = 'demo-ward';
const PROBE_ACTOR = 'demo-probe';
const NURSES: readonly string[] = ['nurse-1', 'nurse-2', 'nurse-3'];

/** How many seconds of ward time pass in one second. */
export const speedOf = (durationMs: number): number =>
  Math.min(SPEED_MAX, Math.max(1, Math.round(WARD_SECONDS / (durationMs / 1_000))));

/**
 * Starts three replicas, plays a ward into them, kills the leader and restarts it, and compares in the end what callers
 * were told with what each replica holds. Leaves no process and no file, whatever happens.
 */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { reporter, signal } = options;
  const rules = await loadRules(shippedRules('ward.yaml'));
  reporter.story('starting three replicas');
  const starting = LocalCluster.start({ log: (line) => reporter.story(line) });
  starting.then((late) => (signal.aborted ? late.close() : undefined)).catch(() => {});
  const cluster = await unlessAborted(starting, signal);
  try {
    const { endpoints, clusterId } = cluster;
    await unlessAborted(cluster.leader(), signal);
    const client = await connect({ endpoints, clusterId, name: WARD_ACTOR, signal });
    try {
      return await new Demo(options, cluster, client, rules).play();
    } finally {
      await client.close();
    }
  } finally {
    reporter.close();
    await cluster.close();
  }
}

class Demo {
  readonly #options: DemoOptions;
  readonly #cluster: LocalCluster;
  readonly #client: Client;
  readonly #ledger: Ledger = new Ledger({ commandsMax: DEMO_COMMANDS_MAX, wall: Date.now });
  readonly #alerts: AlertBoard = new AlertBoard();
  readonly #replicas: ClusterBoard = new ClusterBoard();
  readonly #sender: AlertSender;
  readonly #feed: WardFeed;
  readonly #nurse: Nurse;
  readonly #startedAt: number = performance.now();
  /** Aborted by the user, or by the first failure of what runs in the background. */
  readonly #stop: AbortSignal;
  readonly #failure: AbortController = new AbortController();
  readonly #wardOver: AbortController = new AbortController();

  constructor(
    options: DemoOptions,
    cluster: LocalCluster,
    client: Client,
    rules: Awaited<ReturnType<typeof loadRules>>,
  ) {
    const { beds, seed, durationMs } = options;
    this.#options = options;
    this.#cluster = cluster;
    this.#client = client;
    this.#stop = AbortSignal.any([options.signal, this.#failure.signal]);
    const commands = this.#ledger.around(client, WARD_ACTOR);
    this.#sender = new AlertSender({
      api: { ...commands, get: unused, list: unused, watch: unused },
      runId: `demo-${cluster.clusterId}`,
    });
    const ward = new Ward({ beds, seed });
    const stepMs = 1_000 / speedOf(durationMs);
    this.#feed = new WardFeed({ ward, rules, sender: this.#sender, stepMs, wall: Date.now });
    this.#nurse = new Nurse({
      commands,
      prng: new Prng(seed).fork(1),
      names: NURSES,
      look: (id) => this.#alerts.get(id),
    });
  }

  async play(): Promise<DemoResult> {
    const { reporter, durationMs } = this.#options;
    const over = new AbortController();
    const background = AbortSignal.any([this.#stop, over.signal]);
    const playing = this.#guard(
      this.#feed.run(AbortSignal.any([this.#stop, this.#wardOver.signal])),
    );
    const tasks = [
      this.#guard(this.#look(background)),
      this.#guard(this.#follow(background)),
      playing,
    ];
    try {
      this.#introduce();
      reporter.open(() => this.#scene());
      const failoverMs = await this.#drama();
      await this.#until(durationMs);
      this.#wardOver.abort();
      await unlessAborted(playing, this.#stop);
      const result = await this.#conclude(failoverMs);
      over.abort();
      return result;
    } finally {
      this.#wardOver.abort();
      over.abort();
      // Whoever waits for an answer that may never come is told now.
      if (this.#stop.aborted) await this.#client.close();
      await this.#nurse.close();
      await Promise.all(tasks);
    }
  }

  #introduce(): void {
    const { reporter, durationMs, beds, seed } = this.#options;
    const speed = speedOf(durationMs);
    const endpoints = this.#cluster.endpoints.join(',');
    reporter.story(
      `the ward plays for ${durationMs / 1_000} s: ${beds} beds at ${speed}x, seed ${seed}`,
    );
    reporter.story('to look at the same cluster from a second terminal:');
    for (const command of ['alert list', 'alert watch', 'cluster status'])
      reporter.story(`  npx tocsin ${command} --endpoints ${endpoints}`);
  }

  /** Kills the leader after a third of the time, and brings it back later. */
  async #drama(): Promise<number | undefined> {
    const { reporter, durationMs } = this.#options;
    await this.#until(durationMs / 3);
    const probe = this.#ledger.around(this.#client, PROBE_ACTOR);
    const parts = { cluster: this.#cluster, probe, story: reporter.story, signal: this.#stop };
    const { killed, failoverMs } = await killLeader(parts);
    await this.#until(durationMs / 2);
    await catchUp(parts, killed);
    return failoverMs;
  }

  async #conclude(failoverMs: number | undefined): Promise<DemoResult> {
    const { reporter } = this.#options;
    reporter.story('the ward is over; waiting for every answer');
    await unlessAborted(this.#sender.drain(), this.#stop);
    await unlessAborted(this.#nurse.close(), this.#stop);
    assert(this.#ledger.waiting === 0, `${this.#ledger.waiting} callers still wait`);
    reporter.story('reading everything back from each replica');
    const held = await this.#readAll();
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    const { told, actors } = this.#ledger;
    const sum = account(told, held, { actors });
    return { ...this.#countTold(), failoverMs, account: sum, feed: this.#feed.counts, seconds };
  }

  /** Somebody at a second terminal may write meanwhile: then the replicas were not read at the same place. */
  async #readAll(): Promise<readonly Held[]> {
    const { clusterId } = this.#cluster;
    for (let reads = 1; ; reads += 1) {
      await comeToRest(this.#cluster, this.#stop);
      const reading = this.#cluster.replicas.map((one) => readReplica(one, clusterId, this.#stop));
      const held = await unlessAborted(Promise.all(reading), this.#stop);
      if (new Set(held.map(({ applied }) => applied)).size === 1 || reads > REREADS_MAX)
        return held;
    }
  }

  /** By what callers were told; the probe's commands do not count. */
  #countTold(): Pick<DemoResult, 'raised' | 'acknowledged' | 'cleared' | 'told'> {
    const counts = { raised: 0, acknowledged: 0, cleared: 0 };
    const told = { done: 0, none: 0, unknown: 0 };
    for (const { command, outcome } of this.#ledger.told) {
      if (typeof outcome === 'string') {
        told[outcome] += 1;
        continue;
      }
      told.done += 1;
      if (command.actor === PROBE_ACTOR) continue;
      if (outcome.effect === 'raised' || outcome.effect === 'reactivated') counts.raised += 1;
      if (outcome.effect === 'acknowledged') counts.acknowledged += 1;
      if (outcome.effect === 'cleared') counts.cleared += 1;
    }
    return { ...counts, told };
  }

  /** The alert history, from its beginning: what the table shows and the nurse sees. */
  async #follow(signal: AbortSignal): Promise<void> {
    const from: Revision = revision(1);
    for await (const message of this.#client.watch({ from, signal })) {
      this.#alerts.take(message);
      if (message.type !== 'event' || message.event.actor === PROBE_ACTOR) continue;
      this.#options.reporter.event(message.event);
      this.#nurse.see(message.event);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const statuses = await this.#cluster.statuses();
      const news = this.#replicas.take(this.#cluster.replicas, statuses);
      if (news !== undefined) this.#options.reporter.story(news);
      if (this.#ledger.isFull && !this.#wardOver.signal.aborted) this.#endWardEarly();
      await pauseFor(LOOK_MS, signal);
    }
  }

  #endWardEarly(): void {
    this.#options.reporter.story(
      `the ward ends early: ${DEMO_COMMANDS_MAX} commands are written down`,
    );
    this.#wardOver.abort();
  }

  #scene(): Omit<Scene, 'story' | 'events'> {
    const { durationMs, seed } = this.#options;
    const byBed = this.#alerts.beds(WARD_METRICS);
    const quiet = { alarms: [], worst: undefined };
    const up = this.#replicas.replicas.findIndex(({ state }) => state === 'leader');
    const endpoint = this.#cluster.endpoints[Math.max(0, up)];
    return {
      elapsedMs: performance.now() - this.#startedAt,
      durationMs,
      seed,
      speed: speedOf(durationMs),
      beds: this.#feed.beds.map(({ bed }, at) => ({
        bed,
        values: this.#feed.valuesOf(at),
        ...(byBed.get(bed) ?? quiet),
      })),
      replicas: this.#replicas.replicas,
      counts: this.#alerts.counts,
      hint: `2nd terminal: npx tocsin alert list --endpoints ${endpoint}`,
    };
  }

  /** What fails in the background ends the demo with its reason. */
  async #guard(task: Promise<void>): Promise<void> {
    try {
      await task;
    } catch (error) {
      if (!this.#stop.aborted) this.#failure.abort(error);
    }
  }

  /** So long after the beginning. @throws why the demo ends before */
  async #until(elapsedMs: number): Promise<void> {
    await pauseUntil(this.#startedAt + elapsedMs, this.#stop);
    this.#stop.throwIfAborted();
  }
}

const unused = (): never => {
  throw new TocsinError('INTERNAL', 'the ward only writes');
};
