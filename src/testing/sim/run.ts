import { assert, must } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { millis, revision } from '../../base/ids.ts';
import { Prng } from '../../base/prng.ts';
import { type Client, connect } from '../../client/client.ts';
import { SYSTEM } from '../../statemachine/ledger.ts';
import type { AppliedEvent } from '../../statemachine/types.ts';
import { checkHistory } from '../checkers/check-history.ts';
import type { Finding } from '../checkers/history.ts';
import { Caller, type Mix, NO_MIX } from '../workload/caller.ts';
import { Recorder, seenEvent } from '../workload/recorder.ts';
import { CLUSTER_ID, SimCluster } from './cluster.ts';
import { Escalations } from './escalations.ts';
import { Faults } from './faults.ts';
import { isSound, type Machine } from './machine.ts';
import { LOSSES, type Scenario } from './scenario.ts';
import { Trace } from './trace.ts';
import { Trends } from './trends.ts';

/** What one run came to. */
export interface Outcome {
  readonly seed: number;
  readonly ok: boolean;
  /** Why not: a broken invariant, or what the checkers found. */
  readonly why: string;
  readonly findings: readonly Finding[];
  /** Over everything that happened: equal when the same seed runs again. */
  readonly hash: string;
  readonly virtualMs: number;
  readonly steps: number;
  readonly checks: number;
  readonly operations: number;
  readonly acknowledged: number;
  readonly events: number;
  readonly watchMessages: number;
  /** Of trends, acknowledged. */
  readonly samples: number;
  /** Conditions for which the search for an order gave up. */
  readonly undecided: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly pairs: readonly string[];
  readonly trace: readonly string[];
}

/** Processes that raise alerts under a policy. */
const CLIMBERS = [501, 502, 503] as const;
/** Milliseconds a call may take. */
const TIMEOUT_MS = 4_000;
/** For a healed cluster to serve again, and to come to one state. */
const RECOVERY_MS = 30_000;
/** For some rounds of the scrub on a slow disk. */
const SCRUBBED_MS = 120_000;
const WATCH_MS = 3_000;
/** Who resumes mostly lacks no more than this. */
const WATCH_BEHIND_MAX = 50;
/** For trends to come to hold the same, and to see that they do. */
const TRENDS_MS = 600_000;

/** Runs one scenario: faults under load, then a healed cluster that has to come round, then the checkers. */
export async function runScenario(scenario: Scenario, keepTrace = false): Promise<Outcome> {
  const run = new Run(scenario, new Trace(keepTrace));
  return await run.run();
}

class Run {
  readonly #scenario: Scenario;
  readonly #trace: Trace;
  readonly #cluster: SimCluster;
  readonly #prng: Prng;
  readonly #recorder: Recorder = new Recorder();
  readonly #faults: Faults;
  readonly #escalations: Escalations | undefined;
  readonly #trends: Trends | undefined;
  readonly #clients: Client[] = [];
  readonly #loops: Promise<void>[] = [];
  readonly #stop: AbortController = new AbortController();
  /** Machines that run at the end. */
  #living: readonly Machine[] = [];
  #phase = 'starting';
  #findings: readonly Finding[] = [];
  #events: readonly AppliedEvent[] = [];
  #undecided = 0;
  #watchMessages = 0;
  #virtualMs = 0;

  constructor(scenario: Scenario, trace: Trace) {
    this.#scenario = scenario;
    this.#trace = trace;
    if (scenario.escalations) this.#escalations = new Escalations((ms) => this.#sleep(ms));
    this.#cluster = new SimCluster(scenario, trace, this.#escalations?.senders);
    this.#prng = new Prng(scenario.seed).fork(3);
    this.#faults = new Faults(this.#cluster, scenario, this.#prng.fork(1), trace);
    if (scenario.trends) this.#trends = new Trends(this.#cluster, scenario, this.#prng.fork(2));
  }

  async run(): Promise<Outcome> {
    let why = await this.#goesWrong(async () => {
      await this.#safety();
      await this.#liveness();
      await this.#check();
    });
    if (this.#findings.length > 0) why ??= 'the history is not what it may be';
    this.#virtualMs = this.#cluster.clock.monotonic();
    await this.#close();
    why ??= await this.#goesWrong(() => this.#trendsConverge());
    return this.#outcome(why ?? '');
  }

  /** Why it did, if it did. */
  async #goesWrong(what: () => Promise<void>): Promise<string | undefined> {
    try {
      await what();
      return undefined;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const why = `${this.#phase}: ${text}`;
      this.#trace.say(this.#cluster.clock.monotonic(), why);
      if (error instanceof Error) this.#trace.lines.push(error.stack ?? '');
      return why;
    }
  }

  /** Everything may fail; nothing may be broken. */
  async #safety(): Promise<void> {
    for (const machine of this.#cluster.machines) this.#cluster.start(machine);
    for (let process = 1; process <= this.#scenario.callers; process += 1)
      this.#loops.push(this.#call(process));
    if (this.#escalations !== undefined)
      for (const process of CLIMBERS) this.#loops.push(this.#climb(this.#escalations, process));
    for (let number = 1; number <= this.#scenario.watchers; number += 1)
      this.#loops.push(this.#watch(number));
    for (const loop of this.#loops)
      loop.catch((error: unknown) => {
        this.#cluster.failure ??= error;
      });
    this.#trends?.begin();
    this.#phase = 'safety';
    this.#faults.begin();
    await this.#pass(this.#scenario.durationMs);
  }

  /** Time goes by until `isOver`, or until something that must not be was seen. */
  async #pass(duration: number, isOver: () => boolean = () => false): Promise<void> {
    const { clock } = this.#cluster;
    await clock.run(duration, () => this.#cluster.failure !== undefined || isOver());
    if (this.#cluster.failure !== undefined) throw this.#cluster.failure;
  }

  /** A quorum without faults serves within a bound, and all come to one state. */
  async #liveness(): Promise<void> {
    this.#phase = 'liveness';
    this.#trace.say(this.#cluster.clock.monotonic(), 'all faults end');
    this.#faults.end();
    this.#cluster.heal();
    for (const machine of this.#cluster.present) this.#cluster.start(machine);
    await this.#settle(this.#faults.replaced);
    this.#living = this.#choose();
    this.#cluster.bury(this.#cluster.machines.filter((each) => !this.#living.includes(each)));
    const client = await this.#settle(this.#connect('last'));
    const prng = this.#prng.fork(4);
    const mix = { ...this.#scenario.mix, raise: 1, clear: 0, acknowledge: 0, get: 0, list: 0 };
    const parts = { api: client, process: 999, prng, mix, now: this.#now };
    const recorder = this.#recorder;
    const caller = new Caller({ ...parts, recorder, timeoutMs: RECOVERY_MS });
    const before = recorder.counts.done + recorder.counts.refused;
    await this.#settle(caller.next());
    assert(
      recorder.counts.done + recorder.counts.refused > before,
      `a healed cluster did not take a write within ${RECOVERY_MS} ms`,
    );
    this.#stop.abort();
    await this.#settle(Promise.all([...this.#loops, this.#trends?.end()]));
    await this.#pass(RECOVERY_MS, () => this.#isAtRest());
    assert(this.#isAtRest(), `the replicas did not converge: ${this.#states()}`);
    this.#events = this.#readEvents();
    await this.#pass(SCRUBBED_MS, () => this.#living.every(isSound));
    assert(this.#living.every(isSound), 'what rots at rest is not made good');
  }

  /** Those that go on to the end. Whoever is left dead may hold nothing that another has lost, nor a vote that is needed. */
  #choose(): readonly Machine[] {
    const { leftDead, faults } = this.#scenario;
    const machines = this.#cluster.present;
    const mayLose = LOSSES.some((loss) => faults.includes(loss)) || faults.includes('members');
    const start = this.#prng.fork(5).between(0, machines.length - 1);
    const count = mayLose ? 0 : leftDead;
    return machines.filter((_, at) => (at - start + machines.length) % machines.length >= count);
  }

  /** All are in one state, and nothing will change it. */
  #isAtRest(): boolean {
    const replica = this.#living[0]?.replica;
    if (replica === undefined || !this.#hasConverged()) return false;
    return this.#escalations?.isAtRest(replica.machine) ?? true;
  }

  #hasConverged(): boolean {
    const states = this.#living.map(({ replica }) => replica?.status());
    const [first] = states;
    return states.every(
      (state) =>
        state !== undefined &&
        state.leader !== undefined &&
        state.leader === first?.leader &&
        state.applied === state.lastIndex &&
        state.applied === first.applied &&
        state.digest === first.digest,
    );
  }

  #states(): string {
    return this.#living
      .map(({ id, replica }) => {
        const status = replica?.status();
        if (status === undefined) return `${id} down`;
        const { role, term, applied, lastIndex, digest } = status;
        return `${id} ${role} in ${term}, ${applied} of ${lastIndex}, ${digest}`;
      })
      .join('; ');
  }

  /** Alerts are at rest, and cost no time any more: this takes minutes. */
  async #trendsConverge(): Promise<void> {
    const trends = this.#trends;
    if (trends === undefined) return;
    this.#phase = 'trends';
    await this.#settle(trends.converge(), TRENDS_MS);
  }

  async #check(): Promise<void> {
    this.#phase = 'checking';
    const history = this.#recorder.history(this.#events.map(seenEvent));
    // What policies do by themselves is checked for itself.
    const own = this.#events.filter(({ actor }) => actor === SYSTEM);
    const elsewhere = new Set<number>(own.map(({ revision: at }) => at));
    const verdict = checkHistory({ ...history, elsewhere });
    this.#findings = [...verdict.findings, ...(this.#escalations?.judge(this.#events) ?? [])];
    this.#undecided = verdict.unknown;
    this.#watchMessages = verdict.watchMessages;
  }

  /** Lets time pass until the promise is settled. */
  async #settle<T>(promise: Promise<T>, limitMs = RECOVERY_MS * 2): Promise<T> {
    let isSettled = false;
    const mark = (): void => {
      isSettled = true;
    };
    promise.then(mark, mark);
    await this.#pass(limitMs, () => isSettled);
    assert(isSettled, `waited ${limitMs} ms for an answer`);
    return await promise;
  }

  async #connect(name: string): Promise<Client> {
    const { clock, network, clientHosts, endpoints } = this.#cluster;
    clientHosts.push(name);
    const transport = network.transport(name);
    for (;;) {
      try {
        const seed = this.#prng.uint32();
        const { sessions } = this.#scenario;
        const who = { name, clusterId: CLUSTER_ID, ...(sessions ? { session: true } : {}) };
        const options = { endpoints, ...who, timeoutMs: TIMEOUT_MS };
        const client = await connect({ ...options, transport, clock, seed });
        this.#clients.push(client);
        return client;
      } catch (error) {
        if (!TocsinError.is(error)) throw error;
        await this.#sleep(100);
      }
    }
  }

  readonly #now = (): number => this.#cluster.clock.monotonic();

  #sleep(duration: number): Promise<void> {
    return new Promise((resolve) => this.#cluster.clock.after(millis(duration), resolve));
  }

  async #callerOf(process: number, prng: Prng, mix: Mix): Promise<[Client, Caller]> {
    const api = await this.#connect(`c${process}`);
    const parts = { api, process, prng, mix, now: this.#now };
    const caller = new Caller({ ...parts, recorder: this.#recorder, timeoutMs: TIMEOUT_MS });
    return [api, caller];
  }

  /** Raises alerts under a policy, one after another, each by a caller of its own. */
  async #climb(escalations: Escalations, process: number): Promise<void> {
    const prng = this.#prng.fork(1_000 + process);
    const [api, caller] = await this.#callerOf(process, prng.fork(1), NO_MIX);
    await escalations.prepare(api, () => this.#stop.signal.aborted);
    while (!this.#stop.signal.aborted) await escalations.next(caller, prng);
  }

  async #call(process: number): Promise<void> {
    const prng = this.#prng.fork(1_000 + process);
    const { mix, thinkMs } = this.#scenario;
    const [, caller] = await this.#callerOf(process, prng.fork(1), mix);
    while (!this.#stop.signal.aborted) {
      await this.#sleep(prng.unit() * 2 * thinkMs);
      await caller.next();
    }
  }

  /** Watches one after another, from different places, for everything or for one unit. */
  async #watch(number: number): Promise<void> {
    const client = await this.#connect(`w${number}`);
    const prng = this.#prng.fork(2_000 + number);
    for (let count = 1; !this.#stop.signal.aborted; count += 1) {
      const newest = this.#cluster.invariants.appliedByAny;
      const from = prng.chance(0.3) ? undefined : revision(placeFrom(prng, newest));
      const unit = prng.chance(0.4)
        ? `u${prng.between(0, this.#scenario.mix.units - 1)}`
        : undefined;
      const isOpenOnly = prng.chance(0.4);
      const take = this.#recorder.watch(`watch ${number}.${count}`, from, unit, isOpenOnly);
      const over = new AbortController();
      const timer = this.#cluster.clock.after(millis(prng.unit() * 2 * WATCH_MS), () =>
        over.abort(),
      );
      const filter = {
        ...(unit === undefined ? {} : { unit }),
        ...(isOpenOnly ? { open: true } : {}),
      };
      const options = {
        signal: over.signal,
        ...(from === undefined ? {} : { from }),
        ...(unit === undefined && !isOpenOnly ? {} : { filter }),
      };
      for await (const message of client.watch(options)) take(message);
      timer.cancel();
    }
  }

  /** The alert history by the log that survived, which must lead to the state that the replicas are in. */
  #readEvents(): readonly AppliedEvent[] {
    const [first] = this.#living;
    const status = must(first?.replica, 'a converged cluster runs').status();
    const chain = this.#cluster.invariants.chainAt(status.applied);
    const { events, digest } = this.#cluster.ledger.replay(chain);
    assert(
      digest === status.digest,
      `the log leads to ${digest}, the replicas came to ${status.digest}`,
    );
    return events;
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    this.#faults.end();
    this.#cluster.clock.onStep = () => {};
    for (const machine of this.#cluster.machines) {
      machine.staysDown = true;
      machine.clock.resume();
      machine.notifier?.stop();
      machine.replica?.stop();
    }
    const closing = Promise.all(this.#clients.map((client) => client.close()));
    let isClosed = false;
    closing.then(
      () => {
        isClosed = true;
      },
      () => {},
    );
    await this.#cluster.clock.run(RECOVERY_MS, () => isClosed).catch(() => {});
  }

  #outcome(why: string): Outcome {
    const { counts } = this.#recorder;
    const { clock, invariants } = this.#cluster;
    return {
      seed: this.#scenario.seed,
      ok: why === '',
      why,
      findings: this.#findings,
      hash: this.#trace.hash,
      virtualMs: this.#virtualMs,
      steps: clock.steps,
      checks: invariants.checks,
      operations: this.#recorder.operations.length,
      acknowledged: counts.done,
      events: this.#events.length,
      watchMessages: this.#watchMessages,
      samples: this.#trends?.taken ?? 0,
      undecided: this.#undecided,
      faults: Object.fromEntries(this.#faults.counts),
      pairs: [...this.#faults.pairs],
      trace: this.#trace.lines,
    };
  }
}

/** Where a watcher takes up the history again: near its end, as one does who lost a connection, or anywhere. */
function placeFrom(prng: Prng, newest: number): number {
  const oldest = prng.chance(0.25) ? 1 : Math.max(1, newest - WATCH_BEHIND_MAX);
  return prng.between(oldest, newest + 2);
}
