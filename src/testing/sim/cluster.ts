import { must } from '../../base/assert.ts';
import { millis, replicaId } from '../../base/ids.ts';
import { Prng } from '../../base/prng.ts';
import { bringUp } from '../../replica/bring-up.ts';
import type { Replica } from '../../replica/replica.ts';
import type { SnapshotPolicy } from '../../replica/snapshots/snapshotter.ts';
import type { Identity, Member } from '../../storage/types.ts';
import { MemoryNetwork } from '../../transport/memory-transport.ts';
import type { Listener, Transport } from '../../transport/types.ts';
import { FrameType } from '../../wire/frame.ts';
import { decodePeerMessage } from '../../wire/peers/peer-messages.ts';
import { SimClock } from './clock.ts';
import { SimDisk } from './disk.ts';
import { Invariants } from './invariants.ts';
import { Ledger } from './ledger.ts';
import { type Fate, unreliable } from './peer-transport.ts';
import { ProcessClock } from './process-clock.ts';
import type { Scenario } from './scenario.ts';
import type { Trace } from './trace.ts';
import { ReplicaView } from './view.ts';

export const CLUSTER_ID = 'c0ffee00c0ffee00c0ffee00c0ffee00';
/** Milliseconds after which a process that ended is started again, in the mean. */
const RESTART_MS = 400;

/** One place where a replica runs, dies and runs again. */
export interface Machine {
  readonly id: number;
  readonly host: string;
  readonly identity: Identity;
  readonly disk: SimDisk;
  clock: ProcessClock;
  replica: Replica | undefined;
  /** Of the replica, while it runs. */
  view: ReplicaView | undefined;
  listener: Listener | undefined;
  isStarting: boolean;
  /** Is not started again by itself. */
  staysDown: boolean;
}

/** Chances by which frames between replicas are lost, doubled or held back. */
export interface FrameFaults {
  loss: number;
  duplicate: number;
  reorder: number;
  readonly reorderMs: number;
}

/** Whole replicas, of production code, on a virtual clock, network and disks. One seed decides everything. */
export class SimCluster {
  readonly clock: SimClock = new SimClock();
  readonly network: MemoryNetwork;
  readonly machines: readonly Machine[];
  readonly invariants: Invariants;
  readonly ledger: Ledger = new Ledger(CLUSTER_ID);
  readonly frames: FrameFaults = { loss: 0, duplicate: 0, reorder: 0, reorderMs: 50 };
  /** Of the network, in milliseconds. */
  delayMs: number;
  /** Why a replica stopped by itself, by the code of the error. */
  readonly faults: Map<string, number> = new Map();
  readonly clientHosts: string[] = [];
  /** What must never be, if it was. */
  failure: unknown;
  readonly #scenario: Scenario;
  readonly #trace: Trace;
  readonly #prng: Prng;
  readonly #frameDice: Prng;
  #starts = 0;

  constructor(scenario: Scenario, trace: Trace) {
    this.#scenario = scenario;
    this.#trace = trace;
    this.#prng = new Prng(scenario.seed).fork(2);
    this.delayMs = scenario.netDelayMs;
    this.#frameDice = this.#prng.fork(1);
    const delays = this.#prng.fork(2);
    this.network = new MemoryNetwork({
      clock: this.clock,
      delay: () => millis(this.delayMs * (0.5 - Math.log(1 - delays.unit()) / 2)),
    });
    const members: Member[] = Array.from({ length: scenario.replicas }, (_, at) => ({
      id: replicaId(at + 1),
      address: `/memory/${at + 1}`,
    }));
    this.machines = members.map((member) => this.#machineOf(member, members));
    this.invariants = new Invariants(this.machines.map(({ disk }) => disk));
    this.clock.onStep = () => this.#afterStep();
  }

  #machineOf(member: Member, members: readonly Member[]): Machine {
    const { id } = member;
    const disk = new SimDisk(CLUSTER_ID, this.clock, this.#prng.fork(100 + id));
    disk.mood.meanMs = this.#scenario.diskMs;
    disk.onRecord = (record) => this.ledger.add(record);
    disk.onDurable = (before, now) => this.invariants.durable(id, before, now);
    return {
      id,
      host: `r${id}`,
      identity: { clusterId: CLUSTER_ID, replicaId: id, incarnation: 1, members },
      disk,
      clock: new ProcessClock(this.clock, 1),
      replica: undefined,
      view: undefined,
      listener: undefined,
      isStarting: false,
      staysDown: false,
    };
  }

  get endpoints(): readonly string[] {
    return this.machines.map(({ id }) => `/memory/${id}`);
  }
  get running(): readonly Machine[] {
    return this.machines.filter(({ replica }) => replica !== undefined);
  }

  /** Starts a process from its disk. */
  start(machine: Machine): void {
    if (machine.replica !== undefined || machine.isStarting) return;
    machine.isStarting = true;
    this.#start(machine).catch((error: unknown) => {
      this.failure ??= error;
    });
  }

  get #snapshots(): SnapshotPolicy | undefined {
    const { snapshotEvery } = this.#scenario;
    if (snapshotEvery === undefined) return undefined;
    return { entries: snapshotEvery, logBytes: Number.MAX_SAFE_INTEGER, share: 0 };
  }

  async #start(machine: Machine): Promise<void> {
    this.#starts += 1;
    const { drift } = this.#scenario;
    machine.clock = new ProcessClock(this.clock, 1 + (this.#prng.unit() * 2 - 1) * drift);
    const transport = this.#transportOf(machine);
    const store = machine.disk.open();
    const parts = {
      identity: machine.identity,
      store,
      transport,
      clock: machine.clock,
      seed: this.#prng.uint32(),
      agent: 'simulated',
      snapshots: this.#snapshots,
      log: (line: string) => this.#trace.say(this.clock.monotonic(), `${machine.host}: ${line}`),
      onFault: (error: unknown) => this.#faulted(machine, error),
    };
    const { replica, listener } = await bringUp(parts, `/memory/${machine.id}`);
    machine.listener = listener;
    machine.disk.repaired();
    this.invariants.started(machine.id);
    machine.isStarting = false;
    machine.replica = replica;
    machine.view = new ReplicaView(machine.id, replica);
    this.#trace.say(this.clock.monotonic(), `${machine.host} starts`);
    replica.start();
  }

  /** Dies without a word: its connections break, and what its disk has not made durable may be there or not. */
  crash(machine: Machine): void {
    if (machine.replica === undefined) return;
    this.#trace.say(this.clock.monotonic(), `${machine.host} dies`);
    for (const { host } of this.machines)
      if (host !== machine.host) this.network.reset(machine.host, host);
    for (const host of this.clientHosts) this.network.reset(machine.host, host);
    machine.clock.resume();
    machine.replica.stop();
    machine.replica = undefined;
    machine.view = undefined;
    void machine.listener?.close();
    machine.listener = undefined;
    machine.disk.crash();
    machine.disk.mood.isStuck = false;
    const pause = RESTART_MS * -Math.log(1 - this.#prng.unit());
    this.clock.after(millis(pause), () => {
      if (!machine.staysDown) this.start(machine);
    });
  }

  /** Stops the process without killing it: nothing of it runs, and what it is sent waits in its sockets. */
  pause(machine: Machine): void {
    machine.clock.pause();
    for (const host of this.#othersOf(machine)) this.network.cut(host, machine.host);
  }

  resume(machine: Machine): void {
    for (const host of this.#othersOf(machine)) this.network.heal(host, machine.host);
    machine.clock.resume();
  }

  #othersOf(machine: Machine): string[] {
    const peers = this.machines.map(({ host }) => host).filter((host) => host !== machine.host);
    return [...peers, ...this.clientHosts];
  }

  /** They die, and nobody starts them again. */
  bury(machines: readonly Machine[]): void {
    for (const machine of machines) {
      machine.staysDown = true;
      this.crash(machine);
    }
  }

  cut(from: Machine, to: Machine): void {
    this.network.cut(from.host, to.host);
  }

  /** Everything as it should be: no cuts, no losses, no moods. What is down stays down for now. */
  heal(): void {
    const hosts = [...this.machines.map(({ host }) => host), ...this.clientHosts];
    for (const from of hosts) for (const to of hosts) if (from !== to) this.network.heal(from, to);
    Object.assign(this.frames, { loss: 0, duplicate: 0, reorder: 0 });
    this.delayMs = this.#scenario.netDelayMs;
    for (const machine of this.machines) {
      machine.clock.resume();
      machine.clock.offset = 0;
      const { mood } = machine.disk;
      mood.meanMs = this.#scenario.diskMs;
      mood.failsNextWrite = false;
      mood.failsNextRead = false;
      machine.disk.roomBytes = undefined;
      if (mood.isStuck) this.crash(machine);
    }
  }

  #faulted(machine: Machine, error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    this.faults.set(code, (this.faults.get(code) ?? 0) + 1);
    this.#trace.say(this.clock.monotonic(), `${machine.host} stops by itself: ${code}`);
    // A broken promise of our own code is what this is all for.
    if (code !== 'DISK_FAILED' && code !== 'DISK_FULL') this.failure ??= error;
    this.clock.soon(() => this.crash(machine));
  }

  #transportOf(machine: Machine): Transport {
    return unreliable({
      transport: this.network.transport(machine.host),
      clock: this.clock,
      fateOf: (type, body) => {
        this.#trace.step(type, machine.id, this.clock.monotonic());
        if (PROMISES.includes(type)) this.#judge(machine, type, Buffer.concat(body));
        return this.#fate();
      },
    });
  }

  /** Not thrown: whoever sends might take it for a fault of the connection. */
  #judge(machine: Machine, type: FrameType, body: Uint8Array): void {
    try {
      this.invariants.sent(decodePeerMessage(type, body), machine.disk);
    } catch (error) {
      this.failure ??= error;
    }
  }

  #fate(): Fate {
    const { loss, duplicate, reorder, reorderMs } = this.frames;
    if (loss + duplicate + reorder === 0) return ON_TIME;
    const dice = this.#frameDice;
    if (dice.chance(loss)) return [];
    const first = dice.chance(reorder) ? dice.unit() * reorderMs : 0;
    return dice.chance(duplicate) ? [first, dice.unit() * reorderMs] : [first];
  }

  #afterStep(): void {
    this.#trace.step(this.clock.monotonic());
    const now = this.clock.wall();
    for (const { view } of this.machines)
      if (view !== undefined) this.invariants.afterStep(view, now);
  }

  /** The wall clock of a process is off by so many milliseconds more. */
  jump(machine: Machine, by: number): void {
    machine.clock.offset += by;
    this.invariants.clocks(this.machines.map(({ clock }) => clock.offset));
  }

  machine(id: number): Machine {
    return must(this.machines[id - 1], `no machine ${id}`);
  }
}

const ON_TIME: Fate = [0];
/** What the invariants look into. */
const PROMISES: readonly FrameType[] = [
  FrameType.APPEND_REPLY,
  FrameType.VOTE_REPLY,
  FrameType.VOTE_REQUEST,
];
