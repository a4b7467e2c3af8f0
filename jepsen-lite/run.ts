import { execFileSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { programPath } from '../cli/local/program.ts';
import { TocsinError } from '../src/base/errors.ts';
import { Prng } from '../src/base/prng.ts';
import { type Client, connect } from '../src/client/client.ts';
import { checkHistory, type HistoryVerdict } from '../src/testing/checkers/check-history.ts';
import type { History } from '../src/testing/checkers/history.ts';
import { Recorder } from '../src/testing/workload/recorder.ts';
import { type CallersParts, call, EventLog, TIMEOUT_MS, watchAll } from './callers.ts';
import { TestCluster } from './cluster.ts';
import { Nemesis, type Span } from './nemeses/nemesis.ts';
import { FAULTS, NEMESES } from './nemeses/table.ts';
import { openNetwork } from './network/open-network.ts';
import { Observer, type Stretch } from './observer.ts';
import type { Options } from './options.ts';
import { findTools } from './tools.ts';
import { brokenPromises, type Verdict, verdictOf } from './verdict.ts';
import { workloadsOf } from './workloads/table.ts';
import type { Account, Opened, Timing } from './workloads/workload.ts';

export interface Run {
  readonly options: Options;
  readonly folder: string;
  readonly commit: string;
  readonly verdict: Verdict;
  /** Why, when it is not valid. */
  readonly why: readonly string[];
  readonly checks: HistoryVerdict;
  readonly counts: Recorder['counts'];
  readonly codes: Recorder['codes'];
  readonly faults: Readonly<Record<string, number>>;
  /** Faults that were asked for and cannot be made here, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
  readonly spans: readonly Span[];
  /** What each replica said of itself. */
  readonly stretches: readonly Stretch[];
  readonly seconds: number;
  /** What kinds of work with accounts of their own tell of themselves. */
  readonly figures: Readonly<Record<string, Figures>>;
  /** Calls that are not among the operations of the history. */
  readonly timings: readonly Timing[];
  readonly history: History;
  /** When each event of the history was told, in milliseconds since the run began. */
  readonly seenAt: readonly number[];
  /** When it happened, by the time in the log. */
  readonly times: readonly number[];
}

type Figures = ReturnType<Account['judge']>['figures'];

/** For the cluster to be there at first. */
const REACH_MS = 15_000;
const LOOK_MS = 100;

/** Load and faults end early when `interrupted` aborts; what was done until then is checked. */
export async function runTest(
  options: Options,
  log: (line: string) => void,
  interrupted: AbortSignal,
): Promise<Run> {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-').slice(0, 19);
  const folder = options.out ?? join('jepsen-runs', `${stamp}-${options.seed}`);
  await mkdir(folder, { recursive: true });
  // What another run printed would be taken for what this one did.
  if ((await readdir(folder)).length > 0)
    throw new Error(`${folder} is not empty: --out wants a folder of its own for each run`);
  log(`seed ${options.seed}, folder ${folder}`);
  const prng = new Prng(options.seed);
  const isOurs = options.attach.length === 0;
  if (!isOurs) log('network: none of ours; an attached cluster is loaded and checked, not broken');
  const cluster = isOurs ? await startCluster(options, folder, prng.fork(1), log) : undefined;
  try {
    return await new Test({ options, folder, cluster, prng, log, interrupted }).run();
  } finally {
    await cluster?.close();
  }
}

async function startCluster(
  options: Options,
  folder: string,
  prng: Prng,
  log: (line: string) => void,
): Promise<TestCluster> {
  const { replicas: size, nemeses, program = programPath() } = options;
  const tools = await findTools(folder);
  const isAnyDrawn = nemeses.length === NEMESES.length;
  const network = await openNetwork(
    options.network,
    prng,
    (network) =>
      isAnyDrawn || nemeses.every((name) => FAULTS[name].lacks?.({ network, tools }) === undefined),
  );
  log(`network: ${network.says}`);
  try {
    const fakesClocks = nemeses.includes('clock');
    const hasImages = nemeses.includes('power-cut');
    const means = { network, tools, fakesClocks, hasImages };
    return await TestCluster.start({ size, folder, program, ...means, log });
  } catch (error) {
    await network.close();
    throw error;
  }
}

/** What is left when load and faults are over. */
interface Outcome extends Pick<Run, 'history' | 'why' | 'stretches'> {
  readonly log: EventLog;
  readonly nemesis: Nemesis | undefined;
}

interface TestParts {
  readonly options: Options;
  readonly folder: string;
  /** Undefined = somebody else's. */
  readonly cluster: TestCluster | undefined;
  readonly prng: Prng;
  readonly log: (line: string) => void;
  readonly interrupted: AbortSignal;
}

class Test {
  readonly #parts: TestParts;
  readonly #recorder: Recorder = new Recorder();
  readonly #began: number = performance.now();
  readonly #stop: AbortController = new AbortController();
  readonly #opened: readonly Opened[];
  readonly #now = (): number => performance.now() - this.#began;

  constructor(parts: TestParts) {
    this.#parts = parts;
    const { options, cluster } = parts;
    const common = { recorder: this.#recorder, now: this.#now, timeoutMs: TIMEOUT_MS };
    this.#opened = workloadsOf(options.workload)
      .filter(({ needsPages }) => needsPages !== true || cluster !== undefined)
      .map((each) => each.open({ ...common, namespace: `${nameOf(options)}:${each.name}:` }));
  }

  get #accounts(): readonly Account[] {
    return this.#opened.flatMap(({ account }) => account ?? []);
  }

  async run(): Promise<Run> {
    const parts = this.#callersParts();
    const reader = await this.#reach(parts);
    try {
      const { revision: base } = await answerOf(reader);
      const log = new EventLog(base, this.#accounts, this.#now);
      const readerStop = new AbortController();
      const following = log.follow(reader, readerStop.signal);
      following.catch(() => {}); // It is awaited below, unless something else goes wrong first.
      for (const account of this.#accounts) await account.prepare(reader);
      const observer = new Observer(reader, this.#now);
      const observing = observer.run(() => this.#observed, readerStop.signal);
      const nemesis = await this.#load(parts, log);
      const why = await this.#recover(reader, log);
      readerStop.abort();
      await Promise.all([following, observing]);
      const isShared = this.#parts.cluster === undefined;
      const history = {
        ...this.#recorder.history(log.events),
        base,
        isShared,
        elsewhere: log.elsewhere,
      };
      return this.#judge({ history, log, nemesis, why, stretches: observer.stretches });
    } finally {
      await reader.close();
    }
  }

  /** The first connection. @throws Error that says of each address why it cannot be reached */
  async #reach({ endpoints, clusterId }: CallersParts): Promise<Client> {
    const deadline = performance.now() + REACH_MS;
    const owner = clusterId === undefined ? {} : { clusterId };
    for (;;) {
      try {
        return await connect({ endpoints, name: 'reader', timeoutMs: TIMEOUT_MS, ...owner });
      } catch (error) {
        if (!TocsinError.is(error)) throw error;
        const isOver = performance.now() > deadline || this.#parts.interrupted.aborted;
        if (error.code !== 'UNAVAILABLE' || isOver)
          throw new Error(`the cluster cannot be reached: ${error.code}: ${error.message}`);
        await pause(LOOK_MS);
      }
    }
  }

  #callersParts(): CallersParts {
    const { attach } = this.#parts.options;
    return {
      endpoints: this.#parts.cluster?.endpoints ?? attach,
      clusterId: this.#parts.cluster?.clusterId,
      recorder: this.#recorder,
      prng: this.#parts.prng.fork(2),
      now: this.#now,
      stop: this.#stop.signal,
    };
  }

  /** Load and faults, for as long as asked. */
  async #load(parts: CallersParts, log: EventLog): Promise<Nemesis | undefined> {
    const { clients, rate, seconds, nemeses } = this.#parts.options;
    const opened = this.#opened;
    const everyMs = (clients / rate) * 1_000;
    const all: Promise<void>[] = [];
    for (let process = 1; process <= clients; process += 1) {
      const kind = opened[process % opened.length];
      if (kind !== undefined) all.push(call(parts, process, kind, everyMs));
    }
    const watchers = Math.max(...opened.map(({ workload }) => workload.watchers));
    for (let number = 1; number <= watchers; number += 1) all.push(watchAll(parts, number, log));
    const prng = this.#parts.prng.fork(3);
    const nemesis =
      this.#parts.cluster &&
      new Nemesis({ cluster: this.#parts.cluster, prng, now: this.#now, log: this.#parts.log });
    const { intervalSeconds, lastsSeconds } = this.#parts.options;
    const striking = new AbortController();
    const faults = nemesis?.run(
      nemeses,
      intervalSeconds * 1_000,
      lastsSeconds * 1_000,
      striking.signal,
    );
    const working = Promise.all(all);
    const { interrupted } = this.#parts;
    const over = pause(seconds * 1_000, undefined, { signal: interrupted }).catch(() => {});
    await Promise.race([over, working]);
    striking.abort();
    await faults;
    await this.#parts.cluster?.heal();
    // Whoever waits may still be answered, now that nothing fails.
    this.#stop.abort();
    await working;
    return nemesis;
  }

  /** Waits until the cluster answers, everything is told, and its replicas are in one state. Says what went wrong. */
  async #recover(reader: Client, log: EventLog): Promise<string[]> {
    const deadline = performance.now() + this.#parts.options.recoverySeconds * 1_000;
    let why: string[] = ['the healed cluster does not answer'];
    while (performance.now() < deadline) {
      if (log.broke !== undefined) return [log.broke];
      why = await this.#findUnsettled(reader, log);
      if (why.length === 0) return why;
      await pause(LOOK_MS);
    }
    return why;
  }

  async #findUnsettled(reader: Client, log: EventLog): Promise<string[]> {
    try {
      const { revision: newest } = await answerOf(reader);
      if (log.newest + log.missing < newest)
        return [`the watch told ${log.newest} of ${newest} events`];
      const unfinished = this.#accounts.flatMap((account) => account.unfinished() ?? []);
      if (unfinished.length > 0) return unfinished;
      await this.#parts.cluster?.learnMembers();
      await this.#parts.cluster?.settleMembers();
      const endpoints = this.#parts.cluster?.endpoints ?? [];
      const states = await Promise.all(endpoints.map((each) => reader.status(each)));
      const [first] = states;
      const differing = states.filter(
        (state) => state.applied !== first?.applied || state.digest !== first.digest,
      );
      const told = states.map(
        ({ replicaId, applied, digest }) => `${replicaId}: ${applied} ${digest}`,
      );
      return differing.length === 0 ? [] : [`replicas differ: ${told.join('; ')}`];
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      return [`the healed cluster does not answer: ${error.code}`];
    }
  }

  /** Whoever might lead: those that are on their way in, or out, too. */
  get #observed(): readonly { readonly id: number; readonly address: string }[] {
    const { attach } = this.#parts.options;
    return (
      this.#parts.cluster?.sites.map(({ id, place }) => ({ id, address: place.address })) ??
      attach.map((address, at) => ({ id: at + 1, address }))
    );
  }

  #judge({ history, log, nemesis, why: unsettled, stretches }: Outcome): Run {
    const checks = checkHistory(history);
    const { counts } = this.#recorder;
    const { minimum } = this.#parts.options;
    const promises = brokenPromises(this.#recorder.codes);
    const seen = [...(this.#parts.cluster?.deaths ?? []), ...unsettled, ...promises];
    const printed = this.#parts.cluster?.printed ?? [];
    const spans = nemesis?.spans ?? [];
    const accounts = this.#opened.flatMap(({ workload, account }) =>
      account === undefined ? [] : [{ name: workload.name, ...account.judge({ printed, spans }) }],
    );
    const findings = [...checks.findings, ...accounts.flatMap((account) => account.findings)];
    const found = findings.map(({ rule, says }) => `${rule}: ${says}`);
    const isWhole = log.missing === 0 && log.broke === undefined;
    const voids: string[] = [];
    if (counts.done < minimum)
      voids.push(`only ${counts.done} commands were acknowledged, fewer than ${minimum}`);
    if (log.missing > 0) voids.push(`${log.missing} events were compacted before they were told`);
    if (checks.unknown > 0) voids.push(`${checks.unknown} conditions could not be decided`);
    return {
      options: this.#parts.options,
      folder: this.#parts.folder,
      commit: commit(),
      ...verdictOf({ seen, found, voids, isWhole }),
      checks: { ...checks, ok: findings.length === 0, findings },
      figures: Object.fromEntries(accounts.map(({ name, figures }) => [name, figures])),
      counts,
      codes: this.#recorder.codes,
      faults: nemesis?.counts ?? {},
      leftOut: nemesis?.leftOut ?? {},
      spans,
      stretches,
      seconds: this.#now() / 1_000,
      timings: accounts.flatMap((account) => account.timings),
      history,
      seenAt: log.seenAt,
      times: log.times,
    };
  }
}

/** So named that a cluster with other data in it can be tested, that of an earlier run with this seed too. */
const nameOf = ({ seed, attach }: Options): string =>
  attach.length === 0 ? `j${seed}` : `j${seed}-${Date.now().toString(36)}`;

/** A linearizable answer that costs little. */
const answerOf = (client: Client): Promise<{ readonly revision: number }> =>
  client.list({}, { limit: 1, timeoutMs: 5_000 });

function commit(): string {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    const args = ['rev-parse', '--short', 'HEAD'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: [...stdio] }).trim();
  } catch {
    return 'unknown';
  }
}
